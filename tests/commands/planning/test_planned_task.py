"""Stories of tasks that are put into cycles and towards milestones."""

from typing import Any

from commands.claims.planning import planned_open_tasks, planned_tasks
from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.planning.cycle import DeleteCycle
from commands.work.task import ChangeTaskStatus, EditTask
from commands.work.task_create import CreateTask
from commands.work.task_move import MoveTask
from commands.work.task_plan import Planned
from commands.work.trash.task import DeleteTask, RestoreTask
from domain.base import NotFound, TaskId
from domain.planning.cycle import CycleDeleted, CycleRestored
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.events import ProjectArchived
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from eventstore.identifiers import new_id
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, CHILD, OPS, STRANGERS, task
from tests.commands.planning.plans import (
    BETA,
    GA,
    ONE,
    OTHER_PROJECT,
    PLANNED,
    TWO,
    cycle,
    days,
    milestone,
)
from tests.domain.spec import ACME, CLEO, ENG, TASK
from tests.spec import context, given, on, opened, record

BOTH = Planned(cycle_id=ONE, milestone_id=BETA)
PUT = (
    TaskCycleChanged(from_=None, to=ONE),
    TaskMilestoneChanged(from_=None, to=BETA),
)
ELSEWHERE = (*PLANNED, OTHER_PROJECT, on(TWO, cycle("Two", days(0, 5), OPS)))
GONE = on(ONE, CycleDeleted(project_id=ENG))


def edit(**planned: Any) -> EditTask:
    return EditTask(task_id=TASK, planned=Planned(**planned))


def test_members_put_a_task_into_a_cycle_and_towards_a_milestone() -> None:
    asked = EditTask(task_id=TASK, planned=BOTH)
    given(*PLANNED).when(asked, by=CLEO).then(on(TASK, *PUT))
    given(*PLANNED, on(TASK, *PUT)).when(asked).then()
    given(*PLANNED, on(TASK, *PUT)).when(edit(cycle_id=None, milestone_id=None)).then(
        TaskCycleChanged(from_=ONE, to=None), TaskMilestoneChanged(from_=BETA, to=None)
    )


def test_a_new_task_is_planned_at_once() -> None:
    asked = CreateTask(task_id=CHILD, project_id=ENG, title="Oil it", planned=BOTH)
    given(*PLANNED).when(asked).then(on(CHILD, task(2), *PUT))


def test_a_part_of_another_plan_is_not_found() -> None:
    given(*ELSEWHERE).when(edit(cycle_id=TWO)).then_refused(NotFound, cycle_id=TWO)
    given(*PLANNED).when(edit(cycle_id=TWO)).then_refused(NotFound)
    theirs = (*ELSEWHERE, on(GA, milestone("GA", OPS)))
    given(*theirs).when(edit(milestone_id=GA)).then_refused(NotFound, milestone_id=GA)
    given(*PLANNED, *STRANGERS).when(edit(milestone_id=GA)).then_refused(NotFound)


def test_no_task_gets_into_a_cycle_in_the_trash_but_tasks_leave_it() -> None:
    given(*PLANNED, GONE).when(edit(cycle_id=ONE)).then_refused(NotFound)
    past = (*PLANNED, on(TASK, *PUT), GONE)
    left = TaskCycleChanged(from_=ONE, to=None)
    given(*past).when(edit(cycle_id=None)).then(left)
    back = on(ONE, CycleRestored(project_id=ENG))
    given(*PLANNED, GONE, back).when(edit(cycle_id=ONE)).then(PUT[0])


def test_tasks_of_an_archived_project_stay_where_they_are() -> None:
    archived = on(ENG, ProjectArchived())
    given(*PLANNED, archived).when(edit(cycle_id=ONE)).then_refused(ProjectIsArchived)


def test_a_task_that_moves_leaves_the_plan_of_its_project() -> None:
    past = (*ELSEWHERE, on(TASK, *PUT))
    moved = given(*past).when(MoveTask(task_id=TASK, project_id=OPS)).recorded
    assert [event for _, (event,), _ in moved][1:] == [
        TaskCycleChanged(from_=ONE, to=None),
        TaskMilestoneChanged(from_=BETA, to=None),
    ]


async def progress(log: EventLog, part: Any = ONE) -> list[int]:
    return await log.counted(planned_tasks(ACME, part), planned_open_tasks(ACME, part))


async def test_a_cycle_counts_its_tasks_and_those_that_are_open() -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *ELSEWHERE)
        handler = CommandHandler(log)

        async def do(command: Any) -> None:
            await handler.handle(command, context())

        await do(EditTask(task_id=TASK, planned=BOTH))
        second = TaskId(new_id())
        await do(
            CreateTask(task_id=second, project_id=ENG, title="Two", planned=BOTH, status="DONE")
        )
        assert await progress(log) == await progress(log, BETA) == [2, 1]
        for to in ("IN_PROGRESS", "DONE"):
            await do(ChangeTaskStatus(task_id=TASK, to=to))
        assert await progress(log) == await progress(log, BETA) == [2, 0]
        await do(ChangeTaskStatus(task_id=TASK, to="TODO"))
        await do(DeleteTask(task_id=TASK))
        await do(EditTask(task_id=second, planned=Planned(milestone_id=None)))
        assert (await progress(log), await progress(log, BETA)) == ([1, 0], [0, 0])
        await do(RestoreTask(task_id=TASK))
        assert (await progress(log), await progress(log, BETA)) == ([2, 1], [1, 1])
        await do(MoveTask(task_id=TASK, project_id=OPS))
        assert (await progress(log), await progress(log, BETA)) == ([1, 0], [0, 0])
        assert [finding async for finding in lint_log(log)] == []


async def test_a_process_that_does_not_know_of_a_deletion_yet_puts_no_task_there() -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *PLANNED)
        here, there = CommandHandler(log), CommandHandler(log)
        await here.handle(edit(cycle_id=ONE), context(CLEO))
        await here.handle(edit(cycle_id=None), context(CLEO))

        await there.handle(DeleteCycle(cycle_id=ONE), context())
        refused = None
        try:
            await here.handle(edit(cycle_id=ONE), context(CLEO))
        except NotFound as error:
            refused = error

        assert refused is not None
        assert await progress(log) == [0, 0]
