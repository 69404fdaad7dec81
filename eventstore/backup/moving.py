"""Moves a log to another database while it runs; commands stop for the last step only.

Events are copied while commands continue, in rounds, until few new ones are left. Then the log is
made read-only and the rest is copied from one consistent view. The log keeps its identity. An
interrupted move can be resumed; until it has finished, the old database remains the log.
"""

from collections.abc import Iterator
from heapq import merge
from operator import itemgetter
from typing import Any

import msgspec

from eventstore.backup.database import (
    EVENTS_AT_ONCE,
    EVENTS_TABLE,
    OPERATIONAL_TABLES,
    SIDE_TABLES,
    EventDatabase,
    LogSummary,
    Snapshot,
    next_slice,
)
from eventstore.backup.frame import BackupDamaged, Slice
from eventstore.backup.placing import Placing
from eventstore.backup.writing import BackupRefused, Watch
from eventstore.mode import REASONS, LogMode

FEW_EVENTS = 2_000
"""How many may be copied while commands wait: that takes some tenths of a second."""

_MOVABLE = (LogMode.OPEN, LogMode.READ_ONLY)


class LogMove:
    """One move from *source* to *target*, which has *parts* partitions."""

    def __init__(
        self, source: EventDatabase, target: EventDatabase, parts: int | None, watch: Watch
    ) -> None:
        self._source, self._target, self._watch = source, target, watch
        self._summary = self._movable(parts)
        self._parts = parts or self._summary.parts
        target.create(self._summary.identity, self._parts)
        done = target.progress()
        self._copied: dict[int, int] = _positions(done) if done else {}
        with target.snapshot() as snapshot:
            self._placing = Placing(self._summary.parts, self._parts, snapshot.heads())

    def _movable(self, parts: int | None) -> LogSummary:
        summary, there = self._source.summary(), self._target.summary()
        if summary is None:
            raise BackupRefused("there is no log to move: correct EVENTS_URL")
        begun = there is not None and there.mode is LogMode.RESTORING
        if there is not None and not begun:
            raise BackupRefused("the target already has a log: name a new, empty database in --to")
        if there is not None and (there.identity, there.parts) != (
            summary.identity,
            parts or summary.parts,
        ):
            raise BackupRefused(
                "the target has an unfinished move or restore of another log:"
                " name a new, empty database"
            )
        if summary.mode not in _MOVABLE and not (begun and summary.mode is LogMode.MOVED):
            raise BackupRefused(f"this log cannot be moved: {REASONS[summary.mode]}")
        return summary

    def follow(self) -> None:
        """Copy events while commands continue, until few are left."""
        while self._copy_events() > FEW_EVENTS:
            pass

    def stop_commands(self) -> None:
        """Make the log read-only, unless an earlier try has got further than that."""
        if self._summary.mode is not LogMode.MOVED:
            self._source.set_mode(LogMode.READ_ONLY)

    def finish(self) -> None:
        """Copy the rest of a log that stands still and check that all has arrived.

        ``switch`` comes next.

        :raises BackupDamaged: a table has more or fewer rows than were copied.
        """
        self.stop_commands()
        self._copy_events()
        self._target.clear((*SIDE_TABLES, *OPERATIONAL_TABLES))
        with self._source.snapshot() as snapshot:
            counts = {EVENTS_TABLE: snapshot.count(EVENTS_TABLE)}
            for table in (*SIDE_TABLES, *OPERATIONAL_TABLES):
                counts[table] = 0
                for rows in snapshot.slices(table):
                    self._load(rows, snapshot)
                    counts[table] += len(rows.rows)
                    self._watch(table, counts[table])
        with self._target.snapshot() as snapshot:
            found = {table: snapshot.count(table) for table in counts}
        if found != counts:
            raise BackupDamaged(f"the tables should have {counts} rows, but have {found}")

    def switch(self) -> None:
        """Make the new database the log; the old one takes no more commands."""
        self._source.set_mode(LogMode.MOVED)
        self._target.set_mode(LogMode.OPEN)

    def _copy_events(self) -> int:
        """Copy the events there are now, by time across partitions; return how many."""
        with self._source.snapshot() as snapshot:
            heads = snapshot.heads()
        feeds = [self._events(part, head) for part, head in sorted(heads.items())]
        columns: tuple[str, ...] = ()
        copied = 0
        rows = merge(*feeds, key=itemgetter(0))
        while batch := next_slice(rows, EVENTS_AT_ONCE, itemgetter(3)):
            columns = batch[0][2]
            for _, part, _, row in batch:
                self._copied[part] = row[columns.index("position")]
            with self._source.snapshot() as snapshot:
                self._load(Slice(EVENTS_TABLE, columns, [row for *_, row in batch]), snapshot)
            copied += len(batch)
            self._watch(EVENTS_TABLE, sum(self._copied.values()))
        return copied

    def _events(
        self, part: int, head: int
    ) -> Iterator[tuple[int, int, tuple[str, ...], tuple[Any, ...]]]:
        after = self._copied.get(part, 0)
        while after < head:
            with self._source.snapshot() as snapshot:
                found = snapshot.events(part, after)
            time_at = found.columns.index("recorded_at")
            position_at = found.columns.index("position")
            for row in found.rows:
                if row[position_at] > head:
                    return
                yield row[time_at], part, found.columns, row
            after = found.rows[-1][position_at]

    def _load(self, rows: Slice, source: Snapshot) -> None:
        placed = self._placing.placed(rows, source)
        progress = msgspec.json.encode(self._copied).decode()
        self._target.load([placed], self._placing.heads, progress)


def _positions(progress: str) -> dict[int, int]:
    try:
        return msgspec.json.decode(progress, type=dict[int, int])
    except msgspec.MsgspecError:
        raise BackupRefused(
            "the target has an unfinished restore: name a new, empty database in --to"
        ) from None
