"""Stories of the trash: a task is deleted and restored with everything below it."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.content_counts import comments_on
from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.plan_counts import counted_of, tasks_in
from commands.relation_counts import open_blockers, open_subtasks, subtasks
from commands.work.comment import RestoreComment
from commands.work.relation import AddRelation
from commands.work.task import ChangeTaskStatus
from commands.work.task_create import CreateTask
from commands.work.task_move import MoveTask
from commands.work.trash.task import BELOW_MAX, DeleteTask, RestoreTask
from domain.base import DomainError, NotFound, TaskId
from domain.identity.plan import PLAN_LIMITS, Countable, Plan, PlanLimitReached
from domain.work.comment import CommentDeleted
from domain.work.project.events import ProjectDeleted
from domain.work.relation import RelationAdded, RelationKind, graph_of
from domain.work.task.errors import (
    BlockersOpen,
    ParentInTrash,
    SubtasksChanged,
    SubtasksTooDeep,
    TooMuchBelow,
)
from domain.work.task.events import TaskDeleted, TaskRestored, TaskStatus
from domain.work.task.state import Task
from domain.work.task.trash_events import TasksInStatus
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, CHILD, COMMENT, HERE, OPS, comment, task, went
from tests.commands.work.test_task_tree import CHAIN, NODES, OTHER
from tests.domain.spec import ACME, ANA, BEN, ENG, NOW, TASK
from tests.spec import context, given, on, opened, record


def deleted(**what: Any) -> TaskDeleted:
    """Return the deletion of one of Ana's tasks."""
    return TaskDeleted(at=NOW, project_id=ENG, owner=ANA, **what)


BELOW = tuple(NODES[1:5])
DELETE = DeleteTask(task_id=TASK, below=BELOW)
RESTORE = RestoreTask(task_id=TASK, below=BELOW)
HIDES = (TasksInStatus("TODO", 4),)
GONE = on(TASK, deleted(below=BELOW, hides=HIDES))
LONE = on(CHILD, task(6))
TREE = (*HERE, *CHAIN)
"""The task with a chain of four below it."""
BLOCKS = on(
    graph_of(ACME),
    RelationAdded(kind=RelationKind.BLOCKS, from_=NODES[3], to=CHILD, open=True),
    RelationAdded(kind=RelationKind.BLOCKS, from_=NODES[1], to=CHILD, open=True),
)


class TestDeletingWithSubtasks:
    def test_the_deletion_names_what_it_hides_and_what_that_blocked(self) -> None:
        given(*TREE).when(DELETE).then(*GONE.events)
        gone = deleted(below=BELOW, hides=HIDES, blocking=(CHILD, CHILD))
        given(*TREE, LONE, BLOCKS).when(DELETE).then(gone)
        shown = TaskRestored(below=BELOW, hides=HIDES, blocking=(CHILD, CHILD))
        given(*TREE, LONE, BLOCKS, on(TASK, gone)).when(RESTORE).then(shown)

    def test_what_was_in_the_trash_before_is_not_counted_again(self) -> None:
        inner = deleted(below=BELOW[2:], hides=(TasksInStatus("TODO", 2),))
        outer = deleted(below=BELOW, hides=(TasksInStatus("TODO", 1),))
        past = (*TREE, on(NODES[2], inner))
        given(*past).when(DELETE).then(outer)
        back = TaskRestored(below=BELOW, hides=(TasksInStatus("TODO", 1),))
        given(*past, on(TASK, outer)).when(RESTORE).then(back)

    def test_finished_subtasks_are_counted_in_their_status_and_block_nothing(self) -> None:
        past = (*TREE, LONE, BLOCKS, on(NODES[3], *went(TaskStatus.CANCELLED)))
        hides = (TasksInStatus("CANCELLED", 1), TasksInStatus("TODO", 3))
        given(*past).when(DELETE).then(deleted(below=BELOW, hides=hides, blocking=(CHILD,)))

    @pytest.mark.parametrize("below", [(), BELOW[:3], (*BELOW, CHILD)])
    def test_subtasks_that_lists_do_not_show_yet_are_noticed(
        self, below: tuple[TaskId, ...]
    ) -> None:
        asked = DeleteTask(task_id=TASK, below=below)
        given(*TREE, LONE).when(asked).then_refused(SubtasksChanged)
        back = RestoreTask(task_id=TASK, below=below)
        given(*TREE, LONE, GONE).when(back).then_refused(SubtasksChanged)

    def test_a_task_is_deleted_with_a_limited_number_of_subtasks(self) -> None:
        many = [TaskId(UUID(int=10_000 + n)) for n in range(BELOW_MAX + 1)]
        past = [*HERE, *(on(each, task(n + 2, parent=TASK)) for n, each in enumerate(many))]
        asked = DeleteTask(task_id=TASK, below=tuple(many))
        given(*past).when(asked).then_refused(TooMuchBelow, limit=BELOW_MAX)


class TestBelowTheTrash:
    def test_a_task_is_not_restored_before_the_one_above_it(self) -> None:
        inner = on(NODES[2], deleted(below=BELOW[2:], hides=(TasksInStatus("TODO", 2),)))
        asked = RestoreTask(task_id=NODES[2], below=BELOW[2:])
        above = {"parent": {"type": "task", "id": TASK}}
        given(*TREE, inner, GONE).when(asked).then_refused(ParentInTrash, **above)

    def test_nothing_in_a_deleted_project_is_restored(self) -> None:
        above = {"parent": {"type": "project", "id": ENG}}
        gone = on(ENG, ProjectDeleted())
        given(*TREE, GONE, gone).when(RESTORE).then_refused(ParentInTrash, **above)

    def test_a_comment_is_not_restored_before_its_task(self) -> None:
        said = on(COMMENT, comment(), CommentDeleted(task_id=TASK, deleted_by=ANA))
        asked = RestoreComment(task_id=TASK, comment_id=COMMENT)
        above = {"parent": {"type": "task", "id": TASK}}
        given(*TREE, said, GONE).when(asked).then_refused(ParentInTrash, **above)

    def test_nothing_is_created_or_related_below_the_trash(self) -> None:
        new = CreateTask(task_id=NODES[6], project_id=ENG, title="No", parent_id=NODES[2])
        given(*TREE, GONE).when(new).then_refused(NotFound)
        related = AddRelation(task_id=CHILD, kind=RelationKind.RELATES, other_id=NODES[2])
        given(*TREE, LONE, GONE).when(related).then_refused(NotFound)

    def test_depth_is_asked_as_before(self) -> None:
        new = CreateTask(task_id=NODES[6], project_id=ENG, title="No", parent_id=NODES[4])
        given(*TREE).when(new).then_refused(SubtasksTooDeep, limit=5)


async def everything(log: EventLog) -> list[int]:
    """Return the counts that deletions change, of everything in the stories."""
    keys = [counted_of(ACME, Countable.TASKS), comments_on(ACME, TASK)]
    keys += [tasks_in(ACME, ENG, status) for status in TaskStatus]
    for each in (*NODES, CHILD):
        keys += [open_blockers(ACME, each), open_subtasks(ACME, each), subtasks(ACME, each)]
    return await log.counted(*keys)


async def test_a_restoration_brings_every_count_back_and_the_log_proves_it() -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *TREE, LONE, BLOCKS)
        handler = CommandHandler(log)
        inner = DeleteTask(task_id=NODES[2], below=BELOW[2:])
        before = await everything(log)
        await handler.handle(inner, context())
        between = await everything(log)
        await handler.handle(DELETE, context())
        after = await everything(log)
        await handler.handle(RESTORE, context())
        assert await everything(log) == between
        await handler.handle(RestoreTask(task_id=NODES[2], below=BELOW[2:]), context())
        assert await everything(log) == before
        assert (before[0], between[0], after[0]) == (6, 3, 1)
        assert [finding async for finding in lint_log(log)] == []


async def test_a_task_whose_blocker_is_hidden_can_be_finished() -> None:
    async with opened(MemoryStore()) as log:
        begun = on(CHILD, task(6), *went(TaskStatus.IN_PROGRESS))
        await record(log, *ACCOUNTS, *TREE, begun, BLOCKS)
        handler = CommandHandler(log)
        done = ChangeTaskStatus(task_id=CHILD, to=TaskStatus.DONE)
        with pytest.raises(BlockersOpen):
            await handler.handle(done, context())
        await handler.handle(DELETE, context())
        await handler.handle(done, context())
        assert [finding async for finding in lint_log(log)] == []


async def test_a_move_takes_along_what_is_in_the_trash() -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *TREE, OTHER)
        handler = CommandHandler(log)
        inner = DeleteTask(task_id=NODES[2], below=BELOW[2:])
        await handler.handle(inner, context())
        await handler.handle(MoveTask(task_id=TASK, project_id=OPS, below=BELOW), context())
        assert await log.counted(tasks_in(ACME, OPS, "TODO"), tasks_in(ACME, ENG, "TODO")) == [2, 0]
        await handler.handle(RestoreTask(task_id=NODES[2], below=BELOW[2:]), context())
        assert await log.counted(tasks_in(ACME, OPS, "TODO"), tasks_in(ACME, ENG, "TODO")) == [5, 0]
        assert [finding async for finding in lint_log(log)] == []


async def test_a_subtask_created_while_its_parent_is_deleted_is_hidden_or_refused() -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *TREE)
        handlers = CommandHandler(log), CommandHandler(log)
        new = CreateTask(task_id=NODES[6], project_id=ENG, title="Now", parent_id=NODES[2])
        outcomes = await asyncio.gather(
            handlers[0].handle(DELETE, context()),
            handlers[1].handle(new, context(BEN)),
            return_exceptions=True,
        )
        assert sum(isinstance(each, DomainError) for each in outcomes) == 1
        assert [finding async for finding in lint_log(log)] == []


async def test_a_restoration_above_the_limit_of_the_plan_brings_back_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *TREE)
        handler = CommandHandler(log)
        await handler.handle(DELETE, context())
        monkeypatch.setitem(PLAN_LIMITS, Plan.FREE, replace(PLAN_LIMITS[Plan.FREE], tasks=4))
        before = await everything(log)
        with pytest.raises(PlanLimitReached) as refused:
            await handler.handle(RESTORE, context())
        assert (refused.value.details["used"], refused.value.details["limit"]) == (0, 4)
        assert await everything(log) == before
        assert (await handler.states.fresh(Task, TASK, ACME)).deleted
