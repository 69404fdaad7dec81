"""Operational state in a separate SQLite file, so that workers do not compete with the log.

One thread of the process writes, another reads. A transaction is short, is synced to the disk after
it released the lock, and is followed by a pause, because SQLite's own waiting is unfair: otherwise
a busy worker would make other processes wait for up to a second.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from eventstore.counters import OPERATIONS_DRIVER, counters_of
from eventstore.engine.sqlite.driver import FAILURES, Database, SQLiteError, is_damage, is_locked
from eventstore.engine.sqlite.file import once_unlocked
from eventstore.operations.deliveries import DeliveryTables
from eventstore.operations.endpoints import EndpointTables
from eventstore.operations.imports.tables import ImportTables
from eventstore.operations.jobs import JobTables
from eventstore.operations.key_uses import KeyUseTables
from eventstore.operations.mails import MailTables
from eventstore.operations.sql import Transaction
from eventstore.operations.sqlite_file import COLUMNS_OF, SqliteFile
from eventstore.operations.store import (
    CALL_DEADLINE_S,
    LOCK_WAIT_S,
    LeaseLost,
    OperationsUnavailable,
)

T = TypeVar("T")

_HOLD_S = 0.002
"""Waiting writes share a transaction until it has lasted this long: a thousand endpoints need
few syncs, and no other process waits long. The last write that joins it can add ``WRITE_MAX``
rows."""

_YIELD_S_MIN, _YIELD_S_MAX = 0.002, 0.05
"""How long a writer leaves the lock alone after a transaction: three times as long as it held
it, within these. So two busy workers leave the lock free half of the time."""

_Outcome = Callable[[], None]


class SqliteOperations(
    EndpointTables, DeliveryTables, JobTables, MailTables, KeyUseTables, ImportTables
):
    """The port on one file, shared by the processes of one machine."""

    NOW = "now_us()"
    COLUMNS = COLUMNS_OF
    SKIP_LOCKED = ""

    def __init__(
        self, path: str, *, deadline_s: float = CALL_DEADLINE_S, lock_wait_s: float = LOCK_WAIT_S
    ) -> None:
        self._deadline_s = deadline_s
        self._waiting: deque[_Write] = deque()
        self._writer = _Connection(Path(path), lock_wait_s)
        self._reader = _Connection(Path(path), lock_wait_s)
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="operations-writer")
        self._read_thread = ThreadPoolExecutor(1, thread_name_prefix="operations-reader")
        self._closed = False
        counters_of(OPERATIONS_DRIVER).pool_created()

    async def create(self) -> None:
        """Create the file and its tables, as their first user would."""
        await self._write(lambda _: None)

    open = create

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        counters_of(OPERATIONS_DRIVER).pool_closed()
        for thread, connection in (
            (self._write_thread, self._writer),
            (self._read_thread, self._reader),
        ):
            thread.submit(connection.close)
            await asyncio.to_thread(thread.shutdown)

    async def _write(self, work: Callable[[Transaction], T]) -> T:
        written: Future[T] = Future()
        self._waiting.append(_Write(work, written))
        self._write_thread.submit(self._writer.write, self._waiting)
        return await self._in_time(written)

    async def _read(self, work: Callable[[Transaction], T]) -> T:
        return await self._in_time(self._read_thread.submit(self._reader.read, work))

    async def _in_time(self, running: "Future[T]") -> T:
        try:
            async with asyncio.timeout(self._deadline_s):
                return await asyncio.wrap_future(running)
        except TimeoutError as error:
            raise OperationsUnavailable(
                f"the operational file did not answer in {self._deadline_s:g} s"
            ) from error


class _Write(NamedTuple):
    """A waiting write and the future for its result."""

    work: Callable[[Transaction], Any]
    written: "Future[Any]"


class _Transaction:
    """Runs the port's statements on a connection."""

    def __init__(self, connection: Database) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, values).fetchall()

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._connection.executemany(statement, rows)


class _Connection:
    """Runs the works of one thread, and waits for the lock fairly."""

    def __init__(self, path: Path, lock_wait_s: float) -> None:
        self._path, self._lock_wait_s = path, lock_wait_s
        self._file = SqliteFile(path, lock_wait_s)
        self._free_at = 0.0

    def write(self, waiting: deque[_Write]) -> None:
        """Write as many of the waiting writes as fit in one short transaction, and sync it."""
        if not waiting:
            return  # an earlier transaction included it
        try:
            self._guarded(lambda connection: self._in_transaction(connection, waiting))
        except OperationsUnavailable as error:
            # Only those that waited by now: who hears of it and tries again deserves a new try.
            _fail([waiting.popleft() for _ in range(len(waiting))], error)

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run *work*; each of its statements sees a consistent state."""
        return self._guarded(lambda connection: work(_Transaction(connection)))

    def close(self) -> None:
        self._file.close()

    def _guarded(self, work: Callable[[Database], T]) -> T:
        try:
            with counters_of(OPERATIONS_DRIVER).timed("transaction"):
                return self._readably(work)
        except (*FAILURES, OSError) as error:
            raise OperationsUnavailable(f"{self._path}: {error}") from error

    def _readably(self, work: Callable[[Database], T]) -> T:
        try:
            return work(self._file.connection())
        except SQLiteError as error:
            if not is_damage(error):
                raise
            self._file.set_aside(error)
            counters_of(OPERATIONS_DRIVER).retried()
            return work(self._file.connection())

    def _in_transaction(self, connection: Database, waiting: deque[_Write]) -> None:
        time.sleep(max(self._free_at - time.monotonic(), 0.0))
        self._lock(connection)
        began = time.monotonic()
        taken: list[_Write] = []
        outcomes: list[_Outcome] = []
        try:
            while waiting and (not outcomes or time.monotonic() - began < _HOLD_S):
                taken.append(waiting.popleft())
                outcomes.append(_outcome(connection, taken[-1]))
            connection.execute("COMMIT")
            self._free_at = _free_at(began, time.monotonic())
            self._file.sync()
        except BaseException as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            _fail(taken, OperationsUnavailable(f"{self._path}: {error}"))
            raise
        for outcome in outcomes:
            outcome()
        self._file.checkpoint()

    def _lock(self, connection: Database) -> None:
        try:
            once_unlocked(lambda: connection.execute("BEGIN IMMEDIATE"), self._lock_wait_s)
        except SQLiteError as error:
            if not is_locked(error):
                raise
            raise OperationsUnavailable(
                f"{self._path} is locked by another process; waited {self._lock_wait_s:g} s"
            ) from error


def _free_at(began: float, ended: float) -> float:
    """Return when a writer that held the lock from *began* to *ended* may take it again."""
    return ended + min(max(3 * (ended - began), _YIELD_S_MIN), _YIELD_S_MAX)


def _outcome(connection: Database, asked: _Write) -> _Outcome:
    """Run what was *asked* in the transaction; return a call that reports the result once durable.

    A write that raises is rolled back alone; the others in the transaction continue.
    """
    if asked.written.cancelled():
        return lambda: None
    connection.execute("SAVEPOINT one")
    try:
        result, refusal = asked.work(_Transaction(connection)), None
    except LeaseLost as lost:
        result, refusal = None, lost
        connection.execute("ROLLBACK TO one")
    connection.execute("RELEASE one")
    return partial(_tell, asked.written, result, refusal)


def _tell(written: "Future[Any]", result: Any, refusal: Exception | None) -> None:
    if not written.set_running_or_notify_cancel():
        return  # the caller has given up
    if refusal is None:
        written.set_result(result)
    else:
        written.set_exception(refusal)


def _fail(writes: Iterable[_Write], error: Exception) -> None:
    for each in writes:
        _tell(each.written, None, error)
