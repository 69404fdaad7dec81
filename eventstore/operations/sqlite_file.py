"""The SQLite file of the operational state: opened, synced, checkpointed, replaced."""

import contextlib
import logging
import os
import time
from pathlib import Path

from eventstore.counters import OPERATIONS_DRIVER, counters_of
from eventstore.engine.sqlite.driver import Database, connect
from eventstore.operations.sql import ALL_TABLES

_CHECKPOINT_ROWS = 1_000
"""A process moves what was committed to the main file after this many rows of its own: so the
workers do it, which write the most, and not the API, whose callers would wait."""

COLUMNS_OF = "SELECT name FROM pragma_table_info(?)"
"""The query for the names of the columns of a table."""

_logger = logging.getLogger(__name__)


class SqliteFile:
    """One connection, used by one thread; it reopens the file when that is replaced or deleted."""

    def __init__(self, path: Path, lock_wait_s: float) -> None:
        self._path, self._lock_wait_s = path, lock_wait_s
        self._open: Database | None = None
        self._file: tuple[int, int] | None = None
        self._committed: int | None = None
        self._checkpointed = 0

    def connection(self) -> Database:
        """Return the open connection to the file that has the path now."""
        if self._open is not None and self._file != _identity(self._path):
            _logger.warning("%s was replaced; its deliveries are sent again", self._path)
            self.close()
        if self._open is None:
            self._open = self._connect()
        return self._open

    def close(self) -> None:
        """Close the connection, if one is open."""
        if self._open is not None:
            self._open.close()
            self._open = None
            counters_of(OPERATIONS_DRIVER).connection_closed()
        if self._committed is not None:
            os.close(self._committed)
            self._committed = None

    def sync(self) -> None:
        """Make every commit so far durable, without the lock: others can write meanwhile."""
        if self._committed is None:
            # SQLite locks the -shm and the main file; closing those here would drop its locks.
            self._committed = os.open(f"{self._path}-wal", os.O_RDONLY)
        os.fsync(self._committed)

    def checkpoint(self) -> None:
        """Move commits to the main file now and then; nobody waits for it."""
        if self._open is None or self._open.total_changes() - self._checkpointed < _CHECKPOINT_ROWS:
            return
        self._checkpointed = self._open.total_changes()
        self._open.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _connect(self) -> Database:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite gives the -wal and -shm files the permissions of the main file. It is not opened
        # if it exists: to close it again would drop the locks of SQLite in this process.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        self._file = _identity(self._path)
        connection = connect(self._path)
        try:
            connection.set_busy_timeout(int(self._lock_wait_s * 1000))
            connection.create_scalar_function("now_us", lambda: time.time_ns() // 1_000, 0)
            connection.execute("PRAGMA journal_mode = WAL")
            # FULL would sync each commit while it holds the lock; sync() does it afterwards.
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA wal_autocheckpoint = 0")  # checkpoint() does it
            for table in ALL_TABLES:
                for statement in table.create_statements():
                    connection.execute(statement)
                known = {name for (name,) in connection.execute(COLUMNS_OF, (table.name,))}
                for statement in table.add_statements(known):
                    connection.execute(statement)
            connection.set_busy_timeout(0)  # the writer waits more fairly
        except BaseException:
            connection.close()
            raise
        self._checkpointed = connection.total_changes()
        counters_of(OPERATIONS_DRIVER).connection_created()
        return connection

    def set_aside(self, error: Exception) -> None:
        """Continue with an empty file: lost deliveries are sent again with the same ids."""
        broken, self._file = self._file, None
        self.close()
        if broken is not None and broken != _identity(self._path):
            return  # another process has done it
        name = f"{self._path}.unreadable-{time.time_ns() // 1_000_000_000}"
        _logger.error("%s is unreadable (%s); kept as %s", self._path, error, name)
        for companion in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{self._path}{companion}", f"{name}{companion}")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
