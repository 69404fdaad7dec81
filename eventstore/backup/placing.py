"""Where rows go in a log with another number of partitions.

An event goes into the partition of its organization, after the events already there. A row of
another table goes into the partition of its organization, or of that of the stream it is about.
"""

from typing import Any
from uuid import UUID

from domain.base import OrgId
from eventstore.backup.database import EVENTS_TABLE, Snapshot
from eventstore.backup.frame import Slice
from eventstore.partition import partition_of

_ABOUT = {
    EVENTS_TABLE: "org_id",
    "tree_heads": "org_id",
    "tree_nodes": "org_id",
    "idempotency_keys": "org_id",
    "claims": "within",
    "counts": "within",
    "subject_keys": "subject",
    "secrets": "owner",
}
"""The column that identifies a row's organization, directly or through one of its streams."""


class Placing:
    """Gives rows their partitions, and events their positions, in a log of *parts* partitions.

    If the number of partitions stays the same, everything keeps its place.
    """

    def __init__(self, before: int, parts: int, heads: dict[int, int]) -> None:
        self._before, self._parts = before, parts
        self.heads = heads
        """The newest position of each partition so far."""

    def placed(self, rows: Slice, source: Snapshot) -> Slice:
        """Return *rows* as they will be in the new log; operational rows have no partition."""
        about = _ABOUT.get(rows.table)
        if about is None or (self._before == self._parts and rows.table != EVENTS_TABLE):
            return rows
        part_at, about_at = rows.columns.index("part"), rows.columns.index(about)
        position_at = rows.columns.index("position") if "position" in rows.columns else None
        ids: set[bytes] = {row[about_at] for row in rows.rows}
        owners: dict[bytes, bytes] = {}
        if about != "org_id":
            owners = source.owners(sorted(ids))
        parts = {each: self._part(owners.get(each, each)) for each in ids}
        moved: list[tuple[Any, ...]] = []
        for row in rows.rows:
            values = list(row)
            part = values[part_at] = parts[row[about_at]]
            if rows.table == EVENTS_TABLE:
                self.heads[part] = self.heads.get(part, 0) + 1
            if position_at is not None:
                # Whoever retries waits for this position to see the change: all is enough.
                values[position_at] = self.heads.get(part, 0)
            moved.append(tuple(values))
        return Slice(rows.table, rows.columns, moved)

    def _part(self, org_id: bytes) -> int:
        return partition_of(OrgId(UUID(bytes=org_id)), self._parts)
