"""The driver of SQLite for everything in this process, APSW, with the types that its own lacks.

It brings the same, newer SQLite to every machine, and a statement takes two thirds of its time with
Python's own module. Nothing in a process may open the same file through that module: SQLite drops
the locks of all connections of a process when another copy of it in that process closes the file.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

import apsw

READ, WRITE = apsw.SQLITE_OPEN_READONLY, apsw.SQLITE_OPEN_READWRITE
"""How a file is opened; neither makes one."""
CREATE = WRITE | apsw.SQLITE_OPEN_CREATE
"""Opens a file to write to it, and makes it if there is none."""
SHORT_READ = apsw.SQLITE_IOERR_SHORT_READ
SQLITE_VERSION = apsw.sqlite_lib_version()

_DAMAGE_CODES = {apsw.SQLITE_CORRUPT, apsw.SQLITE_NOTADB}
_STATEMENTS = 512
"""Prepared statements that a connection keeps."""

SQLiteError = apsw.Error
ConstraintError = apsw.ConstraintError
"""An index, a constraint or a trigger refuses what a statement writes."""
FAILURES = (apsw.Error, UnicodeDecodeError)
"""What running a statement may raise: a text in a damaged file may be none."""


class SelectedRows(Protocol):
    """What a statement returns."""

    def __iter__(self) -> Iterator[tuple[Any, ...]]: ...

    def __next__(self) -> tuple[Any, ...]: ...

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows."""
        ...

    def close(self) -> None:
        """Leave the rest of the rows, if there is any."""
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

    def total_changes(self) -> int:
        """Return how many rows were changed since it was opened."""
        ...

    def set_busy_timeout(self, milliseconds: int, /) -> None:
        """Wait at most so long for a lock."""
        ...

    def set_progress_handler(self, is_over: Callable[[], bool], steps: int, /) -> None:
        """Ask before every so many instructions whether a statement must end."""
        ...

    def create_scalar_function(self, name: str, function: Callable[..., Any], arity: int) -> None:
        """Let statements call *function*."""
        ...

    def close(self) -> None:
        """Close it, once nobody uses it any more."""
        ...


def connect(path: Path | str, mode: int = WRITE) -> Database:
    """Open the file at *path*.

    :raises SQLiteError: it is not there and *mode* makes none, or it cannot be read.
    """
    # One thread at a time uses it, which SQLite need not make sure of at each call.
    flags = mode | apsw.SQLITE_OPEN_NOMUTEX
    opened = apsw.Connection(
        str(Path(path).absolute()), flags=flags, statementcachesize=_STATEMENTS
    )
    # Built to plan by statistics, it would otherwise prepare a statement again whenever a parameter
    # has another value: ten times the time of a page that finds nothing.
    opened.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection = cast(Database, opened)
    if mode != READ:
        connection.execute("PRAGMA secure_delete = ON")  # what was deleted is in no free page
    return connection


@contextmanager
def committing(connection: Database) -> Generator[None]:
    """Commit the transaction that has begun after the block, or roll it back if that fails."""
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def fire_triggers(connection: Database, *, fire: bool) -> None:
    """Have triggers fire at what the connection writes, as they do at first, or not."""
    cast(apsw.Connection, connection).config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, int(fire))


def result_code(error: BaseException) -> int:
    """Return SQLite's extended result code, 0 if it has none."""
    return getattr(error, "extendedresult", 0)


def is_damage(error: BaseException) -> bool:
    """Return whether a statement failed because what the file holds is no database."""
    return result_code(error) & 0xFF in _DAMAGE_CODES


def is_locked(error: BaseException) -> bool:
    """Return whether a statement failed because another process holds the lock."""
    return result_code(error) & 0xFF == apsw.SQLITE_BUSY
