"""How much does group commit improve throughput on PostgreSQL with fsync on?

By hand, each batch is one INSERT of many rows between BEGIN and COMMIT: three round trips. Ours are
two, one for the lock and what is checked under it, one for all that is written with the COMMIT.
"""

from collections.abc import Sequence

import psycopg
from psycopg.conninfo import conninfo_to_dict

from benchmarks.harness.appending import IN_FLIGHT, Batches, measure_appending, timed
from benchmarks.harness.figures import Figure
from benchmarks.harness.library import Tickets
from benchmarks.harness.pace import Pace
from benchmarks.harness.workplace import workplace
from devstack.postgres import postgres
from eventstore.append import Append, Outcome
from eventstore.engine.beside import INSERT_EVENTS
from eventstore.engine.schema import EVENTS, POSTGRES_TYPES
from eventstore.postgres import PostgresStore
from eventstore.recorded import Row

TARGET_BY_HAND = 0.8
_TABLE = ";".join(EVENTS).format(**POSTGRES_TYPES).replace("events", "by_hand")
_INSERT = INSERT_EVENTS.into.replace("events", "by_hand").encode() + b" VALUES "
_ONE = "(0, %s, %s, %s, %s, %s, %s, %s, %s, %s)"


class NotingStore(PostgresStore):
    """Keeps the rows of every batch that it commits."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.batches: Batches = []

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        outcomes = super().commit(appends)
        self.batches.append([row for append in appends for row in append.rows])
        return outcomes


def measure() -> list[Figure]:
    """Return the figures of PostgreSQL."""
    with workplace() as directory, postgres(directory / "postgres") as server:
        for database in ("events", "library"):
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {database}")
        events_url = server.url.rpartition("/")[0] + "/events"
        store = NotingStore(events_url)
        store.create()
        tickets = Tickets(env=_library_environment(server.url))
        with psycopg.connect(events_url, autocommit=True) as connection:
            connection.execute(_TABLE.encode())
            by_hand = _ByHand(connection)
            figures = measure_appending(
                store, store.batches, tickets, {"by hand": by_hand.insert}, TARGET_BY_HAND
            )
        tickets.close()
        return figures


def _library_environment(url: str) -> dict[str, str]:
    parts = conninfo_to_dict(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": "library",
        "POSTGRES_HOST": str(parts["host"]),
        "POSTGRES_PORT": str(parts["port"]),
        "POSTGRES_USER": str(parts["user"]),
        "POSTGRES_PASSWORD": "unused",
        "POSTGRES_POOL_SIZE": str(IN_FLIGHT // 4),
        "POSTGRES_MAX_WAITING": "1000",
    }


class _ByHand:
    """Writes each batch with one INSERT of many rows: the fastest way without arrays."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def insert(self, batches: Batches) -> Pace:
        values = {id(batch): [v for row in batch for v in _values(row)] for batch in batches}

        def one(batch: Sequence[Row]) -> None:
            rows = ",".join([_ONE] * len(batch))
            with self._connection.transaction(), self._connection.cursor() as cursor:
                cursor.execute(_INSERT + rows.encode(), values[id(batch)])

        return timed(one, batches)


def _values(row: Row) -> tuple[object, ...]:
    return (
        row.position,
        row.stream_id,
        row.version,
        row.tag,
        row.state,
        row.private,
        row.org_id,
        row.org_seq,
        row.recorded_at,
    )
