"""Waits for the lock of an SQLite file, in short steps of our own.

SQLite's own waiting sleeps longer and longer, up to 100 ms, so that whoever waits misses the
moments in which a busy process leaves the lock alone.
"""

import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_S = 0.001
"""How often a process that waits for the lock tries to take it."""


def once_unlocked(work: Callable[[], T], wait_s: float) -> T:
    """Return the result of *work*, which is tried until no other process holds the lock.

    :raises sqlite3.OperationalError: it is still locked after *wait_s* seconds, or anything else.
    """
    deadline = time.monotonic() + wait_s
    while True:
        try:
            return work()
        except sqlite3.OperationalError as error:
            if not is_locked(error) or time.monotonic() > deadline:
                raise
        time.sleep(POLL_S)


def is_locked(error: sqlite3.Error) -> bool:
    """Return whether a statement failed because another process holds the lock."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
