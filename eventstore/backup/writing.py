"""Writes the backup of a log that stays in use meanwhile.

The events come first, because they never change. The other tables and the newest events are then
read from one consistent view of the database, so that they match each other exactly. An interrupted
backup is resumed after its last event.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from eventstore.append import LogUnfit
from eventstore.backup.database import (
    EVENTS_TABLE,
    OPERATIONAL_TABLES,
    SIDE_TABLES,
    EventDatabase,
    LogSummary,
    Snapshot,
    is_full,
)
from eventstore.backup.frame import (
    FIRST_LINE,
    BackupDamaged,
    Beginning,
    Ending,
    Frame,
    FrameReader,
    FrameWriter,
    Slice,
)

Watch = Callable[[str, int], None]
"""Called after each slice with its table and the number of its rows done so far."""

PARTIAL = ".partial"
"""The suffix of an unfinished backup's name."""


class BackupRefused(Exception):
    """The backup or restore cannot be made; the message says why and what to do."""


def write_backup(database: EventDatabase, to: Path, watch: Watch) -> Ending:
    """Write the backup of a log to the file *to*; return its last frame.

    :raises BackupRefused: the file exists, or there is no complete log.
    :raises LogUnavailable: the database does not answer; another try resumes the backup.
    """
    if to.exists():
        raise BackupRefused(f"{to} exists: name a new file, backups are never overwritten")
    summary = database.summary()
    if summary is None:
        raise LogUnfit("there is no log to back up: correct EVENTS_URL")
    partial = to.with_name(to.name + PARTIAL)
    to.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(partial, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        draft = _Draft(file, summary, watch)
        draft.resume(database)
        while draft.add_some_events(database):
            pass
        with database.snapshot() as snapshot:
            ending = draft.finish(database, snapshot)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(to)
    _sync(to.parent)
    return ending


class _Draft:
    """A backup that is being written."""

    def __init__(self, file: BinaryIO, summary: LogSummary, watch: Watch) -> None:
        self._file, self._summary, self._watch = file, summary, watch
        self._writer = FrameWriter(file, bytes(32))
        self._last: dict[int, dict[str, Any]] = {}  # by partition: its last event in the file
        self._counts: dict[str, int] = {EVENTS_TABLE: 0}

    def resume(self, database: EventDatabase) -> None:
        """Find what the file already holds, or start over if it is of another log."""
        if not (self._take_over() and self._is_still_there(database)):
            self._begin()

    def _take_over(self) -> bool:
        try:
            reader = FrameReader(self._file)
            frames = iter(reader)
            beginning = next(frames, None)
            if not isinstance(beginning, Beginning) or not self._is_of(beginning):
                return False
            end, checksum = reader.offset, reader.checksum
            try:
                for frame in frames:
                    if not isinstance(frame, Slice) or frame.table != EVENTS_TABLE:
                        break
                    self._note(frame)
                    end, checksum = reader.offset, reader.checksum
            except BackupDamaged:
                pass  # the last frame is incomplete
        except BackupDamaged:
            return False
        self._cut(end)
        self._writer = FrameWriter(self._file, checksum)
        return True

    def _is_of(self, beginning: Beginning) -> bool:
        identity = self._summary.identity
        named = (beginning.log, beginning.epoch, beginning.parts)
        return named == (identity.id.bytes, identity.epoch, self._summary.parts)

    def _is_still_there(self, database: EventDatabase) -> bool:
        """Return whether the log still has the last events of the file; it may be another log."""
        with database.snapshot() as snapshot:
            for part, last in self._last.items():
                found = snapshot.events(part, last["position"] - 1)
                if not found.rows or _named(found, 0) != last:
                    return False
        return True

    def _begin(self) -> None:
        self._last, self._counts = {}, {EVENTS_TABLE: 0}
        self._cut(0)
        self._file.write(FIRST_LINE)
        self._writer = FrameWriter(self._file, bytes(32))
        identity = self._summary.identity
        made_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self._write(Beginning(identity.id.bytes, identity.epoch, self._summary.parts, made_at))

    def _cut(self, at: int) -> None:
        self._file.seek(at)
        self._file.truncate()

    def add_some_events(self, database: EventDatabase) -> bool:
        """Add a slice of each partition; return whether more full slices will follow."""
        full = False
        for part in range(self._summary.parts):
            with database.snapshot() as snapshot:
                full |= is_full(self._add_events(snapshot, part))
        return full

    def _add_events(self, snapshot: Snapshot, part: int) -> Slice:
        last = self._last.get(part)
        found = snapshot.events(part, last["position"] if last else 0)
        if found.rows:
            self._write(found)
        return found

    def finish(self, database: EventDatabase, snapshot: Snapshot) -> Ending:
        """Add what is still missing as of *snapshot*; return the last frame."""
        if database.summary() != self._summary:
            raise BackupRefused("the epoch or mode of the log changed during the backup: try again")
        for part in range(self._summary.parts):
            while self._add_events(snapshot, part).rows:
                pass
        for table in (*SIDE_TABLES, *OPERATIONAL_TABLES):
            self._counts[table] = 0
            for each in snapshot.slices(table):
                self._write(each)
        ending = Ending(snapshot.heads(), self._counts)
        self._write(ending)
        return ending

    def _write(self, frame: Frame) -> None:
        self._writer.write(frame)
        if isinstance(frame, Slice):
            self._note(frame)

    def _note(self, frame: Slice) -> None:
        if frame.table == EVENTS_TABLE:
            last = _named(frame, -1)
            self._last[last["part"]] = last
        self._counts[frame.table] = self._counts.get(frame.table, 0) + len(frame.rows)
        self._watch(frame.table, self._counts[frame.table])


def _named(found: Slice, row: int) -> dict[str, Any]:
    return dict(zip(found.columns, found.rows[row], strict=True))


def _sync(folder: Path) -> None:
    at = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(at)
    finally:
        os.close(at)
