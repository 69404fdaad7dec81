"""Backups of a log in SQLite: its file, and the operational file next to it."""

import contextlib
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from eventstore.append import LogUnavailable
from eventstore.backup.database import (
    EVENTS_AT_ONCE,
    EVENTS_TABLE,
    OPERATIONAL_TABLES,
    ROWS_AT_ONCE,
    LogSummary,
    Snapshot,
    next_slice,
)
from eventstore.backup.frame import Slice
from eventstore.backup.sql import SqlDatabase
from eventstore.engine.probes import marks
from eventstore.engine.schema import SQLITE_GUARDS, SQLITE_TYPES, statements
from eventstore.engine.sqlite.driver import CREATE, FAILURES, Database, committing, connect
from eventstore.identifiers import id_of
from eventstore.mode import LogMode
from eventstore.operations.sql import ALL_TABLES
from eventstore.store import LogIdentity

_LOCK_WAIT_MS = 10_000


class SqliteDatabase(SqlDatabase):
    """Both files through one connection; they need not exist yet."""

    def __init__(self, log: Path, operations: Path) -> None:
        self._log, self._operations = log, operations
        self._open: Database | None = None

    def summary(self) -> LogSummary | None:
        return super().summary() if self._log.exists() else None

    @contextmanager
    def snapshot(self) -> Generator[Snapshot]:
        with _outages():
            self._connection().execute("BEGIN")
        try:
            # The operational file first, so that no cursor in it is ahead of the log.
            self._all("SELECT 1 FROM operations.sqlite_master LIMIT 1")
            self._all("SELECT 1 FROM sqlite_master LIMIT 1")
            yield self
        finally:
            self._connection().execute("COMMIT")

    # The snapshot -----------------------------------------------------------

    def events(self, part: int, after: int) -> Slice:
        columns = self._columns(EVENTS_TABLE)
        statement = (
            f"SELECT {', '.join(columns)} FROM events WHERE part = ? AND position > ?"
            " ORDER BY position LIMIT ?"
        )
        with _outages():
            rows = self._connection().execute(statement, (part, after, EVENTS_AT_ONCE))
            return Slice(EVENTS_TABLE, columns, next_slice(rows, EVENTS_AT_ONCE))

    def slices(self, table: str) -> Iterator[Slice]:
        columns = self._columns(table)
        if not columns:
            return
        with _outages():
            found = self._connection().execute(f"SELECT {_quoted(columns)} FROM {table}")
            while rows := next_slice(found, ROWS_AT_ONCE):
                yield Slice(table, columns, rows)

    def owners(self, streams: Sequence[bytes]) -> dict[bytes, bytes]:
        statement = (
            "SELECT stream_id, org_id FROM events WHERE part = ? AND version = 1"
            f" AND stream_id IN ({marks(len(streams))})"
        )
        found: dict[bytes, bytes] = {}
        for part in self.heads():
            found.update(self._all(statement, (part, *streams)))
        return found

    # The restore ------------------------------------------------------------

    def create(self, identity: LogIdentity, parts: int) -> None:
        for file in (self._log, self._operations):
            file.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):  # see eventstore/operations/sqlite_file.py
                os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with self._transaction() as connection:
            for statement in statements(SQLITE_TYPES, SQLITE_GUARDS):
                connection.execute(statement)
            connection.execute(
                "CREATE TABLE IF NOT EXISTS restore_progress (part INTEGER PRIMARY KEY, at TEXT)"
            )
            connection.execute(
                "INSERT INTO log_identity (part, id, epoch, parts) VALUES (0, ?, ?, ?)"
                " ON CONFLICT (part) DO NOTHING",
                (identity.id.bytes, identity.epoch, parts),
            )
            connection.executemany(
                "INSERT INTO part_heads (part, position, mode) VALUES (?, 0, ?)"
                " ON CONFLICT (part) DO NOTHING",
                [(part, LogMode.RESTORING.value) for part in range(parts)],
            )

    def load(self, slices: Sequence[Slice], heads: Mapping[int, int], progress: str) -> None:
        with self._transaction() as connection:
            for each in slices:
                replace = " OR REPLACE" if each.table in OPERATIONAL_TABLES else ""
                statement = (
                    f"INSERT{replace} INTO {each.table} ({_quoted(each.columns)})"
                    f" VALUES ({marks(len(each.columns))})"
                )
                connection.executemany(statement, each.rows)
            connection.executemany(
                "UPDATE part_heads SET position = ? WHERE part = ?",
                [(position, part) for part, position in heads.items()],
            )
            connection.execute(
                "INSERT OR REPLACE INTO restore_progress (part, at) VALUES (0, ?)", (progress,)
            )

    def clear(self, tables: Sequence[str]) -> None:
        with self._transaction() as connection:
            for table in tables:
                connection.execute(f"DELETE FROM {table}")

    def set_mode(self, mode: LogMode) -> None:
        with self._transaction() as connection:
            connection.execute("UPDATE part_heads SET mode = ?", (mode.value,))
            connection.execute("DROP TABLE IF EXISTS restore_progress")

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    # The connection ---------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Generator[Database]:
        with _outages():
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            with committing(connection):
                yield connection

    def _connection(self) -> Database:
        if self._open is None:
            connection = connect(self._log, CREATE)
            connection.set_busy_timeout(_LOCK_WAIT_MS)
            connection.execute("PRAGMA journal_mode = WAL")
            # The rows and the progress are in one file, so both are lost or neither is.
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("ATTACH DATABASE ? AS operations", (str(self._operations),))
            connection.execute("PRAGMA operations.journal_mode = WAL")
            for table in ALL_TABLES:
                for statement in table.create_statements():
                    connection.execute(_in_operations(statement))
            self._open = connection
        return self._open

    def _columns(self, table: str) -> tuple[str, ...]:
        return tuple(name for _, name, *_ in self._all(f"PRAGMA table_info({table})"))

    def _all(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with _outages():
            return self._connection().execute(statement, values).fetchall()

    def _uuid(self, stored: Any) -> UUID:
        return id_of(stored)


def _quoted(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)  # "open" and others are SQL keywords


def _in_operations(statement: str) -> str:
    """Return *statement* changed so that it creates its table or index in the operational file."""
    for what in ("TABLE", "INDEX"):
        statement = statement.replace(
            f"CREATE {what} IF NOT EXISTS ", f"CREATE {what} IF NOT EXISTS operations.", 1
        )
    return statement


@contextmanager
def _outages() -> Generator[None]:
    try:
        yield
    except (*FAILURES, OSError) as error:
        raise LogUnavailable(str(error)) from error
