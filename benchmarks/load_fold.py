"""How much does loading a task of 20 events cost beyond reading its rows?"""

import time

import uvloop

from benchmarks.harness.calm import PYTHON_SPEED, python_speed
from benchmarks.harness.figures import Figure, interleaved
from benchmarks.harness.seeding import ROUND_TRIP, Office, open_log
from benchmarks.harness.workplace import workplace
from commands.states import Loaded, fold
from commands.work.task import AssignTask, EditTask
from domain.base import OrgId, TaskId
from domain.work.task.events import Priority
from domain.work.task.state import Task
from eventstore.log import EventLog
from eventstore.sqlite import SqliteStore
from runtime.process import spare_the_collector

EVENTS = 20
TASKS = 50
LOADS = 2_000
ROUNDS = 15
TARGET = 625
"""Products that a plain loop adds in the same time."""


def measure() -> list[Figure]:
    """Return CPU microseconds per load, in all and for reading the rows."""
    with workplace() as directory:
        return uvloop.run(_measure(SqliteStore(str(directory / "events.db"))))


async def _measure(store: SqliteStore) -> list[Figure]:
    log = await open_log(store)
    office = Office(log)
    tasks = await _tasks(office)
    assert {len(store.stream(task)) for task in tasks} == {EVENTS}
    cells = {
        "rows": lambda: _rows(store, tasks),
        "load": lambda: _load(log, office.org_id, tasks),
        "machine": python_speed,
    }
    spare_the_collector()  # as all processes do
    measured = interleaved(ROUNDS, cells)
    await log.close()
    above = [load - rows for load, rows in zip(measured["load"], measured["rows"], strict=True)]
    what = f"decode and fold a task of {EVENTS} events, above reading its rows"
    return [
        Figure(
            what=what,
            unit="loop products",
            rounds=[us * speed for us, speed in zip(above, measured["machine"], strict=True)],
            target=TARGET,
            at_least=False,
        ),
        Figure(what="decode and fold", unit="µs CPU", rounds=above),
        Figure(what="read its rows (SQLite)", unit="µs CPU", rounds=measured["rows"]),
        Figure(what="EventLog.history and fold", unit="µs CPU", rounds=measured["load"]),
        Figure(what=PYTHON_SPEED, unit="million/s CPU", rounds=measured["machine"]),
    ]


async def _tasks(office: Office) -> list[TaskId]:
    """Create tasks of 1 creation, 17 status changes, 1 priority change and 1 assignment."""
    await office.furnish()
    tasks = await office.add_tasks(TASKS)
    for task in tasks:
        await office.do(AssignTask(task_id=task, user_id=office.user_id))
        await office.do(EditTask(task_id=task, priority=Priority.HIGH))
        await office.move(task, [*ROUND_TRIP * 4, ROUND_TRIP[0]])
    return tasks


def _rows(store: SqliteStore, tasks: list[TaskId]) -> float:
    began = time.thread_time_ns()
    for n in range(LOADS):
        store.stream(tasks[n % TASKS])
    return (time.thread_time_ns() - began) / LOADS / 1000


def _load(log: EventLog, org_id: OrgId, tasks: list[TaskId]) -> float:
    loads = _loads(log, org_id, tasks)
    began = time.thread_time_ns()
    # In-process reads never wait, so the coroutine runs to its end at once.
    try:
        loads.send(None)
    except StopIteration:
        return (time.thread_time_ns() - began) / LOADS / 1000
    raise AssertionError("a read of an in-process store waited")


async def _loads(log: EventLog, org_id: OrgId, tasks: list[TaskId]) -> None:
    for n in range(LOADS):
        fold(Loaded(Task(), 0, None, None), await log.history(tasks[n % TASKS], org_id))
