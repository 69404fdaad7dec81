"""Stories of planned tasks that are in the trash because a task above them is."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from commands.claims.planning import planned_open_tasks, planned_tasks
from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.work.task import ChangeTaskStatus, EditTask
from commands.work.task_move import MoveTask
from commands.work.task_plan import Planned
from commands.work.trash.task import DeleteTask, RestoreTask
from domain.base import NotFound
from domain.work.task.events import TaskDeleted, TaskRestored, TaskStatus
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.state import Task
from domain.work.task.trash_events import TasksInPlan, TasksInStatus
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, OPS, task, went
from tests.commands.planning.plans import BETA, ONE, OTHER_PROJECT, PLANNED
from tests.commands.work.test_task_tree import NODES
from tests.domain.spec import ACME, ANA, ENG, NOW, TASK
from tests.spec import context, given, on, opened, record

CHILD, GRANDCHILD = NODES[1:3]
BELOW = (CHILD, GRANDCHILD)
TREE = (
    *PLANNED,
    OTHER_PROJECT,
    on(CHILD, task(2, parent=TASK), TaskCycleChanged(from_=None, to=ONE)),
    on(
        GRANDCHILD,
        task(3, parent=CHILD),
        TaskCycleChanged(from_=None, to=ONE),
        TaskMilestoneChanged(from_=None, to=BETA),
    ),
)
"""Both subtasks are in the cycle, the lower one is towards the milestone."""
INNER = DeleteTask(task_id=CHILD, below=(GRANDCHILD,))
OUTER = DeleteTask(task_id=TASK, below=BELOW)
INNER_BACK = RestoreTask(task_id=CHILD, below=(GRANDCHILD,))
OUTER_BACK = RestoreTask(task_id=TASK, below=BELOW)


@pytest.fixture
async def log() -> AsyncIterator[EventLog]:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *TREE)
        yield log
        assert [finding async for finding in lint_log(log)] == []


async def progress(log: EventLog) -> tuple[list[int], list[int]]:
    """Return how many tasks the cycle and the milestone have, each with how many are open."""
    cycle, milestone = [
        await log.counted(planned_tasks(ACME, part), planned_open_tasks(ACME, part))
        for part in (ONE, BETA)
    ]
    return cycle, milestone


NOTHING = ([0, 0], [0, 0])


def test_a_deletion_names_what_it_hides_of_each_part_of_a_plan() -> None:
    planned = (TasksInPlan(ONE, 2, 1), TasksInPlan(BETA, 1))
    hides = (TasksInStatus("CANCELLED", 1), TasksInStatus("TODO", 1))
    gone = TaskDeleted(at=NOW, project_id=ENG, owner=ANA, below=BELOW, hides=hides, planned=planned)
    past = (*TREE, on(GRANDCHILD, *went(TaskStatus.CANCELLED)))
    given(*past).when(OUTER).then(gone)
    back = TaskRestored(below=BELOW, hides=hides, planned=planned)
    given(*past, on(TASK, gone)).when(OUTER_BACK).then(back)


async def test_hidden_tasks_do_not_count_until_they_are_shown_again(log: EventLog) -> None:
    handler = CommandHandler(log)
    await handler.handle(ChangeTaskStatus(task_id=GRANDCHILD, to="IN_PROGRESS"), context())
    await handler.handle(ChangeTaskStatus(task_id=GRANDCHILD, to="DONE"), context())
    assert await progress(log) == ([2, 1], [1, 0])

    await handler.handle(OUTER, context())
    assert await progress(log) == NOTHING
    await handler.handle(OUTER_BACK, context())
    assert await progress(log) == ([2, 1], [1, 0])


async def test_what_was_in_the_trash_before_is_not_counted_again(log: EventLog) -> None:
    handler = CommandHandler(log)
    for command in (DeleteTask(task_id=GRANDCHILD), OUTER):
        await handler.handle(command, context())
    assert await progress(log) == NOTHING
    await handler.handle(OUTER_BACK, context())
    assert await progress(log) == ([1, 1], [0, 0])
    await handler.handle(RestoreTask(task_id=GRANDCHILD), context())
    assert await progress(log) == ([2, 2], [1, 1])


async def test_hidden_tasks_that_move_leave_a_plan_that_does_not_count_them(log: EventLog) -> None:
    handler = CommandHandler(log)
    await handler.handle(INNER, context())
    await handler.handle(MoveTask(task_id=TASK, project_id=OPS, below=BELOW), context())
    assert await progress(log) == NOTHING
    await handler.handle(INNER_BACK, context())
    assert await progress(log) == NOTHING
    found = await handler.states.fresh(Task, GRANDCHILD, ACME)
    assert (found.cycle_id, found.milestone_id) == (None, None)


async def test_a_deletion_notices_what_another_process_has_planned(log: EventLog) -> None:
    here, there = CommandHandler(log), CommandHandler(log)
    for each in (TASK, *BELOW):
        await here.states.fresh(Task, each, ACME)

    await there.handle(edit(milestone_id=BETA), context())
    await here.handle(OUTER, context())

    assert await progress(log) == NOTHING


async def test_a_process_that_does_not_know_of_a_deletion_yet_plans_nothing_hidden(
    log: EventLog,
) -> None:
    here, there = CommandHandler(log), CommandHandler(log)
    for each in (TASK, *BELOW):
        await here.states.fresh(Task, each, ACME)

    await there.handle(OUTER, context())
    with pytest.raises(NotFound):
        await here.handle(edit(milestone_id=BETA), context())

    assert await progress(log) == NOTHING


def edit(**planned: Any) -> EditTask:
    return EditTask(task_id=CHILD, planned=Planned(**planned))
