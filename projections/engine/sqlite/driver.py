"""The driver of SQLite for read models, APSW, with the types that its own description lacks.

It brings a newer SQLite than most systems have, and adds rows in two thirds of the time of Python's
own module. Nothing in a process may open the same file through that module: SQLite drops the locks
of all connections of a process when another copy of it in that process closes the file.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import apsw

READ, WRITE = apsw.SQLITE_OPEN_READONLY, apsw.SQLITE_OPEN_READWRITE
"""How a file is opened; neither makes one."""
DAMAGE_CODES = {apsw.SQLITE_CORRUPT, apsw.SQLITE_NOTADB}
SHORT_READ = apsw.SQLITE_IOERR_SHORT_READ

_STATEMENTS = 512
"""Prepared statements that a connection keeps."""

SQLiteError = apsw.Error


class SelectedRows(Protocol):
    """What a statement returns."""

    def __iter__(self) -> Iterator[tuple[Any, ...]]: ...

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows."""
        ...


class Database(Protocol):
    """A connection, used by one thread at a time; each statement outside BEGIN is by itself."""

    in_transaction: bool

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> SelectedRows:
        """Run a statement."""
        ...

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> object:
        """Run a statement for each of *rows*."""
        ...

    def changes(self) -> int:
        """Return how many rows the last INSERT, UPDATE or DELETE changed."""
        ...

    def set_busy_timeout(self, milliseconds: int, /) -> None:
        """Wait at most so long for a lock."""
        ...

    def set_progress_handler(self, is_over: Callable[[], bool], steps: int, /) -> None:
        """Ask before every so many instructions whether a statement must end."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


def connect(path: Path, mode: int = WRITE) -> Database:
    """Open the file at *path*, which is there.

    :raises SQLiteError: it is not, or is none that can be read.
    """
    # One thread at a time uses it, which SQLite need not make sure of at each call.
    flags = mode | apsw.SQLITE_OPEN_NOMUTEX
    opened = apsw.Connection(str(path.absolute()), flags=flags, statementcachesize=_STATEMENTS)
    # Built to plan by statistics, it would otherwise prepare a statement again whenever a parameter
    # has another value: ten times the time of a page that finds nothing.
    opened.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    return cast(Database, opened)


def result_code(error: apsw.Error) -> int:
    """Return SQLite's extended result code."""
    return getattr(error, "extendedresult", 0)
