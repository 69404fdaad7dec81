"""Given / when / then for states: the cast, the fold, and values for property tests."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from types import NoneType
from typing import Annotated, Any, NewType, TypeVar, get_args, get_origin
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import fields

from domain.base import DomainError, Event, OrgId, ProjectId, State, TaskId, TeamId, UserId
from domain.planning.criteria import (
    NamedAssignee,
    NamedCycle,
    NamedGroup,
    NamedLabel,
    NamedPerson,
    NamedPriority,
    NamedThing,
)
from domain.work.task.events import Priority, TaskStatusChanged
from domain.work.workflow.events import StatusGroup
from domain.work.workflow.state import STANDARD

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)

IDS = [UUID(int=n) for n in range(1, 5)]
ANA, BEN, CLEO, DAN = (UserId(i) for i in IDS)
ACME, OTHER = OrgId(UUID(int=11)), OrgId(UUID(int=12))
ENG, TASK = ProjectId(UUID(int=21)), TaskId(UUID(int=31))
GEARS = TeamId(UUID(int=43))
INVITATION = UUID(int=51)

QUICK = settings(max_examples=20, stateful_step_count=25)
"""No deadline: a busy machine does not break a rule."""

S = TypeVar("S", bound=State)
Decision = Callable[[Any], Sequence[Event]]


def given(state: S, *events: Event) -> S:
    """Return *state* after *events*."""
    for event in events:
        state = state.evolve(event)
    return state


def stepped(before: str, after: str, **about: Any) -> TaskStatusChanged:
    """Return a step of a task in the standard workflow, whose guards held; *about* overrides."""
    about.setdefault("guards", STANDARD.steps[before].get(after, ()))
    return TaskStatusChanged(from_=before, to=after, **about)


def outcome(decide: Decision, state: State) -> Sequence[Event]:
    """Return what *decide* records; a refusal records nothing."""
    try:
        return decide(state)
    except DomainError:
        return []


def check_refused(error: type[DomainError], *decisions: Callable[[], object]) -> None:
    """Check that each of *decisions* is refused for the same reason."""
    for decide in decisions:
        with pytest.raises(error):
            decide()


def check_repeating_records_nothing(state: State, steps: Iterable[Decision]) -> None:
    """Take each step twice from the state before it: the second time records nothing."""
    for decide in steps:
        state = given(state, *outcome(decide, state))
        assert outcome(decide, state) == []


def events_of(union: Any) -> st.SearchStrategy[Event]:
    """Return a strategy for any event of *union*, with few ids, so that they collide."""
    return st.one_of([event_of(kind) for kind in get_args(union)])


def event_of(kind: type[Event]) -> st.SearchStrategy[Event]:
    """Return a strategy for events of one class."""
    return st.builds(kind, **{f.name: _values_of(f.type) for f in fields(kind)})


_VALUES: dict[Any, st.SearchStrategy[Any]] = {
    UUID: st.sampled_from(IDS),
    str: st.sampled_from(["", "a", "Zürich 🚀"]),
    NamedGroup: st.sampled_from([*StatusGroup, "!DONE"]),
    NamedPriority: st.sampled_from([*Priority, "!LOW"]),
    NamedThing: st.sampled_from(["none", *map(str, IDS)]),
    NamedCycle: st.sampled_from(["current", "none", *map(str, IDS)]),
    NamedLabel: st.sampled_from(["none", "!none", *map(str, IDS)]),
    NamedPerson: st.sampled_from(["me", "!me", *map(str, IDS)]),
    NamedAssignee: st.sampled_from(["me", "none", "!me", *map(str, IDS)]),
    int: st.integers(0, 9),
    bool: st.booleans(),
    date: st.dates(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    NoneType: st.none(),
    UnsetType: st.just(UNSET),
    dict[str, str]: st.dictionaries(*[st.sampled_from(["", "a"])] * 2),
    tuple[str, ...]: st.sampled_from([(), ("*",), ("task.*", "project.created")]),
}


def _values_of(kind: Any) -> st.SearchStrategy[Any]:
    if isinstance(kind, NewType):
        return _values_of(kind.__supertype__)
    if kind in _VALUES:
        return _VALUES[kind]
    if get_origin(kind) is Annotated:
        return _values_of(get_args(kind)[0])
    if get_origin(kind) is tuple:
        return st.lists(_values_of(get_args(kind)[0]), max_size=3).map(tuple)
    if isinstance(kind, type):
        return _values_of_class(kind)
    return st.one_of([_values_of(part) for part in get_args(kind)])


def _values_of_class(kind: type) -> st.SearchStrategy[Any]:
    if issubclass(kind, Struct):
        return st.builds(kind, **{f.name: _values_of(f.type) for f in fields(kind)})
    assert issubclass(kind, Enum)
    return st.sampled_from(list(kind))
