"""Operational state in a separate SQLite file, so that workers do not compete with the log.

One thread of the process writes, another reads. Between two transactions the writer releases the
lock for as long as it held it, because SQLite's own waiting is unfair: otherwise a busy worker
would make other processes wait for up to a second.
"""

import asyncio
import contextlib
import logging
import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from eventstore.counters import OPERATIONS_DRIVER, counters_of
from eventstore.operations.deliveries import DeliveryTables
from eventstore.operations.endpoints import EndpointTables
from eventstore.operations.jobs import JobTables
from eventstore.operations.mails import MailTables
from eventstore.operations.sql import ALL_TABLES, Transaction
from eventstore.operations.store import (
    CALL_DEADLINE_S,
    LOCK_WAIT_S,
    LeaseLost,
    OperationsUnavailable,
)

T = TypeVar("T")

_POLL_S = 0.001
"""How often a process that waits for the lock checks it."""

_HOLD_S = 0.005
"""Waiting writes share a transaction until it has lasted this long: a thousand endpoints need
few syncs, and no other process waits long."""

_YIELD_S_MIN, _YIELD_S_MAX = 0.002, 0.05
"""How long a writer leaves the lock alone after a transaction: three times as long as it held
it, within these. So two busy workers leave the lock free half of the time."""

_UNREADABLE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_Outcome = Callable[[], None]
_logger = logging.getLogger(__name__)


class SqliteOperations(EndpointTables, DeliveryTables, JobTables, MailTables):
    """The port on one file, shared by the processes of one machine."""

    NOW = "now_us()"
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

    async def create(self) -> None:
        """Create the file and its tables, as their first user would."""
        await self._write(lambda _: None)

    open = create

    async def close(self) -> None:
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

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, values).fetchall()

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._connection.executemany(statement, rows)


class _Connection:
    """One connection, used by one thread; it reopens the file when that is replaced or deleted."""

    def __init__(self, path: Path, lock_wait_s: float) -> None:
        self._path, self._lock_wait_s = path, lock_wait_s
        self._open: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._free_at = 0.0

    def write(self, waiting: deque[_Write]) -> None:
        """Write as many of the waiting writes as fit in one short transaction, and sync it."""
        if not waiting:
            return  # an earlier transaction included it
        try:
            self._guarded(lambda connection: self._in_transaction(connection, waiting))
        except OperationsUnavailable as error:
            while waiting:
                _fail([waiting.popleft()], error)

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run *work*; each of its statements sees a consistent state."""
        return self._guarded(lambda connection: work(_Transaction(connection)))

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None
            counters_of(OPERATIONS_DRIVER).connection_closed()

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with counters_of(OPERATIONS_DRIVER).timed("transaction"):
                return self._readably(work)
        except (sqlite3.DatabaseError, OSError) as error:
            raise OperationsUnavailable(f"{self._path}: {error}") from error

    def _readably(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return work(self._connection())
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _UNREADABLE:
                raise
            self._set_aside(error)
            return work(self._connection())

    def _in_transaction(self, connection: sqlite3.Connection, waiting: deque[_Write]) -> None:
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
        except BaseException as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            _fail(taken, OperationsUnavailable(f"{self._path}: {error}"))
            raise
        ended = time.monotonic()
        self._free_at = ended + min(max(3 * (ended - began), _YIELD_S_MIN), _YIELD_S_MAX)
        for outcome in outcomes:
            outcome()

    def _lock(self, connection: sqlite3.Connection) -> None:
        deadline = time.monotonic() + self._lock_wait_s
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                if time.monotonic() > deadline:
                    raise OperationsUnavailable(
                        f"{self._path} is locked by another process; waited {self._lock_wait_s:g} s"
                    ) from error
                time.sleep(_POLL_S)
            else:
                return

    def _connection(self) -> sqlite3.Connection:
        if self._open is not None and self._file != _identity(self._path):
            _logger.warning("%s was replaced; its deliveries are sent again", self._path)
            self.close()
        if self._open is None:
            self._open = self._connect()
        return self._open

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite gives the -wal and -shm files the permissions of the main file.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        self._file = _identity(self._path)
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=self._lock_wait_s
        )
        try:
            connection.create_function("now_us", 0, lambda: time.time_ns() // 1_000)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            for table in ALL_TABLES:
                for statement in table.create_statements():
                    connection.execute(statement)
            connection.execute("PRAGMA busy_timeout = 0")  # _lock waits more fairly
        except BaseException:
            connection.close()
            raise
        counters_of(OPERATIONS_DRIVER).connection_created()
        return connection

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        """Continue with an empty file: lost deliveries are sent again with the same ids."""
        broken, self._file = self._file, None
        self.close()
        if broken is not None and broken != _identity(self._path):
            return  # another process has done it
        name = f"{self._path}.unreadable-{time.time_ns() // 1_000_000_000}"
        _logger.error("%s is unreadable (%s); kept as %s", self._path, error, name)
        for companion in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{self._path}{companion}", f"{name}{companion}")


def _outcome(connection: sqlite3.Connection, asked: _Write) -> _Outcome:
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


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
