"""What does the board of a past moment cost, and how long does it make others wait?

Each task has been in two columns; half of them were moved on since the moment. The order of a board
is worked out once for each moment, before its first page. A page is five columns of 50 tasks.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import uvloop

from benchmarks.harness.figures import Figure
from benchmarks.harness.seeding import Office, open_log
from benchmarks.harness.workplace import workplace
from commands.identity.organization import ChangePlan
from commands.past.board import BoardOrder, board_order
from commands.past.moment import LogTimes
from commands.past.states import PastStates
from domain.base import TaskId
from domain.identity.plan import Plan
from domain.work.task.events import TaskStatus
from domain.work.task.state import Task
from domain.work.workflow.state import STANDARD
from eventstore.sqlite import SqliteStore
from runtime.process import spare_the_collector

SIZES = (10_000, 50_000)
ROUNDS = 5
SHOWN = 250
TOGETHER = 50
"""Commands that are sent at the same time."""
HELD_TARGET_MS = 10.0


def measure() -> list[Figure]:
    """Return CPU milliseconds, and the longest time for which the event loop was held."""
    figures: list[Figure] = []
    for size in SIZES:
        with workplace() as directory:
            store = SqliteStore(str(directory / "events.db"))
            figures += uvloop.run(_measured(store, size))
    return figures


async def _measured(store: SqliteStore, size: int) -> list[Figure]:
    office = Office(await open_log(store))
    await office.furnish()
    await office.do(ChangePlan(organization_id=office.org_id, plan=Plan.PREMIUM))
    tasks = await _in_columns(office, size)
    seq = await office.log.organization_head(office.org_id)
    await _move(office, tasks[::2], TaskStatus.IN_REVIEW)
    spare_the_collector()  # as the API does
    order = await _order(office, seq)
    assert order.count("IN_PROGRESS") == size
    work: dict[str, Callable[[], Awaitable[Any]]] = {
        "order": partial(_order, office, seq),
        "page": partial(_page, office, seq, order.tasks("IN_PROGRESS", 0, SHOWN)),
        "time": partial(_seq_at, office),
    }
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, do in work.items():
            rounds[name].append(await _cpu_and_held_ms(do))
    await office.log.close()
    told = {
        "order": f"order of a past board of {size:,} tasks",
        "page": f"states of {SHOWN} of {size:,} tasks at a past moment",
        "time": f"the sequence at a time, the first in an organization of {size:,} tasks",
    }
    return [
        figure
        for name, what in told.items()
        for figure in (
            Figure(what=what, unit="ms CPU", rounds=[cpu for cpu, _ in rounds[name]]),
            Figure(
                what=f"longest time that the {name} held the event loop, of {size:,} tasks",
                unit="ms",
                rounds=[held for _, held in rounds[name]],
                target=HELD_TARGET_MS,
                at_least=False,
            ),
        )
    ]


async def _in_columns(office: Office, size: int) -> list[TaskId]:
    """Return tasks that were created and then moved to the second column."""
    tasks: list[TaskId] = []
    while len(tasks) < size:
        tasks += await asyncio.gather(*(office.add_task(n) for n in range(TOGETHER)))
    await _move(office, tasks, TaskStatus.IN_PROGRESS)
    return tasks


async def _move(office: Office, tasks: list[TaskId], to: TaskStatus) -> None:
    for start in range(0, len(tasks), TOGETHER):
        some = tasks[start : start + TOGETHER]
        await asyncio.gather(*(office.move(task_id, [to]) for task_id in some))


async def _order(office: Office, seq: int) -> BoardOrder:
    return await board_order(office.log, office.org_id, office.project_id, STANDARD, seq)


async def _page(office: Office, seq: int, tasks: list[TaskId]) -> None:
    then = PastStates(office.log, office.org_id, seq)
    for start in range(0, len(tasks), 20):
        async with office.log.turns:
            for task_id in tasks[start : start + 20]:
                await then.load(Task, task_id)


async def _seq_at(office: Office) -> None:
    await LogTimes(office.log).seq_at(office.org_id, datetime.now(UTC) - timedelta(seconds=1))


async def _cpu_and_held_ms(work: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Return the CPU time of *work*, and the longest time between two turns of the event loop."""
    longest, running = 0.0, asyncio.ensure_future(work())
    began, before = time.thread_time(), time.thread_time()
    while not running.done():
        await asyncio.sleep(0)
        longest, before = max(longest, time.thread_time() - before), time.thread_time()
    await running
    return (time.thread_time() - began) * 1_000, longest * 1_000
