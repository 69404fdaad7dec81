"""How much does group commit improve throughput on SQLite if each commit is synced (FULL)?

The same rows by hand go into the same table with its three indexes, as durably, but neither
versions nor the position are checked. They go through Python's module for SQLite, as whoever writes
by hand would send them: the aim is about that. Until ADR 47 the log had it, too, with adapters that
bound the values of both faster. Through the driver of the log, rows by hand take two thirds of the
CPU, and have a figure without an aim. ADR 36 says what an append takes beside SQLite.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Protocol

from benchmarks.harness.appending import Batches, measure_appending, timed
from benchmarks.harness.figures import Figure
from benchmarks.harness.library import Tickets
from benchmarks.harness.pace import Pace
from benchmarks.harness.workplace import workplace
from eventstore.append import Append, Outcome
from eventstore.engine.beside import INSERT_EVENTS
from eventstore.engine.schema import EVENTS, SQLITE_TYPES
from eventstore.engine.sqlite.driver import CREATE, connect
from eventstore.recorded import Row
from eventstore.sqlite import SqliteStore

SYNCHRONOUS_FULL = 2
TARGET_BY_HAND = 0.6

_INSERT = INSERT_EVENTS.into + " VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class NotingStore(SqliteStore):
    """Keeps the rows of every batch that it commits."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.batches: Batches = []

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        outcomes = super().commit(appends)
        self.batches.append([row for append in appends for row in append.rows])
        return outcomes


def measure() -> list[Figure]:
    """Return the figures of SQLite."""
    with workplace() as directory:
        store = NotingStore(str(directory / "events.db"))
        tickets = Tickets(
            env={
                "PERSISTENCE_MODULE": "eventsourcing.sqlite",
                "SQLITE_DBNAME": str(directory / "library.db"),
                "SQLITE_LOCK_TIMEOUT": "60",
            }
        )
        path, other = directory / "by-hand.db", directory / "by-hand-with-our-driver.db"
        by_hand = _ByHand(sqlite3.connect(path, isolation_level=None))
        with_ours = _ByHand(connect(other, CREATE))
        ways = {"by hand": by_hand.insert, "by hand with our driver": with_ours.insert}
        return measure_appending(store, store.batches, tickets, ways, TARGET_BY_HAND)


class _Connection(Protocol):
    """Of either module."""

    def execute(self, statement: str, /) -> object: ...

    def executemany(self, statement: str, rows: Sequence[Any], /) -> object: ...


class _ByHand:
    """Writes the same rows just as durably, with as little code as possible."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute(f"PRAGMA synchronous={SYNCHRONOUS_FULL}")
        for table in EVENTS:
            self._connection.execute(table.format(**SQLITE_TYPES))

    def insert(self, batches: Batches) -> Pace:
        values = {id(batch): [_values(row) for row in batch] for batch in batches}

        def one(batch: Sequence[Row]) -> None:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_INSERT, values[id(batch)])
            self._connection.execute("COMMIT")

        return timed(one, batches)


def _values(row: Row) -> tuple[object, ...]:
    return (
        row.position,
        row.stream_id.bytes,
        row.version,
        row.tag,
        row.state,
        row.private,
        row.org_id.bytes,
        row.org_seq,
        row.recorded_at,
    )
