"""The port of a database that is backed up or restored: tables as rows, whatever the engine.

A value is an int, a string, bytes or None; ids are 16 bytes. The tables and columns are read from
the database, so a new table needs no change here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from eventstore.backup.frame import Slice
from eventstore.engine.schema import TABLES, table_name
from eventstore.mode import LogMode
from eventstore.operations.sql import ALL_TABLES
from eventstore.store import LogIdentity

EVENTS_TABLE = "events"
_MADE_BY_THE_RESTORE = ("log_identity", "part_heads")
SIDE_TABLES = tuple(
    name
    for statement in TABLES
    if (name := table_name(statement)) and name not in (EVENTS_TABLE, *_MADE_BY_THE_RESTORE)
)
"""The tables of the log other than its events; their rows are copied as they are."""
OPERATIONAL_TABLES = tuple(table.name for table in ALL_TABLES)
EVENTS_AT_ONCE = 500
"""The most events in a slice: usually about a megabyte."""
ROWS_AT_ONCE = 2_000
"""The most rows of any other table in a slice."""
SLICE_BYTES = 4 * 1024 * 1024
"""A slice ends with the row that reaches this size."""

R = TypeVar("R", bound=tuple[Any, ...])


def next_slice(
    rows: Iterator[R], most: int, stored: Callable[[R], tuple[Any, ...]] = tuple
) -> list[R]:
    """Return the next rows for one slice: at most *most*, fewer if they are large."""
    found: list[R] = []
    size = 0
    for row in rows:
        found.append(row)
        size += bytes_in(stored(row))
        if len(found) == most or size >= SLICE_BYTES:
            break
    return found


def is_full(events: Slice) -> bool:
    """Return whether a slice of events ended because it was full."""
    rows = events.rows
    return len(rows) == EVENTS_AT_ONCE or sum(map(bytes_in, rows)) >= SLICE_BYTES


def bytes_in(row: tuple[Any, ...]) -> int:
    """Return how many bytes the texts and blobs of *row* have, about."""
    return sum(len(value) for value in row if isinstance(value, bytes | str))


class LogSummary(Struct, frozen=True):
    """The identity, size and mode of the log in a database."""

    identity: LogIdentity
    parts: int
    mode: LogMode


class Snapshot(Protocol):
    """A consistent view of a database, which does not change while others write."""

    def heads(self) -> dict[int, int]:
        """Return the newest position of each partition."""
        ...

    def events(self, part: int, after: int) -> Slice:
        """Return the next slice of events of a partition above *after*, in order."""
        ...

    def slices(self, table: str) -> Iterator[Slice]:
        """Yield all rows of a table in slices; nothing for an empty one."""
        ...

    def owners(self, streams: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the organization of each stream; unknown streams are left out."""
        ...

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        ...


class EventDatabase(Protocol):
    """One event database with its operational tables."""

    def summary(self) -> LogSummary | None:
        """Return the identity, size and mode of the log, None if there is no log."""
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Return a consistent view that lasts as long as the context."""
        ...

    def create(self, identity: LogIdentity, parts: int) -> None:
        """Create an empty log with this identity in the mode ``RESTORING``, if there is no log."""
        ...

    def load(self, slices: Sequence[Slice], heads: Mapping[int, int], progress: str) -> None:
        """Write rows, the newest positions and the progress made, in one transaction.

        Rows of the operational tables replace rows with the same key.
        """
        ...

    def progress(self) -> str | None:
        """Return the progress that the last ``load`` wrote, None before the first one."""
        ...

    def clear(self, tables: Sequence[str]) -> None:
        """Remove all rows of *tables*, which must not include the events."""
        ...

    def set_mode(self, mode: LogMode) -> None:
        """Make every process obey *mode*; the first call also marks a restore as finished."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
