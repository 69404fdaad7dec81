"""An SQLite file as a whole: its tables, waiting for its lock, copying its write-ahead log to it.

We wait for the lock in short steps of our own: SQLite's waiting sleeps longer and longer, up to
100 ms, so that whoever waits misses the moments in which a busy process leaves the lock alone.
"""

import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread
from typing import TypeVar

from eventstore.append import LogUnavailable
from eventstore.engine.sqlite.driver import READ, Database, SQLiteError, connect, is_locked

T = TypeVar("T")

CHECKPOINT_PAGES = 1000
"""Pages of the write-ahead log from which on a commit copies it to the file: SQLite's default.

A large append leaves that to another thread, unless there are four times as many: while commits
follow each other without a pause, only one that holds the lock can begin the log again.
"""
_CHECKPOINT_AT = "PRAGMA wal_autocheckpoint = {}"

_PATIENCE_MS = 5_000
"""How long a look at the tables waits for a process that opens the file."""
POLL_S = 0.001
"""How often a process that waits for the lock tries to take it."""


def tables_in(path: Path) -> set[str]:
    """Return the names of the tables of the database at *path*; an empty file has none.

    :raises LogUnavailable: it is no database, or cannot be read.
    """
    try:
        with closing(connect(path, READ)) as connection:
            connection.set_busy_timeout(_PATIENCE_MS)
            found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return {name for (name,) in found}
    except SQLiteError as error:
        raise LogUnavailable(f"{path}: {error}") from error


class Checkpoints:
    """Copies the write-ahead log to its file in a thread, while others go on appending.

    A commit would do that in the thread that holds the lock of the log; SQLite needs no lock for it
    that a writer takes.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread: Thread | None = None

    def commit(self, writer: Database) -> None:
        """Commit a large append; what it adds to the write-ahead log is copied behind it."""
        writer.execute(_CHECKPOINT_AT.format(CHECKPOINT_PAGES * 4))
        try:
            writer.execute("COMMIT")
        finally:
            writer.execute(_CHECKPOINT_AT.format(CHECKPOINT_PAGES))
        self._begin()

    def _begin(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            thread = Thread(target=self._copy, name="log-checkpoint", daemon=True)
            with suppress(RuntimeError):  # no thread can be started: a later commit copies
                thread.start()
                self._thread = thread

    def end(self) -> None:
        """Wait until nothing is being copied."""
        if self._thread is not None:
            self._thread.join()

    def _copy(self) -> None:
        with suppress(SQLiteError), closing(connect(self._path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")  # or a later commit copies


def once_unlocked(work: Callable[[], T], wait_s: float) -> T:
    """Return the result of *work*, which is tried until no other process holds the lock.

    :raises SQLiteError: it is still locked after *wait_s* seconds, or anything else.
    """
    deadline = time.monotonic() + wait_s
    while True:
        try:
            return work()
        except SQLiteError as error:
            if not is_locked(error) or time.monotonic() > deadline:
                raise
        time.sleep(POLL_S)
