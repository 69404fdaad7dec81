"""Operational state in tables next to the log's, in the same PostgreSQL database."""

import asyncio
import contextlib
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar, cast

import psycopg
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed, Identifier
from psycopg_pool import PoolTimeout

from eventstore.append import LogUnfit
from eventstore.counters import OPERATIONS_DRIVER, counters_of
from eventstore.engine.postgres.pooling import KEEPALIVE, CountedPool, shut_down
from eventstore.operations.deliveries import DeliveryTables
from eventstore.operations.endpoints import EndpointTables
from eventstore.operations.imports.tables import ImportTables
from eventstore.operations.jobs import JobTables
from eventstore.operations.key_uses import KeyUseTables
from eventstore.operations.mails import MailTables
from eventstore.operations.sql import ALL_TABLES, Transaction
from eventstore.operations.store import CALL_DEADLINE_S, LOCK_WAIT_S, OperationsUnavailable

T = TypeVar("T")

_CONNECTIONS = 4
_CREATING = 7_275
"""The advisory lock for creating the tables; the log uses the number before it."""

NO_TABLES = "this database has no operational tables yet: run `trackrecord migrate` once"
_EXISTS = "SELECT 1 WHERE to_regclass(?) IS NOT NULL"


class PostgresOperations(
    EndpointTables, DeliveryTables, JobTables, MailTables, KeyUseTables, ImportTables
):
    """The port on PostgreSQL, shared by any number of machines."""

    NOW = "(extract(epoch from clock_timestamp()) * 1000000)::bigint"
    COLUMNS = (
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = ?"
    )
    SKIP_LOCKED = " FOR UPDATE SKIP LOCKED"

    def __init__(
        self, url: str, *, deadline_s: float = CALL_DEADLINE_S, lock_wait_s: float = LOCK_WAIT_S
    ) -> None:
        self._deadline_s = deadline_s
        self._pool = CountedPool(
            url,
            counters_of(OPERATIONS_DRIVER),
            min_size=0,
            max_size=_CONNECTIONS,
            timeout=lock_wait_s,
            reconnect_timeout=lock_wait_s,
            kwargs={**KEEPALIVE, "options": _limits(deadline_s, lock_wait_s)},
            open=False,
            name="operations",
        )
        self._threads = ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="operations")

    async def create(self) -> None:
        self._pool.open()
        await self._write(self._create_alone)

    def _create_alone(self, on: Transaction) -> None:
        on.execute(f"SELECT pg_advisory_xact_lock({_CREATING})")
        self._create(on)

    async def open(self) -> None:
        self._pool.open()
        if not await self._read(_is_created):
            raise LogUnfit(NO_TABLES)

    async def grant(self, role: str) -> None:
        """Let *role* read and write the operational tables."""
        tables = SQL(", ").join(Identifier(table.name) for table in ALL_TABLES)
        rights = SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {}").format(
            tables, Identifier(role)
        )
        await asyncio.to_thread(self._grant, rights)

    def _grant(self, rights: Composed) -> None:
        with self._pool.connection() as connection:
            connection.execute(rights)

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.close, self._deadline_s)
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    async def _write(self, work: Callable[[Transaction], T]) -> T:
        line = _Line()
        try:
            async with asyncio.timeout(self._deadline_s):
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, lambda: self._run(work, line))
        except TimeoutError as error:
            line.cut()
            raise OperationsUnavailable(
                f"the operational tables did not answer in {self._deadline_s:g} s"
            ) from error

    async def _read(self, work: Callable[[Transaction], T]) -> T:
        return await self._write(work)

    def _run(self, work: Callable[[Transaction], T], line: "_Line") -> T:
        for _ in range(_CONNECTIONS + 1):
            transaction = _Transaction()
            try:
                with (
                    counters_of(OPERATIONS_DRIVER).timed("transaction"),
                    self._pool.connection() as connection,
                    line.lent(connection),
                ):
                    result = work(transaction.on(connection))
                    connection.commit()  # here, where the call can still be cut short
                    return result
            except PoolTimeout as error:
                raise OperationsUnavailable(f"operational tables: {error}") from error
            except psycopg.Error as error:
                if transaction.has_begun or not transaction.is_broken:
                    raise OperationsUnavailable(f"operational tables: {error}") from error
                # A pooled connection that broke while idle, for example because the server was
                # restarted.
                counters_of(OPERATIONS_DRIVER).retried()
        raise OperationsUnavailable("operational tables: every connection was broken")


def _is_created(on: Transaction) -> bool:
    return all(on.execute(_EXISTS, (table.name,)) for table in ALL_TABLES)


class _Line:
    """The connection of one call, so that another thread can end the call."""

    def __init__(self) -> None:
        self._socket: int | None = None
        self._is_cut = False

    @contextlib.contextmanager
    def lent(self, connection: psycopg.Connection[TupleRow]) -> Generator[None]:
        """Register the connection for the duration of the block."""
        self._socket = connection.fileno()
        try:
            if self._is_cut:  # the call gave up before it had its connection
                self.cut()
            yield
        finally:
            self._socket = None

    def cut(self) -> None:
        """Interrupt the thread that uses the connection, in case the server is frozen."""
        self._is_cut = True
        if self._socket is not None:
            shut_down(self._socket)


class _Transaction:
    """Runs the port's statements; the transaction starts with the first of them."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection[TupleRow] | None = None
        self.has_begun = False

    def on(self, connection: psycopg.Connection[TupleRow]) -> Self:
        """Use *connection* from now on."""
        self._connection = connection
        return self

    @property
    def is_broken(self) -> bool:
        """Whether there is no connection, or it was lost."""
        return self._connection is None or self._connection.closed

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        cursor = self._open.execute(_sql(statement), values)
        self.has_begun = True
        return cursor.fetchall() if cursor.description is not None else []

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        with self._open.cursor() as cursor:
            cursor.executemany(_sql(statement), rows)

    @property
    def _open(self) -> psycopg.Connection[TupleRow]:
        if self._connection is None:
            raise AssertionError("a transaction runs on a connection")
        return self._connection


def _limits(deadline_s: float, lock_wait_s: float) -> str:
    """Return the server-side timeouts, which disconnect a process frozen in a transaction."""
    limits = {
        "statement_timeout": deadline_s,
        "lock_timeout": lock_wait_s,
        "idle_in_transaction_session_timeout": deadline_s,
    }
    return " ".join(f"-c {name}={round(1_000 * limit)}" for name, limit in limits.items())


def _sql(statement: str) -> SQL:
    # Built only from this package's constants, in which "?" occurs only as a placeholder.
    return SQL(cast(Any, statement.replace("?", "%s")))
