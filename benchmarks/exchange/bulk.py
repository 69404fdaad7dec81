"""How long does a change of 1,000 tasks hold up others?

The event loop of a process serves others between the pieces of a command, and the lock of a
partition is held by one commit. Both are measured as CPU times of their threads, so neither the
sync to the disk nor whoever else uses the machine is in them.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import date

import uvloop

from api.serving import spare_the_collector
from benchmarks.harness.calm import wait_for_calm
from benchmarks.harness.figures import Figure
from benchmarks.harness.seeding import Office, open_log
from benchmarks.harness.workplace import workplace
from commands.exchange.bulk import BULK_MAX, ChangeTasks, TaskSetting
from commands.identity.organization import ChangePlan
from domain.base import TaskId
from domain.identity.plan import Plan
from domain.work.task.events import Priority, TaskStatus
from eventstore.append import Append, Outcome
from eventstore.sqlite import SqliteStore

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


class _TimedStore(SqliteStore):
    """A store that notes the CPU time of its commits, during which the lock is held."""

    longest_s = 0.0

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        began = time.thread_time()
        try:
            return super().commit(appends)
        finally:
            self.longest_s = max(self.longest_s, time.thread_time() - began)


def measure() -> list[Figure]:
    """Return the longest hold of the loop and of the lock, and how long the command takes."""
    with workplace() as directory:
        return uvloop.run(_measure(_TimedStore(str(directory / "events.db"))))


async def _measure(store: _TimedStore) -> list[Figure]:
    log = await open_log(store)
    office = Office(log)
    await office.furnish()
    await office.do(ChangePlan(organization_id=office.org_id, plan=Plan.PREMIUM))
    tasks = tuple(await office.add_tasks(BULK_MAX))
    spare_the_collector()  # as the API does
    figures: list[Figure] = []
    for what, turns in (("status", _TURNS), ("status, priority and due date", _FULL)):
        figures += await _figures(office, store, tasks, what, turns)
    await log.close()
    return figures


async def _figures(
    office: Office,
    store: _TimedStore,
    tasks: tuple[TaskId, ...],
    what: str,
    turns: Sequence[TaskSetting],
) -> list[Figure]:
    loop: list[float] = []
    lock: list[float] = []
    took: list[float] = []
    for turn in range(ROUNDS + 1):
        await asyncio.to_thread(wait_for_calm)
        command = ChangeTasks(task_ids=tasks, setting=turns[turn % 2])
        store.longest_s = 0.0
        began = time.perf_counter()
        held = await _longest_hold_ms(asyncio.ensure_future(office.do(command)))
        if turn:
            loop.append(held)
            lock.append(store.longest_s * 1000)
            took.append((time.perf_counter() - began) * 1000)
    name = f"{BULK_MAX:,} tasks, {what}"
    return [
        Figure(
            what=f"{name}: longest hold of the event loop",
            unit="ms CPU",
            rounds=loop,
            target=TARGET_MS,
            at_least=False,
        ),
        Figure(
            what=f"{name}: longest hold of the append lock",
            unit="ms CPU",
            rounds=lock,
            target=TARGET_MS,
            at_least=False,
        ),
        Figure(what=f"{name}: the whole command", unit="ms", rounds=took),
    ]


async def _longest_hold_ms(running: "asyncio.Future[object]") -> float:
    """Return the longest time for which nobody else had a turn while *running* was."""
    longest = 0.0
    while not running.done():
        began = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - began)
    await running
    return longest * 1000
