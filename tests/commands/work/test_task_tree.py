"""Stories of subtasks: their parents, how deep they go, and races between parents."""

import asyncio
from uuid import UUID

import pytest

from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.relation_counts import children, open_subtasks, subtasks
from commands.work.task import EditTask
from commands.work.task_create import CreateTask
from commands.work.trash.task import DeleteTask, RestoreTask
from domain.base import DomainError, NotFound, TaskId
from domain.work.project.events import ProjectCreated
from domain.work.task.errors import ParentIsBelow, SubtasksChanged, SubtasksTooDeep
from domain.work.task.events import TaskDeleted, TaskReparented, TaskStatus
from domain.work.task.state import LEVELS_MAX, Task
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, CHILD, HERE, OPS, task, went
from tests.domain.spec import ACME, ANA, ENG, TASK
from tests.spec import context, given, on, opened, record

NODES = [TASK, *(TaskId(UUID(int=500 + n)) for n in range(1, 7))]
CHAIN = [on(NODES[n], task(n + 1, parent=NODES[n - 1])) for n in range(1, LEVELS_MAX)]
"""Below the task four more levels, one subtask each."""
LONE = on(CHILD, task(9))
OTHER = on(OPS, ProjectCreated(key="OPS", name="Other", created_by=ANA))
ELSEWHERE = on(CHILD, task(1, project=OPS, key="OPS"))


def under(parent: TaskId | None, child: TaskId = CHILD, *below: TaskId) -> EditTask:
    return EditTask(task_id=child, parent_id=parent, below=below)


def create(parent: TaskId) -> CreateTask:
    return CreateTask(task_id=NODES[6], project_id=ENG, title="Oil it", parent_id=parent)


class TestCreateSubtask:
    def test_subtasks_are_nested_five_levels_deep(self) -> None:
        deepest = given(*HERE, *CHAIN).when(create(NODES[3]))
        assert deepest.refused is None
        given(*HERE, *CHAIN).when(create(NODES[4])).then_refused(SubtasksTooDeep, limit=5)


class TestReparentTask:
    def test_a_task_becomes_a_subtask_and_is_none_again(self) -> None:
        moved = on(CHILD, TaskReparented(from_=None, to=TASK))
        given(*HERE, LONE).when(under(TASK)).then(moved)
        back = TaskReparented(from_=TASK, to=None)
        given(*HERE, LONE, moved).when(under(None)).then(on(CHILD, back))
        given(*HERE, LONE, moved).when(under(TASK)).then()

    @pytest.mark.parametrize("parent", [TASK, NODES[1], NODES[3]])
    def test_no_task_is_below_itself(self, parent: TaskId) -> None:
        asked = under(parent, TASK, *NODES[1:5])
        given(*HERE, *CHAIN).when(asked).then_refused(ParentIsBelow)

    def test_a_parent_is_a_task_of_the_same_project_that_is_here(self) -> None:
        given(*HERE, OTHER, ELSEWHERE).when(under(TASK)).then_refused(NotFound)
        given(*HERE, LONE, on(TASK, TaskDeleted())).when(under(TASK)).then_refused(NotFound)
        given(*HERE, LONE).when(under(TaskId(ENG))).then_refused(NotFound)
        given(*HERE, LONE).when(under(NODES[5])).then_refused(NotFound)

    def test_a_task_takes_its_subtasks_along_if_they_do_not_get_too_deep(self) -> None:
        pair = (LONE, on(NODES[5], task(10, parent=CHILD)))
        past = (*HERE, *CHAIN, *pair)
        given(*past).when(under(NODES[2], CHILD, NODES[5])).then(
            on(CHILD, TaskReparented(from_=None, to=NODES[2]))
        )
        asked = under(NODES[3], CHILD, NODES[5])
        given(*past).when(asked).then_refused(SubtasksTooDeep, limit=5)

    def test_subtasks_that_lists_do_not_show_yet_are_noticed(self) -> None:
        pair = (LONE, on(NODES[5], task(10, parent=CHILD)))
        given(*HERE, *pair).when(under(TASK)).then_refused(SubtasksChanged)
        asked = under(TASK, CHILD, NODES[5], NODES[1])
        given(*HERE, *CHAIN, *pair).when(asked).then_refused(SubtasksChanged)
        trashed = on(NODES[5], TaskDeleted())
        given(*HERE, *pair, trashed).when(under(TASK)).then_refused(SubtasksChanged)

    def test_a_task_can_always_become_one_without_a_parent(self) -> None:
        asked = under(None, NODES[1])
        given(*HERE, *CHAIN).when(asked).then(on(NODES[1], TaskReparented(from_=TASK, to=None)))


async def counted(log: EventLog, parent: TaskId) -> list[int]:
    return await log.counted(*(key(ACME, parent) for key in (open_subtasks, subtasks, children)))


async def test_subtasks_are_counted_open_here_and_with_the_trash() -> None:
    async with opened(MemoryStore()) as log:
        finished = on(NODES[1], *went(TaskStatus.CANCELLED))
        await record(log, *ACCOUNTS, *HERE, *CHAIN[:1], on(CHILD, task(3)), finished)
        handler = CommandHandler(log)
        await handler.handle(create(TASK), context())
        assert await counted(log, TASK) == [1, 2, 2]
        await handler.handle(DeleteTask(task_id=NODES[6]), context())
        assert await counted(log, TASK) == [0, 1, 2]
        await handler.handle(under(CHILD, NODES[1]), context())
        assert await counted(log, TASK) == [0, 0, 1]
        assert await counted(log, CHILD) == [0, 1, 1]
        await handler.handle(RestoreTask(task_id=NODES[6]), context())
        assert await counted(log, TASK) == [1, 1, 1]
        assert [finding async for finding in lint_log(log)] == []


@pytest.mark.parametrize("seed", range(4))
async def test_parents_never_make_a_circle_however_commands_meet(seed: int) -> None:
    async with opened(MemoryStore()) as log:
        lone = [on(node, task(n + 2)) for n, node in enumerate(NODES[1:])]
        await record(log, *ACCOUNTS, *HERE, *lone)
        handlers = [CommandHandler(log), CommandHandler(log)]

        async def reparent(n: int) -> None:
            child, parent = NODES[(n * 5 + seed) % 7], NODES[(n * 3 + seed * 2) % 7]
            asked = under(None if n % 4 == 0 else parent, child)
            try:
                await handlers[n % 2].handle(asked, context())
            except DomainError:
                await asyncio.sleep(0)

        await asyncio.gather(*(reparent(n) for n in range(60)))

        for node in NODES:
            seen, at = [node], (await handlers[0].states.fresh(Task, node, ACME)).parent_id
            while at is not None:
                assert at not in seen
                seen.append(at)
                at = (await handlers[0].states.fresh(Task, at, ACME)).parent_id
            assert len(seen) <= LEVELS_MAX
        assert [finding async for finding in lint_log(log)] == []
