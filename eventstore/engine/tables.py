"""The reads of the log that SQLite and PostgreSQL share.

Placeholders are written ``?``. Every statement names its partition.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain.base import OrgId
from eventstore.append import LogUnfit
from eventstore.claim import ClaimKey, numbered
from eventstore.engine.probes import Rows, SqlProbes, marks, paired
from eventstore.identifiers import new_id
from eventstore.mode import REASONS, LogMode
from eventstore.partition import PARTS_MAX, check_part
from eventstore.past.events import NumberRange, Prefix
from eventstore.recorded import READ_BYTES_MAX, Row
from eventstore.store import STREAM_MAX, LogIdentity

COLUMNS = "position, stream_id, version, tag, state, private, org_id, org_seq, recorded_at"
_UNSEALED = COLUMNS.replace("private", "NULL")
STREAM_COLUMNS = COLUMNS.replace("stream_id, ", "")
"""What a read of one stream returns, whose id is known."""

LAST_POSITION = "SELECT position FROM events WHERE part = ? ORDER BY position DESC LIMIT 1"
_ORGANIZATION_HEADS = (
    # Jumps from one organization to the next in the index: GROUP BY would read every event.
    "WITH RECURSIVE owners(org_id) AS (SELECT * FROM"
    " (SELECT org_id FROM events WHERE part = ? ORDER BY org_id LIMIT 1) AS first"
    " UNION ALL SELECT (SELECT events.org_id FROM events"
    " WHERE part = ? AND events.org_id > owners.org_id ORDER BY events.org_id LIMIT 1)"
    " FROM owners WHERE owners.org_id IS NOT NULL)"
    " SELECT org_id, (SELECT org_seq FROM events WHERE part = ? AND events.org_id = owners.org_id"
    " ORDER BY org_seq DESC LIMIT 1) FROM owners WHERE org_id IS NOT NULL"
)
_NEWEST_POSITION = (
    "SELECT position FROM events WHERE part = ? AND org_id = ? ORDER BY org_seq DESC LIMIT 1"
)

_TIMES = (
    "SELECT recorded_at FROM events WHERE part = ? AND org_id = ? AND org_seq > ?"
    " ORDER BY org_seq LIMIT ?"
)
_AFTER, _BEFORE = "AND org_id = ? AND org_seq > ?", "AND org_id = ? AND org_seq < ?"

_FEW_ROWS = 16
"""Rows that are small together, whatever each holds: an event is smaller than the largest body of
a request, which is 1 MiB."""


class SqlTables(SqlProbes):
    """Reads of a SQL event database."""

    def __init__(self, parts: int | None) -> None:
        super().__init__(parts)
        self._asked_parts = parts

    @abstractmethod
    def _execute(self, statement: str, parameters: Sequence[Any]) -> int:
        """Run one write in its own transaction; return how many rows it changed."""

    @abstractmethod
    def _rows(self, found: Rows) -> list[Row]:
        """Return rows of ``COLUMNS`` as events."""

    @abstractmethod
    def _stream_rows(self, stream_id: UUID, found: Rows) -> list[Row]:
        """Return rows of ``STREAM_COLUMNS`` as events of the stream that was asked for."""

    # The log as a whole -----------------------------------------------------

    def _founding(self) -> list[tuple[str, tuple[Any, ...]]]:
        """Return the writes that create a log in empty tables and leave an existing one alone."""
        parts = self._asked_parts or 1
        if not 1 <= parts <= PARTS_MAX:
            raise LogUnfit(f"a log has 1 to {PARTS_MAX} partitions: correct EVENTS_URL")
        return [
            (
                "INSERT INTO log_identity (part, id, epoch, parts) VALUES (0, ?, 1, ?)"
                " ON CONFLICT (part) DO NOTHING",
                (self._id(new_id()), parts),
            ),
            *(
                (
                    "INSERT INTO part_heads (part, position) SELECT ?, 0 FROM log_identity"
                    " WHERE log_identity.part = 0 AND parts > ? ON CONFLICT (part) DO NOTHING",
                    (part, part),
                )
                for part in range(parts)
            ),
        ]

    def _learn_parts(self) -> None:
        """Read how many partitions the log was created with.

        :raises LogUnfit: the URL asks for another number, or the log's restore has not finished.
        """
        [(parts,)] = self._query("SELECT parts FROM log_identity WHERE part = 0", ())
        if self._asked_parts not in (None, parts):
            raise LogUnfit(
                f"this log was created with {parts} partition(s), which cannot change:"
                f" write ?partitions={parts} in EVENTS_URL, or leave it out"
            )
        self.parts = parts
        if self.mode() is LogMode.RESTORING:
            raise LogUnfit(REASONS[LogMode.RESTORING])

    def identity(self) -> LogIdentity:
        [(log_id, epoch)] = self._query("SELECT id, epoch FROM log_identity WHERE part = 0", ())
        return LogIdentity(self._uuid(log_id), epoch)

    def raise_epoch(self, epoch: int) -> None:
        statement = "UPDATE log_identity SET epoch = ? WHERE part = 0 AND epoch < ?"
        self._execute(statement, (epoch, epoch))

    def mode(self, part: int | None = None) -> LogMode:
        asked = range(self.parts) if part is None else (part,)
        found: set[LogMode] = set()
        for some in self._apart(asked, lambda part: part):
            statement = f"SELECT mode FROM part_heads WHERE part IN ({marks(len(some))})"
            found.update(LogMode(mode) for (mode,) in self._query(statement, some))
        return min(found - {LogMode.OPEN}, default=LogMode.OPEN)

    def set_mode(self, mode: LogMode) -> None:
        # One transaction per partition, so that no lock is held while waiting for another.
        for part in range(self.parts):
            self._execute("UPDATE part_heads SET mode = ? WHERE part = ?", (mode.value, part))

    # Reads ------------------------------------------------------------------

    def _query_bounded(self, statement: str, order: str, parameters: Sequence[Any]) -> Rows:
        """Run a read of ``COLUMNS`` that ends by its bytes, too; the last parameter is a limit."""
        return self._query(
            _within_read_bytes(COLUMNS, statement, order, parameters[-1]), parameters
        )

    def _events(self, which: str, order: str, parameters: Sequence[Any]) -> list[Row]:
        statement = f"SELECT {COLUMNS} FROM events WHERE part = ? {which} ORDER BY {order} LIMIT ?"
        return self._rows(self._query_bounded(statement, order, parameters))

    def stream(
        self, stream_id: UUID, after: int = 0, part: int = 0, limit: int = STREAM_MAX
    ) -> list[Row]:
        statement = (
            f"SELECT {STREAM_COLUMNS} FROM events WHERE part = ? AND stream_id = ? AND version > ?"
            " ORDER BY version LIMIT ?"
        )
        found = self._query(statement, (part, self._id(stream_id), after, limit))
        return self._stream_rows(stream_id, found)

    def tail(self, after: int, limit: int, tags: Sequence[str] = (), part: int = 0) -> list[Row]:
        check_part(part, self.parts)
        some = f" AND tag IN ({marks(len(tags))})" if tags else ""
        return self._events(f"AND position > ?{some}", "position", (part, after, *tags, limit))

    def organization(self, org_id: OrgId, after: int, limit: int) -> list[Row]:
        return self._events(_AFTER, "org_seq", (self._part(org_id), self._id(org_id), after, limit))

    def organization_at(self, org_id: OrgId, sequences: Sequence[int]) -> list[Row]:
        which = f"AND org_id = ? AND org_seq IN ({marks(len(sequences))})"
        values = (self._part(org_id), self._id(org_id), *sequences, len(sequences))
        return self._events(which, "org_seq", values)

    def organization_before(self, org_id: OrgId, before: int, limit: int) -> list[Row]:
        values = (self._part(org_id), self._id(org_id), before, limit)
        return self._events(_BEFORE, "org_seq DESC", values)

    def times(self, org_id: OrgId, after: int, limit: int) -> list[int]:
        found = self._query(_TIMES, (self._part(org_id), self._id(org_id), after, limit))
        return [at for (at,) in found]

    def prefixes(
        self, org_id: OrgId, streams: Sequence[UUID], prefix: Prefix, limit: int
    ) -> list[Row]:
        # Nothing is said of the owner, or SQLite would look through all events of the organization.
        ids = [self._id(stream) for stream in streams]
        statement = (
            f"SELECT {_UNSEALED} FROM events WHERE part = ? AND stream_id IN ({marks(len(ids))})"
            f" AND (stream_id <> ? OR version > ?) AND tag IN ({marks(len(prefix.tags))})"
            " AND org_seq <= ? ORDER BY stream_id, version LIMIT ?"
        )
        values = (*ids, ids[0], prefix.after, *prefix.tags, prefix.until, limit)
        return self._rows(self._query(statement, (self._part(org_id), *values)))

    def numbered_between(self, numbers: NumberRange) -> list[UUID]:
        count, first, last = numbers.counted, numbers.after + 1, numbers.last
        bounds = [numbered(count, number).value for number in (first, last)]
        found = self._query(
            "SELECT holder FROM claims WHERE part = ? AND scope = ? AND within = ?"
            " AND value >= ? AND value <= ? ORDER BY value",
            (self._part(count.org_id), count.scope, self._id(count.within), *bounds),
        )
        return [self._uuid(holder) for (holder,) in found]

    def newest_position(self, org_id: OrgId) -> int:
        found = self._query(_NEWEST_POSITION, (self._part(org_id), self._id(org_id)))
        return found[0][0] if found else 0

    def organization_heads(self, part: int = 0) -> dict[OrgId, int]:
        check_part(part, self.parts)
        found = self._query(_ORGANIZATION_HEADS, (part, part, part))
        return {OrgId(self._uuid(org)): seq for org, seq in found}

    def heads(self, streams: Sequence[UUID], part: int = 0) -> dict[UUID, int]:
        if not streams:
            return {}
        return paired(streams, self._query(*self._streams_query([(part, s) for s in streams])))

    def last_position(self, part: int = 0) -> int:
        check_part(part, self.parts)
        found = self._query(LAST_POSITION, (part,))
        return found[0][0] if found else 0

    def claimed_between(self, claim: ClaimKey, below: bytes, limit: int) -> list[bytes]:
        found = self._query(
            "SELECT value FROM claims WHERE part = ? AND scope = ? AND within = ?"
            " AND value > ? AND value < ? AND free_at = 0 ORDER BY value LIMIT ?",
            (
                self._part(claim.org_id),
                claim.scope,
                self._id(claim.within),
                claim.value,
                below,
                limit,
            ),
        )
        return [bytes(value) for (value,) in found]

    def claimed(self, org_id: OrgId, scope: str, within: UUID) -> list[UUID]:
        found = self._query(
            "SELECT holder FROM claims WHERE part = ? AND scope = ? AND within = ?"
            " AND free_at = 0 ORDER BY value",
            (self._part(org_id), scope, self._id(within)),
        )
        return [self._uuid(holder) for (holder,) in found]


def _within_read_bytes(columns: str, statement: str, order: str, limit: int) -> str:
    """Return a read of *columns* in an *order* that also ends after ``READ_BYTES_MAX``."""
    if limit <= _FEW_ROWS:
        return statement
    before = (
        "sum(octet_length(state) + coalesce(octet_length(private), 0))"
        f" OVER (ORDER BY {order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    )
    return (
        f"SELECT {columns} FROM (SELECT *, {before} AS before FROM ({statement}) AS found)"
        f" AS summed WHERE before IS NULL OR before < {READ_BYTES_MAX} ORDER BY {order}"
    )
