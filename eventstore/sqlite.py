"""The log in SQLite: one file, WAL, every commit on disk before it is acknowledged."""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from threading import Lock, local
from typing import Any
from uuid import UUID

from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from domain.base import OrgId
from eventstore.append import Append, LogUnavailable, Outcome
from eventstore.plain import insert_plain
from eventstore.recorded import Row
from eventstore.tables import SIDE_TABLES, SqlTables

IDS_REMEMBERED = 16_384

_EVENTS_TABLE = (
    "CREATE TABLE IF NOT EXISTS stored_events ("
    " rowid INTEGER PRIMARY KEY AUTOINCREMENT,"
    " originator_id TEXT NOT NULL, originator_version INTEGER NOT NULL,"
    " topic TEXT NOT NULL, state BLOB NOT NULL, private BLOB,"
    " org_id TEXT NOT NULL, org_seq INTEGER NOT NULL,"
    " recorded_at INTEGER NOT NULL, command_id TEXT)"
)
_GUARDS = (
    "CREATE UNIQUE INDEX IF NOT EXISTS events_by_stream"
    " ON stored_events (originator_id, originator_version)",
    "CREATE UNIQUE INDEX IF NOT EXISTS events_by_organization ON stored_events (org_id, org_seq)",
    "CREATE UNIQUE INDEX IF NOT EXISTS events_by_command"
    " ON stored_events (command_id) WHERE command_id IS NOT NULL",
    "CREATE TRIGGER IF NOT EXISTS events_never_change BEFORE UPDATE ON stored_events"
    " BEGIN SELECT RAISE(ABORT, 'events are immutable'); END",
    "CREATE TRIGGER IF NOT EXISTS events_never_go BEFORE DELETE ON stored_events"
    " BEGIN SELECT RAISE(ABORT, 'events are immutable'); END",
    # REPLACE deletes the rows in its way, and delete triggers do not fire for it unless a
    # connection asks for that (recursive_triggers); this costs some 4 us an event.
    "CREATE TRIGGER IF NOT EXISTS events_never_replaced BEFORE INSERT ON stored_events"
    " WHEN EXISTS (SELECT 1 FROM stored_events WHERE rowid = NEW.rowid"
    " OR originator_id = NEW.originator_id AND originator_version = NEW.originator_version"
    " OR org_id = NEW.org_id AND org_seq = NEW.org_seq OR command_id = NEW.command_id)"
    " BEGIN SELECT RAISE(ABORT, 'events are immutable'); END",
)


class SqliteStore(SqlTables, SQLiteApplicationRecorder):
    """The library's SQLite recorder with our columns and an append of many commands at once."""

    POSITION = "rowid"
    inline = True

    def __init__(self, path: str, *, lock_timeout_s: int = 10) -> None:
        super().__init__(SQLiteDatastore(path, lock_timeout=lock_timeout_s))
        self._path, self._lock_timeout_s = path, lock_timeout_s
        self._local = local()
        self._connections: list[sqlite3.Connection] = []
        self._writer = self._connect()
        self._write_lock = Lock()

    def construct_create_table_statements(self) -> list[str]:
        sides = [t.format(id="TEXT", bytes="BLOB", int="INTEGER") for t in SIDE_TABLES]
        return [_EVENTS_TABLE, *_GUARDS, *sides]

    def create(self) -> None:
        self.create_table()
        self._identify()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            isolation_level=None,
            check_same_thread=False,
            timeout=self._lock_timeout_s,
            cached_statements=256,
        )
        connection.execute("PRAGMA journal_mode=WAL")
        # FULL: each commit is synced to the disk, so that power loss loses nothing either.
        connection.execute("PRAGMA synchronous=FULL")
        self._connections.append(connection)
        return connection

    # The append -------------------------------------------------------------

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        with self._write_lock:
            try:
                try:
                    return self._attempt(appends, suspicious=False)
                except sqlite3.IntegrityError:
                    # Nothing was written; now look closer.
                    return self._attempt(appends, suspicious=True)
            except sqlite3.IntegrityError as error:
                raise IntegrityError(str(error)) from error
            except sqlite3.Error as error:
                raise LogUnavailable(str(error)) from error

    def _attempt(self, appends: Sequence[Append], *, suspicious: bool) -> list[Outcome]:
        writer = self._writer
        writer.execute("BEGIN IMMEDIATE")
        try:
            settled = self._settle(appends, self._read, suspicious=suspicious)
            self._insert(settled.admitted)
            writer.execute("COMMIT")
        except BaseException:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            raise
        return settled.outcomes

    def _read(self, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._writer.execute(statement, parameters).fetchall()

    def _insert(self, appends: Sequence[Append]) -> None:
        self._writer.executemany(
            _INSERT, [_columns(row) for append in appends for row in append.rows]
        )
        for append in appends:
            for subject, wrapped in append.keys.items():
                self._writer.execute(
                    "INSERT INTO subject_keys (subject, wrapped) VALUES (?, ?)",
                    (subject.hex, wrapped),
                )
            for secret in append.secrets:
                self._writer.execute(*self._secret_write(secret))
            reply = self._reply_write(append)
            if reply:
                self._writer.execute(*reply)

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        return insert_plain(self, stored_events)

    # Reads ------------------------------------------------------------------

    def _query(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        reader: sqlite3.Connection | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = self._connect()
        try:
            return reader.execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            raise LogUnavailable(str(error)) from error

    def _execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        with self._write_lock:
            try:
                self._writer.execute(statement, parameters)
            except sqlite3.Error as error:
                raise LogUnavailable(str(error)) from error

    def _id(self, value: UUID) -> str:
        return value.hex

    def _uuid(self, value: str) -> UUID:
        return UUID(value)

    def _row(self, columns: tuple[Any, ...]) -> Row:
        position, stream, version, tag, state, private, org, seq, at = columns
        return Row(
            position,
            _known(stream),
            version,
            tag,
            state,
            private,
            OrgId(_known(org)),
            seq,
            at,
            None,
        )

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
        self.datastore.close()


def _columns(row: Row) -> tuple[Any, ...]:
    return (
        row.position,
        row.stream_id.hex,
        row.version,
        row.tag,
        row.state,
        row.private,
        row.org_id.hex,
        row.org_seq,
        row.recorded_at,
        row.command_id.hex if row.command_id else None,
    )


_INSERT = (
    "INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state, private,"
    " org_id, org_seq, recorded_at, command_id) VALUES (?,?,?,?,?,?,?,?,?,?)"
)

_known = lru_cache(IDS_REMEMBERED)(UUID)
"""The same streams and organizations come again and again, and parsing one costs 3 µs."""
