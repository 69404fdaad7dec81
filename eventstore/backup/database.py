"""The port of a database that is backed up or restored: tables as rows, whatever the engine.

A value is an int, a string, bytes or None; ids are 16 bytes. What tables and columns there are
is asked of the database, so a new table takes part without a word here.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

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
"""The tables of the log beside its events, as rows that are copied."""
OPERATIONAL_TABLES = tuple(table.name for table in ALL_TABLES)
EVENTS_AT_ONCE = 500
"""Events in a slice: about a megabyte."""
ROWS_AT_ONCE = 2_000
"""Rows of any other table in a slice."""


class LogFacts(Struct, frozen=True):
    """What a database says of its log as a whole."""

    identity: LogIdentity
    parts: int
    mode: LogMode


class Snapshot(Protocol):
    """One moment of a database: nothing that is written meanwhile is seen."""

    def heads(self) -> dict[int, int]:
        """Return the newest position of each partition."""
        ...

    def events(self, part: int, after: int) -> Slice:
        """Return at most ``EVENTS_AT_ONCE`` events of a partition above *after*, in order."""
        ...

    def slices(self, table: str) -> Iterator[Slice]:
        """Yield all rows of a table in slices; nothing for an empty one."""
        ...

    def owners(self, streams: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the organization of each stream; what is no stream is left out."""
        ...

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        ...


class EventDatabase(Protocol):
    """One event database with its operational tables."""

    def facts(self) -> LogFacts | None:
        """Return what the log says of itself, None when there is no log."""
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Give one moment of the database, for as long as the context lasts."""
        ...

    def create(self, identity: LogIdentity, parts: int) -> None:
        """Make an empty log of this identity in the mode ``RESTORING``, if there is no log."""
        ...

    def load(self, slices: Sequence[Slice], heads: Mapping[int, int], progress: str) -> None:
        """Write rows, the newest positions and how far that is, in one transaction.

        Rows of the operational tables replace those of the same key.
        """
        ...

    def progress(self) -> str | None:
        """Return what the last ``load`` said of how far it is, None before the first."""
        ...

    def clear(self, tables: Sequence[str]) -> None:
        """Remove all rows of *tables*; the events are none of them."""
        ...

    def set_mode(self, mode: LogMode) -> None:
        """Have every process obey *mode*; a restore has ended with the first one."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
