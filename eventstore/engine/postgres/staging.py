"""Large appends are staged: PostgreSQL has their events before it locks a partition for them.

The events of a thousand changed tasks are a megabyte and more. To send and to read them takes half
of the time of adding them, and needs no positions. So they are put into a temporary table of the
connection first. Under the lock, one statement moves them into the log, at the positions and
sequence numbers that follow the last ones.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from psycopg import Cursor, Pipeline

from domain.base import OrgId
from eventstore.append import Append
from eventstore.engine.schema import POSTGRES_TYPES, Insert
from eventstore.engine.to_look_up import LARGE
from eventstore.recorded import Row

_COLUMNS = {
    "n": "int",
    "stream_id": "id",
    "version": "int",
    "tag": "text",
    "state": "bytes",
    "private": "bytes",
    "recorded_at": "int",
}
_TABLE = "pg_temp.staged_events"
_MAY_STAGE = b"SELECT has_database_privilege(current_database(), 'TEMPORARY')"
# Each commit truncates it; it goes with the connection, which the pool closes after an hour.
_STAGING = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS staged_events ("
    + ", ".join(f"{name} {POSTGRES_TYPES.get(kind, kind)}" for name, kind in _COLUMNS.items())
    + ") ON COMMIT DELETE ROWS"
).encode()
_STAGE = Insert(_TABLE, _COLUMNS).of_arrays.encode()

MOVE_STAGED = (
    "INSERT INTO events (part, position, stream_id, version, tag, state, private, org_id, org_seq,"
    " recorded_at) SELECT ?::smallint, ?::bigint + n, stream_id, version, tag, state, private,"
    f" ?::uuid, ?::bigint + n, recorded_at FROM {_TABLE} WHERE n >= ? AND n < ?"
)
"""Moves the events of one command into the log; its parameters are those of ``Staged.moves``."""


class Staged:
    """The large appends of a batch, whose events are numbered from 0."""

    def __init__(self, appends: Sequence[Append]) -> None:
        self.rows: list[Row] = []
        self._began: dict[int, int] = {}
        for append in appends:
            if _can_be_staged(append):
                self._began[id(append)] = len(self.rows)
                self.rows += append.rows

    def moves(
        self, admitted: Sequence[Append], part_of: Callable[[OrgId], int]
    ) -> tuple[list[tuple[int, int, UUID, int, int, int]], list[Row]]:
        """Return the parameters of ``MOVE_STAGED`` for each command, and the events of the others.

        They say where its events go and which ones they are: the partition, the position and,
        behind the organization, the sequence number that number 0 would have; then the first
        number of the command, and that of the next one.
        """
        moves: list[tuple[int, int, UUID, int, int, int]] = []
        others: list[Row] = []
        for append in admitted:
            began = self._began.get(id(append))
            if began is None:
                others += append.rows
                continue
            first, end = append.rows[0], began + len(append.rows)
            base, number = first.position - began, first.org_seq - began
            moves.append((part_of(first.org_id), base, first.org_id, number, began, end))
        return moves, others


def stage(appends: Sequence[Append], cursor: Cursor[tuple[Any, ...]], pipeline: Pipeline) -> Staged:
    """Stage the large ones of *appends*, and wait until that is done.

    None if our role may not create temporary tables, which everybody may unless it was revoked.
    """
    staged = Staged(appends)
    if not staged.rows or cursor.execute(_MAY_STAGE).fetchone() != (True,):
        return Staged(())
    rows = [
        (n, row.stream_id, row.version, row.tag, row.state, row.private, row.recorded_at)
        for n, row in enumerate(staged.rows)
    ]
    cursor.execute(_STAGING)
    cursor.execute(_STAGE, [list(column) for column in zip(*rows, strict=True)], prepare=True)
    pipeline.sync()
    return staged


def _can_be_staged(append: Append) -> bool:
    """Whether an append is large, complete by now, and all in one organization."""
    if len(append.rows) < LARGE or append.numbers:
        return False
    owner = append.rows[0].org_id
    return all(row.org_id is owner or row.org_id == owner for row in append.rows)
