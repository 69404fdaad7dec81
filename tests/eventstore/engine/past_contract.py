"""What every event database must tell of the past of an organization."""

from uuid import UUID

from eventstore.past.events import Prefix
from eventstore.store import Store
from tests.domain.spec import ACME, OTHER
from tests.eventstore.rows import command

A, B, C = (UUID(int=n) for n in (0xA, 0xB, 0xC))
CREATED, MOVED = "task.created", "task.moved"


class PastContract:
    """Times by sequence, and the beginnings of streams."""

    def test_times_are_in_the_order_of_sequences(self, store: Store) -> None:
        for stream, at, owner in ((A, 30, ACME), (B, 10, OTHER), (C, 20, ACME)):
            append = command(stream, org_id=owner)
            append.rows[0].recorded_at = at
            store.commit([append])

        assert store.times(ACME, 0, 9) == [30, 20]
        assert store.times(ACME, 0, 1) == [30]
        assert store.times(ACME, 1, 9) == [20]
        assert store.times(ACME, 2, 9) == []
        assert store.times(OTHER, 0, 9) == [10]

    def test_streams_are_read_up_to_a_sequence(self, store: Store) -> None:
        store.commit([command(B, events=2, private=b"sealed")])  # 1, 2
        store.commit([command(A, events=2), command(C, tag="task.retitled")])  # 3, 4, 5
        store.commit([command(B, 2, tag=MOVED), command(A, 2)])  # 6, 7
        both = [CREATED, MOVED]

        def found(streams: list[UUID], prefix: Prefix, limit: int = 99) -> list[tuple[int, int]]:
            rows = store.prefixes(ACME, streams, prefix, limit)
            assert {row.private for row in rows} <= {None}
            return [(row.stream_id.int - 0xA, row.org_seq) for row in rows]

        assert found([A, B, C], Prefix(both, 99)) == [
            (0, 3),
            (0, 4),
            (0, 7),
            (1, 1),
            (1, 2),
            (1, 6),
        ]
        assert found([A, B, C], Prefix(both, 4)) == [(0, 3), (0, 4), (1, 1), (1, 2)]
        assert found([A, B], Prefix([MOVED], 99)) == [(1, 6)]
        assert found([A, B], Prefix(both, 99), 4) == [(0, 3), (0, 4), (0, 7), (1, 1)]
        assert found([B, C], Prefix(both, 99, after=1)) == [(1, 2), (1, 6)]
        assert found([UUID(int=0xD)], Prefix(both, 99)) == []
