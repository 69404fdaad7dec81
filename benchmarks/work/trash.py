"""How long do the deletion and the restoration of a project with 50,000 tasks take?

Each is one command over the log in SQLite, as the API runs it; no task is touched. A purge touches
each of them: a worker has 100 at a time purged by one command.
"""

import asyncio
import time
from collections.abc import Callable

import uvloop

from benchmarks.harness.calm import PYTHON_SPEED, python_speed
from benchmarks.harness.figures import Figure, interleaved
from benchmarks.harness.seeding import Office, open_log
from benchmarks.harness.workplace import workplace
from commands.base import Command
from commands.identity.organization import ChangePlan
from commands.work.project import DeleteProject, RestoreProject
from commands.work.task_create import CreateTask
from commands.work.trash.purge import PurgeContents, PurgeTrashed
from commands.work.trash.things import Thing
from domain.base import TaskId
from domain.identity.plan import Plan
from domain.work.trash import TrashKind
from eventstore.identifiers import new_id
from eventstore.sqlite import SqliteStore

TASKS, TOGETHER = 50_000, 500
ROUNDS = 11
AT_ONCE, PURGES = 100, 20
TARGET_MS = 50


def measure() -> list[Figure]:
    """Return milliseconds per command, and microseconds per purged task."""
    with workplace() as directory, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        log = runner.run(open_log(SqliteStore(str(directory / "events.db"))))
        office = Office(log)
        tasks = runner.run(_filled(office))
        project = office.project_id
        cells: dict[str, Callable[[], float]] = {
            "delete": lambda: runner.run(_timed(office, DeleteProject(project_id=project))),
            "restore": lambda: runner.run(_timed(office, RestoreProject(project_id=project))),
            "machine": python_speed,
        }
        measured = interleaved(ROUNDS, cells)
        purges = runner.run(_purged(office, tasks))
        runner.run(log.close())
    return [
        Figure(
            what=f"{name} a project with {TASKS:,} tasks",
            unit="ms",
            rounds=measured[name],
            target=TARGET_MS,
            at_least=False,
        )
        for name in ("delete", "restore")
    ] + [
        Figure(what="purge one of its tasks", unit="µs", rounds=purges),
        Figure(what=PYTHON_SPEED, unit="million/s CPU", rounds=measured["machine"]),
    ]


async def _filled(office: Office) -> list[TaskId]:
    """Fill a project with tasks, many at a time, so that they share commits."""
    await office.furnish()
    await office.do(ChangePlan(organization_id=office.org_id, plan=Plan.PREMIUM))
    tasks = [TaskId(new_id()) for _ in range(TASKS)]
    for first in range(0, TASKS, TOGETHER):
        some = tasks[first : first + TOGETHER]
        await asyncio.gather(*(office.do(_creating(office, each)) for each in some))
    return tasks


def _creating(office: Office, task_id: TaskId) -> Command:
    title = "Say what it is about"
    return CreateTask(task_id=task_id, project_id=office.project_id, title=title)


async def _timed(office: Office, command: Command) -> float:
    """Return the milliseconds that a command takes."""
    began = time.perf_counter_ns()
    await office.do(command)
    return (time.perf_counter_ns() - began) / 1e6


async def _purged(office: Office, tasks: list[TaskId]) -> list[float]:
    """Return the microseconds in which each task of a purged project is purged."""
    project = Thing(TrashKind.PROJECT, office.project_id)
    await office.do(DeleteProject(project_id=office.project_id))
    await office.do(PurgeTrashed(thing=project))
    found: list[float] = []
    for first in range(0, AT_ONCE * PURGES, AT_ONCE):
        things = tuple(Thing(TrashKind.TASK, each) for each in tasks[first : first + AT_ONCE])
        command = PurgeContents(within=project, things=things)
        found.append(await _timed(office, command) / AT_ONCE * 1_000)
    return found
