"""The worker that makes the next tasks of series, without any read model: none is asked."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.base import Command
from commands.handler import CommandHandler
from commands.planning.recurrence import RepeatTask, SetRecurrence
from commands.receipt import Receipt
from domain.base import NotFound, TaskId
from domain.identity.organization.events import OrganizationDeleted
from domain.work.project.events import ProjectPutOnHold, ProjectResumed
from domain.work.task.recurrence_events import TaskOccurrenceSkipped, TaskRepeated
from domain.work.task.state import Task
from eventstore.append import ConcurrencyConflict
from eventstore.operations.records import Job
from eventstore.recorded import ActorKind
from runtime.system import System
from tests.commands.acme import ACCOUNTS, HERE, task
from tests.domain.spec import ACME, ENG, TASK
from tests.spec import context, on, record
from tests.workers.stage import Stage
from workers.consequences import repeating
from workers.consequences.repeating import repeat_due_tasks
from workers.housekeeping import REPEAT, run_due

pytestmark = pytest.mark.servers
TASKS = [TASK, *(TaskId(UUID(int=900 + n)) for n in range(2, 8))]


@pytest.fixture
async def system(stage: Stage) -> System:
    """Return a system in which seven tasks repeat each day."""
    system = stage.system
    await record(system.log, *ACCOUNTS, *HERE)
    await record(system.log, *(on(each, task(n)) for n, each in enumerate(TASKS[1:], 2)))
    for each in TASKS:
        command = SetRecurrence(task_id=each, series_id=each, rrule="FREQ=DAILY")
        await system.commands.handle(command, context(now=system.clock()))
    return system


async def told(system: System, each: TaskId = TASK) -> Any:
    """Return the last event of a task."""
    return (await system.log.stream(each, ACME))[-1]


def next_day(stage: Stage, days: int = 1) -> None:
    stage.clock.ahead += timedelta(days=days)


async def series(system: System) -> list[int]:
    """Return how many tasks each series has."""
    rows = await system.log.tail_rows(0, 1_000, ("task.created",), system.log.part(ACME))
    tasks = [await system.commands.states.fresh(Task, row.stream_id, ACME) for row in rows]
    found = [each.repeats for each in tasks]
    return [each.number for each in found if each is not None]


async def test_the_next_tasks_are_made_once_they_are_due(stage: Stage, system: System) -> None:
    assert await repeat_due_tasks(system) == 0
    next_day(stage)

    assert await repeat_due_tasks(system) == 7

    repeated = await told(system)
    assert isinstance(repeated.event, TaskRepeated)
    assert (repeated.metadata.actor.kind, repeated.metadata.actor.id) == (ActorKind.SYSTEM, ACME)
    [*_, cause, _] = await system.log.stream(TASK, ACME)
    assert repeated.metadata.causation_id == cause.id
    assert await repeat_due_tasks(system) == 0
    assert await series(system) == [2] * 7


async def test_many_are_made_in_pieces_between_which_others_have_their_turn(
    stage: Stage, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeating, "READ_AT_ONCE", 2)
    monkeypatch.setattr(repeating, "DUE_MAX", 4)
    next_day(stage)

    assert [await repeat_due_tasks(system) for _ in range(3)] == [4, 3, 0]


async def test_a_worker_that_is_killed_leaves_nothing_half_done(
    stage: Stage, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if it is killed as soon as the log has the events, before it knows that."""
    next_day(stage)
    handle, left = system.commands.handle, iter(range(3))

    async def killed(command: Command, *about: Any) -> Receipt:
        receipt = await handle(command, *about)
        if next(left, None) is None:
            raise asyncio.CancelledError
        return receipt

    monkeypatch.setattr(system.commands, "handle", killed)
    with pytest.raises(asyncio.CancelledError):
        await repeat_due_tasks(system)
    monkeypatch.undo()

    assert await repeat_due_tasks(system) == 3
    assert await series(system) == [2] * 7


async def test_several_workers_make_each_task_once(stage: Stage, system: System) -> None:
    next_day(stage)
    workers = [replace(system, commands=CommandHandler(system.log)) for _ in range(3)]

    made = await asyncio.gather(*map(repeat_due_tasks, workers))

    assert sum(made) <= 7
    while await repeat_due_tasks(system):
        pass
    assert await series(system) == [2] * 7


async def test_a_refusal_is_told_once_and_the_next_day_comes(stage: Stage, system: System) -> None:
    await record(system.log, on(ENG, ProjectPutOnHold()))
    next_day(stage)
    assert [await repeat_due_tasks(system), await repeat_due_tasks(system)] == [0, 0]

    skipped = await told(system)
    assert isinstance(skipped.event, TaskOccurrenceSkipped)
    assert skipped.event.because == "project_on_hold"
    head = await system.log.organization_head(ACME)
    assert await repeat_due_tasks(system) == 0
    assert await system.log.organization_head(ACME) == head

    await record(system.log, on(ENG, ProjectResumed()))
    next_day(stage, 5)
    assert await repeat_due_tasks(system) == 7
    assert await series(system) == [2] * 7


async def test_a_full_plan_skips_what_is_too_much(stage: Stage, system: System) -> None:
    others = [on(UUID(int=10_000 + n), task(n)) for n in range(8, 996)]
    for first in range(0, len(others), 200):
        await record(system.log, *others[first : first + 200])
    next_day(stage)

    assert await repeat_due_tasks(system) == 5  # of 1,000 tasks

    because = [
        last.event.because
        for last in [await told(system, each) for each in TASKS]
        if isinstance(last.event, TaskOccurrenceSkipped)
    ]
    assert because == ["plan_limit"] * 2


async def test_nothing_is_made_in_a_deleted_organization(stage: Stage, system: System) -> None:
    await record(system.log, on(ACME, OrganizationDeleted()))
    next_day(stage)
    assert await repeat_due_tasks(system) == 0
    assert (await told(system)).event.because == NotFound.code


async def test_a_task_that_others_keep_changing_waits(
    stage: Stage, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_day(stage)
    handle = system.commands.handle

    async def crowded(command: Command, *about: Any) -> Receipt:
        if isinstance(command, RepeatTask) and command.task_id == TASK:
            raise ConcurrencyConflict(TASK)
        return await handle(command, *about)

    monkeypatch.setattr(system.commands, "handle", crowded)
    assert await repeat_due_tasks(system) == 6
    monkeypatch.undo()

    assert await repeat_due_tasks(system) == 1


async def test_it_is_one_of_the_jobs_that_are_run_when_due(stage: Stage, system: System) -> None:
    next_day(stage)
    await system.operations.keep_job(Job(id=REPEAT, due_at=system.clock()))
    await run_due(system, "worker")
    assert await series(system) == [2] * 7
