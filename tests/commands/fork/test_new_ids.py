"""The ids that things have in a fork."""

import re
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from commands.fork.new_ids import NewIds, fork_id
from commands.fork.survey import NOT_COPIED
from domain.base import Event, OrgId, TaskId
from domain.catalog import EVENT_TYPES, state_of, tag_of
from domain.undo import ChangesUndone
from domain.work.comment import CommentPosted
from domain.work.relation import RelationAdded, RelationKind
from eventstore.identifiers import new_id
from tests.domain.spec import ACME, ANA, NOW
from tests.eventstore.examples import example

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FORK = fork_id(ACME, "acme-copy", 1)
COPIED = [
    kind
    for kind in EVENT_TYPES.values()
    if not state_of(kind).platform and state_of(kind) not in NOT_COPIED
]
PLAIN = {
    "of": "what was redacted: a stream, or Survey passes over it",
    "part": "a cycle or a milestone",
    "series_id": "of tasks that repeat: Survey finds them",
}
"""The ids in copied events that are of no kind of stream or person, and whose they are."""


def ids_of(*streams: UUID) -> NewIds:
    """Return the ids of a fork into which *streams* are copied."""
    ids = NewIds(ACME, FORK)
    ids.add(streams)
    return ids


NEAR = st.builds(lambda id_, by: UUID(int=id_.int ^ by), st.just(new_id()), st.integers(0, 2**50))


@given(st.lists(st.one_of(st.uuids(), NEAR), min_size=2, unique=True))
def test_ids_keep_their_order_and_stay_apart(old: list[UUID]) -> None:
    ids = ids_of(*old)

    new = [ids.of(each) for each in sorted(old)]

    assert new == sorted(set(new))
    assert not set(new) & set(old)


def test_every_fork_has_ids_of_its_own() -> None:
    task = new_id()
    forks = [fork_id(ACME, name, number) for name in ("one", "two") for number in (1, 2)]
    found = set[UUID]()
    for fork in forks:
        ids = NewIds(ACME, fork)
        ids.add([task])
        found.add(ids.of(task))

    assert len(found) == len(forks)


def test_a_new_id_is_a_uuid_of_the_same_kind() -> None:
    old = [new_id() for _ in range(1_000)]
    ids = ids_of(*old)

    assert {(ids.of(each).version, ids.of(each).variant) for each in old} == {
        (7, "specified in RFC 4122")
    }


def test_ids_in_texts_are_those_of_the_fork() -> None:
    task, other = TaskId(new_id()), new_id()
    ids = ids_of(task)
    body = f"See /task/{task} and {str(task).upper()}, not {other}, says @{ANA} of {ACME}"
    posted = CommentPosted(task_id=task, body=body, created_by=ANA, created_at=NOW)

    copied: Any = ids.event(posted)

    new = ids.of(task)
    assert copied.task_id == new
    assert copied.body == f"See /task/{new} and {new}, not {other}, says @{ANA} of {FORK}"
    assert copied.created_by == ANA


def test_a_relation_is_stored_the_same_way_round() -> None:
    one, two = sorted((uuid4(), uuid4()))
    added = RelationAdded(kind=RelationKind.RELATES, from_=TaskId(one), to=TaskId(two))

    copied: Any = ids_of(one, two).event(added)

    assert copied.from_ < copied.to


def test_what_was_undone_is_named_by_the_envelopes_which_stay() -> None:
    task = new_id()
    undone = ChangesUndone(correlation_id=str(task), done=1, conflicts=0)

    assert ids_of(task).event(undone) == undone


@pytest.mark.parametrize("kind", COPIED, ids=tag_of)
def test_an_event_is_the_same_but_for_its_ids(kind: type[Event]) -> None:
    event = example(kind)
    text = msgspec.json.encode(event).decode()
    found = {
        UUID(each) for each in re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text)
    }
    ids = ids_of(*found - {ANA})

    copied = ids.event(event)

    assert type(copied) is kind
    if kind is ChangesUndone:
        return
    for each in found - {ANA}:
        text = text.replace(str(each), f"<{each}>")
    for each in found - {ANA}:
        text = text.replace(f"<{each}>", str(ids.of(each)))
    assert msgspec.json.decode(text, type=kind) == copied


def test_every_id_of_a_copied_event_is_that_of_something() -> None:
    """An id that is neither a stream's nor a person's has to be found by ``Survey``."""
    assert {name for kind in COPIED for name in plain_ids(kind)} == PLAIN.keys()


def plain_ids(kind: type) -> Iterator[str]:
    """Yield the fields of a struct, and of those in it, that are ids of no kind."""
    for name, hint in get_type_hints(kind).items():
        for part in parts_of(hint):
            if part is UUID:
                yield name
            elif isinstance(part, type) and issubclass(part, Struct):
                yield from plain_ids(part)


def parts_of(hint: Any) -> Iterator[Any]:
    """Yield the types that a hint is composed of."""
    yield hint
    for part in get_args(hint):
        yield from parts_of(part)


def test_forks_of_one_organization_under_one_name_are_apart() -> None:
    assert fork_id(ACME, "copy", 1) != fork_id(ACME, "copy", 2) != fork_id(OrgId(ANA), "copy", 2)
