"""How long does a change of 1,000 tasks hold up others?

The event loop of a process serves others between the pieces of a command, and the lock of a
partition is held by one commit: on SQLite from its begin, on PostgreSQL from when it is asked for
until the COMMIT is answered. They are measured as CPU times of their threads, and of the servers of
the connections, so neither the sync to the disk nor whoever else uses the machine is in them. The
system is at work, as it is when somebody waits for another: what it has not touched for a while,
a machine that it shares takes milliseconds to find again.

"After another process" is after one that has recorded something, too, so that what is in memory is
not known to be the newest.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Protocol

import psycopg
import uvloop

from benchmarks.harness.calm import wait_for_calm
from benchmarks.harness.figures import Figure
from benchmarks.harness.seeding import Office, open_log
from benchmarks.harness.workplace import workplace
from commands.exchange.bulk import BULK_MAX, ChangeTasks, TaskSetting
from commands.identity.organization import ChangePlan
from devstack.postgres import postgres
from domain.base import TaskId
from domain.identity.plan import Plan
from domain.work.task.events import Priority, TaskStatus
from eventstore.append import Append, Outcome
from eventstore.engine.lookups import Ask, BatchTry, Question
from eventstore.engine.probes import Rows
from eventstore.engine.settle import Settled
from eventstore.postgres import PostgresStore
from eventstore.sqlite import SqliteStore
from eventstore.store import Store
from runtime.process import spare_the_collector

ROUNDS = 7
TARGET_MS = 20.0
_TURNS = (
    TaskSetting(status=TaskStatus.IN_PROGRESS),
    TaskSetting(status=TaskStatus.TODO),
)
_FULL = (
    TaskSetting(status=TaskStatus.IN_PROGRESS, priority=Priority.HIGH, due_date=date(2027, 1, 31)),
    TaskSetting(status=TaskStatus.TODO, priority=Priority.LOW, due_date=date(2027, 2, 28)),
)
_SERVERS = b"SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"


class _Timed(Store, Protocol):
    """A store that notes the longest time for which one of its commits held the lock.

    ``shared`` is whether to commit as after another process.
    """

    longest_s: float
    shared: bool

    def begin(self) -> None:
        """Forget the longest time."""
        ...


class _TimedSqlite(SqliteStore):
    longest_s = 0.0
    shared = False

    def begin(self) -> None:
        self.longest_s = 0.0

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        began = time.thread_time()
        try:
            return super().commit(appends)
        finally:
            self.longest_s = max(self.longest_s, time.thread_time() - began)


class _TimedPostgres(PostgresStore):
    longest_s = 0.0
    shared = False
    _began_s = 0.0
    _servers: Sequence[int] = ()

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._url = url

    def begin(self) -> None:
        self.longest_s = 0.0
        with psycopg.connect(self._url, autocommit=True) as connection:
            ours = connection.info.backend_pid
            self._servers = [pid for (pid,) in connection.execute(_SERVERS) if pid != ours]

    def _settle(self, appends: Sequence[Append], ask: Ask, attempt: BatchTry) -> Settled:
        if self.shared:
            self._remembered.forget()

        def ask_timed(questions: Sequence[Question]) -> list[Rows]:
            self._began_s = self._spent_s()
            return ask(questions)

        return super()._settle(appends, ask_timed, attempt)

    def _remember_heads(self, settled: Settled) -> None:
        self.longest_s = max(self.longest_s, self._spent_s() - self._began_s)
        super()._remember_heads(settled)

    def _spent_s(self) -> float:
        """Return the CPU time of this thread and of the servers of all connections."""
        spent = (Path(f"/proc/{pid}/schedstat").read_text().split()[0] for pid in self._servers)
        return time.thread_time() + sum(map(int, spent)) / 1e9


def measure() -> list[Figure]:
    """Return the longest hold of the loop and of the lock, and how long the command takes."""
    with workplace() as directory:
        figures = uvloop.run(_measure("", _TimedSqlite(str(directory / "events.db"))))
        with postgres(directory / "postgres") as server:
            figures += uvloop.run(_measure("PostgreSQL: ", _TimedPostgres(server.url)))
    return figures


async def _measure(where: str, store: _Timed) -> list[Figure]:
    await asyncio.to_thread(store.create)
    log = await open_log(store)
    office = Office(log)
    await office.furnish()
    await office.do(ChangePlan(organization_id=office.org_id, plan=Plan.PREMIUM))
    tasks = tuple(await office.add_tasks(BULK_MAX))
    spare_the_collector()  # as the API does
    figures: list[Figure] = []
    name = f"{where}{BULK_MAX:,} tasks"
    figures += await _figures(office, store, tasks, f"{name}, status", _TURNS)
    full = f"{name}, status, priority and due date"
    figures += await _figures(office, store, tasks, full, _FULL)
    if not store.inline:
        store.shared = True
        figures += await _figures(office, store, tasks, f"{full}, after another process", _FULL)
    await log.close()
    return figures


async def _figures(
    office: Office,
    store: _Timed,
    tasks: tuple[TaskId, ...],
    name: str,
    turns: tuple[TaskSetting, TaskSetting],
) -> list[Figure]:
    there, back = (ChangeTasks(task_ids=tasks, setting=turn) for turn in turns)
    loop: list[float] = []
    lock: list[float] = []
    took: list[float] = []
    for turn in range(ROUNDS + 1):
        await asyncio.to_thread(wait_for_calm)
        await office.do(there)
        store.begin()
        began = time.perf_counter()
        held = await _longest_hold_ms(asyncio.ensure_future(office.do(back)))
        if turn:
            loop.append(held)
            lock.append(store.longest_s * 1000)
            took.append((time.perf_counter() - began) * 1000)
    return [
        _within_target(f"{name}: longest hold of the event loop", loop),
        _within_target(f"{name}: longest hold of the append lock", lock),
        Figure(what=f"{name}: the whole command", unit="ms", rounds=took),
    ]


def _within_target(what: str, rounds: list[float]) -> Figure:
    return Figure(what=what, unit="ms CPU", rounds=rounds, target=TARGET_MS, at_least=False)


async def _longest_hold_ms(running: "asyncio.Future[object]") -> float:
    """Return the longest time for which nobody else had a turn while *running* was."""
    longest = 0.0
    while not running.done():
        began = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - began)
    await running
    return longest * 1000
