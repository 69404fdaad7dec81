"""What a process remembers of its commits is never used once another process has written."""

from uuid import UUID, uuid4

from eventstore.append import Appended, Conflict
from eventstore.store import Store
from tests.eventstore.rows import command

A, B, READ = (UUID(int=n) for n in (0xA, 0xB, 0xC))


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
