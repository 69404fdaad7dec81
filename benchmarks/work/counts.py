"""What do the counts cost that each new task changes?

The rules say what it counts, and the commit reads, checks and writes it. Tasks are committed to
SQLite in batches of 64, as from 64 clients, with their counts and without, alternately.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

import uvloop

from benchmarks.harness.calm import PYTHON_SPEED, python_speed
from benchmarks.harness.figures import Figure, interleaved
from benchmarks.harness.seeding import Office, open_log
from benchmarks.harness.workplace import workplace
from commands.happening import Happening, Reservations
from commands.identity.organization import ChangePlan
from commands.reservations import note
from commands.work.task_create import CreateTask
from domain.base import TaskId
from domain.identity.plan import Plan
from domain.work.task.events import Priority, TaskCreated
from domain.work.task.state import OPEN_NUMBER, Task
from domain.work.workflow.events import StatusGroup
from eventstore.append import Append
from eventstore.identifiers import new_id
from eventstore.sqlite import SqliteStore

TOGETHER, BATCHES = 64, 20
NOTED = 5_000
ROUNDS = 11
TARGET_US = 5


def measure() -> list[Figure]:
    """Return CPU microseconds per created task: committing it and the rules."""
    with workplace() as directory, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        store = SqliteStore(str(directory / "events.db"))
        log = runner.run(open_log(store))
        office = Office(log)
        runner.run(office.furnish())
        runner.run(office.do(ChangePlan(organization_id=office.org_id, plan=Plan.PREMIUM)))
        happened = _happened(office)

        def cell(*, counted: bool) -> float:
            appends = runner.run(_prepared(office))
            for each in appends:
                each.counts = each.counts if counted else ()
            return _commit(store, appends)

        cells: dict[str, Callable[[], float]] = {
            "counted": partial(cell, counted=True),
            "uncounted": partial(cell, counted=False),
            "noting": lambda: _noting(happened),
            "machine": python_speed,
        }
        measured = interleaved(ROUNDS, cells)
        runner.run(log.close())
    return _figures(measured)


def _figures(measured: dict[str, list[float]]) -> list[Figure]:
    rounds = zip(measured["counted"], measured["uncounted"], measured["noting"], strict=True)
    return [
        Figure(
            what="counts of a created task",
            unit="µs CPU",
            rounds=[counted - uncounted + noting for counted, uncounted, noting in rounds],
            target=TARGET_US,
            at_least=False,
        ),
        Figure(what="of that, the rules", unit="µs CPU", rounds=measured["noting"]),
        Figure(what="commit a created task", unit="µs CPU", rounds=measured["counted"]),
        Figure(what="the same without counts", unit="µs CPU", rounds=measured["uncounted"]),
        Figure(what=PYTHON_SPEED, unit="million/s CPU", rounds=measured["machine"]),
    ]


def _commit(store: SqliteStore, appends: Sequence[Append]) -> float:
    """Return the microseconds of each of *appends* in this thread, which commits them."""
    began = time.thread_time_ns()
    for at in range(0, len(appends), TOGETHER):
        store.commit(appends[at : at + TOGETHER])
    return (time.thread_time_ns() - began) / len(appends) / 1_000


async def _prepared(office: Office) -> list[Append]:
    """Return what creates tasks, before it is written."""
    appends: list[Append] = []

    async def keep(each: Append) -> int:
        appends.append(each)
        return 0

    setattr(office.log, "append", keep)  # noqa: B010 - for this measurement only
    try:
        for _ in range(BATCHES * TOGETHER):
            await office.do(_task(office))
    finally:
        vars(office.log).pop("append")
    return appends


def _noting(happened: Happening) -> float:
    """Return the microseconds in which the rules say what a created task counts."""
    began = time.thread_time_ns()
    for _ in range(NOTED):
        note(happened, Reservations([], []))
    return (time.thread_time_ns() - began) / NOTED / 1_000


def _happened(office: Office) -> Happening:
    created = TaskCreated(
        project_id=office.project_id,
        project_key="ENG",
        number=OPEN_NUMBER,
        title="Say what it is about",
        status="TODO",
        group=StatusGroup.TODO,
        priority=Priority.MEDIUM,
        created_by=office.user_id,
        created_at=datetime.now(UTC),
    )
    stream, plan = TaskId(new_id()), Plan.PREMIUM
    prints = office.log.keys.fingerprint
    return Happening(TaskCreated, created, Task(), stream, office.org_id, 0, plan, prints)


def _task(office: Office) -> CreateTask:
    return CreateTask(
        task_id=TaskId(new_id()), project_id=office.project_id, title="Say what it is about"
    )
