"""Many writers at once, and a reader that follows them."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import UUID, uuid4

from domain.base import OrgId
from eventstore.append import Appended, Conflict
from eventstore.store import Store
from tests.domain.spec import ACME, OTHER
from tests.eventstore.rows import command

STREAMS = [UUID(int=n) for n in range(1, 7)]
A, B, READ = (UUID(int=n) for n in (0xA, 0xB, 0xC))
ROUNDS_MAX = 50


def write(store: Store, seed: int, count: int) -> int:
    """Append *count* commands to streams that all writers share; return how many conflicts."""
    chance = random.Random(seed)  # noqa: S311  a plan for a test, not a secret
    conflicts = 0
    while count:
        stream, other = chance.sample(STREAMS, 2)
        heads = store.heads([stream, other])
        asked = command(
            stream,
            heads.get(stream, 0),
            events=chance.randint(1, 3),
            org_id=chance.choice([ACME, OTHER]),
            reads={other: heads.get(other, 0)},
        )
        [outcome] = store.commit([asked])
        if isinstance(outcome, Appended):
            count -= 1
        else:
            conflicts += 1
    return conflicts


def follow(store: Store, done: Event) -> list[int]:
    """Tail the log until *done* and to its end; return the positions in the order seen."""
    seen: list[int] = []
    last = False
    while True:
        found = store.tail(seen[-1] if seen else 0, 7)
        seen += [row.position for row in found]
        if not found and last:
            return seen
        last = done.is_set()


def check_crowd(writers: Sequence[Store], reader: Store, *, count: int) -> None:
    """Let each of *writers* append *count* commands at once while *reader* follows.

    Where they happened not to meet, which would show nothing, they try again.
    """
    for _ in range(ROUNDS_MAX):
        conflicts, seen = _crowd(writers, reader, count)
        assert seen == list(range(1, reader.last_position() + 1))
        if conflicts:
            break
    else:
        raise AssertionError(f"the writers never met in {ROUNDS_MAX} rounds")
    check_gapless(reader)


def _crowd(writers: Sequence[Store], reader: Store, count: int) -> tuple[int, list[int]]:
    """Return how often the writers collided, and the positions that the reader saw."""
    done = Event()
    with ThreadPoolExecutor(len(writers) + 1) as threads:
        following = threads.submit(follow, reader, done)
        writing = [threads.submit(write, w, n, count) for n, w in enumerate(writers)]
        try:
            conflicts = sum(future.result() for future in writing)
        finally:
            done.set()
        return conflicts, following.result()


def check_gapless(store: Store) -> None:
    """Check that positions, versions and sequences count from 1 without a gap."""
    rows = store.tail(0, 1_000_000)
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    versions: dict[UUID, int] = {}
    sequences: dict[OrgId, int] = {}
    for row in rows:
        versions[row.stream_id] = versions.get(row.stream_id, 0) + 1
        sequences[row.org_id] = sequences.get(row.org_id, 0) + 1
        assert (row.version, row.org_seq) == (versions[row.stream_id], sequences[row.org_id])
    assert store.heads(list(versions)) == versions
    assert store.organization_heads() == sequences


def check_remembered_heads(ours: Store, theirs: Store) -> None:
    """Check with two handles on one log that streams written by either are seen by the other."""
    ours.commit([command(READ)])
    for version in range(3):  # so that ours remembers what it left
        assert ours.commit([command(A, version, reads={READ: 1})]) == [Appended(version + 2)]

    assert theirs.commit([command(READ, 1)]) == [Appended(5)]

    assert ours.commit([command(A, 3, reads={READ: 1})]) == [Conflict(READ)]
    assert ours.commit([command(A, 3, reads={READ: 2})]) == [Appended(6)]
    assert theirs.commit([command(A, 3)]) == [Conflict(A)]
    assert theirs.commit([command(A, 4)]) == [Appended(7)]
    assert ours.commit([command(A, 5, reads={READ: 2})]) == [Appended(8)]
    _check_that_a_refused_batch_is_forgotten(ours)


def _check_that_a_refused_batch_is_forgotten(store: Store) -> None:
    for version in range(6, 9):
        store.commit([command(A, version)])

    outcomes = store.commit([command(A, 9), command(B, 7), command(A, 10)])
    again = store.commit([command(A, 11), command(uuid4())])

    assert outcomes == [Appended(12), Conflict(B), Appended(13)]
    assert again == [Appended(14), Appended(15)]
    assert [row.org_seq for row in store.tail(0, 99)] == list(range(1, 16))
