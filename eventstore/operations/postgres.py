"""Operational state in tables beside the log's, in the same PostgreSQL database."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import psycopg
from psycopg.rows import TupleRow
from psycopg.sql import SQL
from psycopg_pool import ConnectionPool, PoolTimeout

from eventstore.operations.deliveries import DeliveryTables
from eventstore.operations.endpoints import EndpointTables
from eventstore.operations.jobs import JobTables
from eventstore.operations.sql import Transaction
from eventstore.operations.store import CALL_DEADLINE_S, LOCK_WAIT_S, OperationsUnavailable

T = TypeVar("T")

_CONNECTIONS = 4
_CREATING = 7_275
"""The advisory lock of whoever creates the tables; the log's is the number before it."""

_KEEPALIVE = {
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5_000,
}


class PostgresOperations(EndpointTables, DeliveryTables, JobTables):
    """The port on PostgreSQL, shared by any number of machines."""

    NOW = "(extract(epoch from clock_timestamp()) * 1000000)::bigint"
    SKIP_LOCKED = " FOR UPDATE SKIP LOCKED"

    def __init__(
        self, url: str, *, deadline_s: float = CALL_DEADLINE_S, lock_wait_s: float = LOCK_WAIT_S
    ) -> None:
        self._deadline_s = deadline_s
        self._pool: ConnectionPool[psycopg.Connection[TupleRow]] = ConnectionPool(
            url,
            min_size=0,
            max_size=_CONNECTIONS,
            timeout=lock_wait_s,
            reconnect_timeout=lock_wait_s,
            kwargs={**_KEEPALIVE, "options": _limits(deadline_s, lock_wait_s)},
            check=ConnectionPool.check_connection,
            open=False,
            name="operations",
        )
        self._threads = ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="operations")

    async def open(self) -> None:
        self._pool.open()
        await self._write(self._create_alone)

    def _create_alone(self, on: Transaction) -> None:
        on.execute(f"SELECT pg_advisory_xact_lock({_CREATING})")
        self._create(on)

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.close, self._deadline_s)
        await asyncio.to_thread(self._threads.shutdown)

    async def _write(self, work: Callable[[Transaction], T]) -> T:
        try:
            async with asyncio.timeout(self._deadline_s):
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, lambda: self._run(work))
        except TimeoutError as error:
            raise OperationsUnavailable(
                f"the operational tables did not answer in {self._deadline_s:g} s"
            ) from error

    async def _read(self, work: Callable[[Transaction], T]) -> T:
        return await self._write(work)

    def _run(self, work: Callable[[Transaction], T]) -> T:
        try:
            with self._pool.connection() as connection:
                return work(_Transaction(connection))
        except (psycopg.Error, PoolTimeout) as error:
            raise OperationsUnavailable(f"operational tables: {error}") from error


class _Transaction:
    """What the port's statements run on; it begins with the first of them."""

    def __init__(self, connection: psycopg.Connection[TupleRow]) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(_sql(statement), values)
        return cursor.fetchall() if cursor.description is not None else []

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(_sql(statement), rows)


def _limits(deadline_s: float, lock_wait_s: float) -> str:
    """Return the server's own deadlines: a process that freezes in a transaction is cut off."""
    limits = {
        "statement_timeout": deadline_s,
        "lock_timeout": lock_wait_s,
        "idle_in_transaction_session_timeout": deadline_s,
    }
    return " ".join(f"-c {name}={round(1_000 * limit)}" for name, limit in limits.items())


def _sql(statement: str) -> SQL:
    # Built from this package's constants only; "?" never occurs in them but as a placeholder.
    return SQL(cast(Any, statement.replace("?", "%s")))
