"""Stories of the commands on relations, and of what they do to the status of tasks."""

import asyncio
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.relation_counts import open_blockers
from commands.work.relation import AddRelation, RemoveRelation
from commands.work.task import ChangeTaskStatus
from commands.work.trash.task import DeleteTask, RestoreTask
from domain.base import DomainError, NotFound, TaskId, UserId
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.events import ProjectArchived, ProjectDeleted
from domain.work.relation import (
    RelationAdded,
    RelationCycle,
    RelationExists,
    RelationKind,
    RelationRemoved,
    RelationToItself,
    graph_of,
)
from domain.work.task.errors import BlockersOpen
from domain.work.task.events import TaskDeleted, TaskRestored, TaskStatus
from domain.work.workflow.events import Guard
from eventstore.memory import MemoryStore
from tests.commands.acme import (
    ACCOUNTS,
    CHILD,
    FOREIGN_TASK,
    HERE,
    PROJECT,
    STRANGERS,
    TEAM,
    task,
    went,
)
from tests.domain.spec import ACME, ANA, BEN, CLEO, ENG, NOW, TASK, stepped
from tests.spec import context, given, on, opened, record

GRAPH = graph_of(ACME)
BLOCKS, BLOCKED_BY, DUPLICATES, _, RELATES = RelationKind
DOING, DONE, TODO = TaskStatus.IN_PROGRESS, TaskStatus.DONE, TaskStatus.TODO
TWO = (*HERE, on(CHILD, task(2)))
"""Two tasks of the same project."""
FIRST = AddRelation(task_id=TASK, kind=BLOCKS, other_id=CHILD)
ADDED = RelationAdded(kind=BLOCKS, from_=TASK, to=CHILD, open=True)
BLOCKED = (*TWO, on(GRAPH, ADDED))
"""The first of them blocks the second."""


class TestAddRelation:
    def test_a_task_blocks_another_one(self) -> None:
        given(*TWO).when(FIRST, by=CLEO).then(on(GRAPH, ADDED))

    def test_the_other_end_tells_the_same(self) -> None:
        asked = AddRelation(task_id=CHILD, kind=BLOCKED_BY, other_id=TASK)
        given(*TWO).when(asked).then(on(GRAPH, ADDED))

    def test_a_finished_blocker_blocks_nothing_now(self) -> None:
        done = on(TASK, *went(DOING, DONE))
        other_end = AddRelation(task_id=CHILD, kind=BLOCKED_BY, other_id=TASK)
        idle = on(GRAPH, replace(ADDED, open=False))
        for asked in (FIRST, other_end):
            given(*TWO, done).when(asked).then(idle)
        blocked = (*TWO, done, idle, on(CHILD, *went(DOING)))
        finish = ChangeTaskStatus(task_id=CHILD, to=DONE)
        given(*blocked).when(finish).then(stepped(DOING, DONE, at=NOW))

    def test_no_relation_to_itself_twice_or_in_a_circle(self) -> None:
        back = AddRelation(task_id=CHILD, kind=BLOCKS, other_id=TASK)
        itself = AddRelation(task_id=TASK, kind=RELATES, other_id=TASK)
        given(*BLOCKED).when(FIRST).then_refused(RelationExists)
        given(*BLOCKED).when(back).then_refused(RelationCycle)
        given(*BLOCKED).when(itself).then_refused(RelationToItself)

    def test_both_tasks_must_be_there(self) -> None:
        foreign = AddRelation(task_id=TASK, kind=RELATES, other_id=FOREIGN_TASK)
        given(*TWO, on(CHILD, TaskDeleted())).when(FIRST).then_refused(NotFound)
        given(*TWO, on(TASK, TaskDeleted())).when(FIRST).then_refused(NotFound)
        given(*HERE).when(FIRST).then_refused(NotFound)
        given(*TWO, *STRANGERS).when(foreign).then_refused(NotFound)
        given(*TWO, on(ENG, ProjectDeleted())).when(FIRST).then_refused(NotFound)

    def test_an_archived_project_keeps_its_relations(self) -> None:
        archived = on(ENG, ProjectArchived())
        given(*TWO, archived).when(FIRST).then_refused(ProjectIsArchived)


class TestRemoveRelation:
    def test_a_relation_is_removed_from_either_end(self) -> None:
        removed = on(GRAPH, RelationRemoved(kind=BLOCKS, from_=TASK, to=CHILD, open=True))
        for one, kind, other in ((TASK, BLOCKS, CHILD), (CHILD, BLOCKED_BY, TASK)):
            asked = RemoveRelation(task_id=one, kind=kind, other_id=other)
            given(*BLOCKED).when(asked).then(removed)

    def test_a_relation_that_is_not_there_is_not_found(self) -> None:
        asked = RemoveRelation(task_id=TASK, kind=DUPLICATES, other_id=CHILD)
        given(*BLOCKED).when(asked).then_refused(NotFound)


class TestTheStatusOfABlockedTask:
    FINISH = ChangeTaskStatus(task_id=CHILD, to=DONE)
    STARTED = (*BLOCKED, on(CHILD, *went(DOING)))
    FINISHED = stepped(DOING, DONE, at=NOW)

    def test_it_is_not_done_while_a_blocker_is_open(self) -> None:
        given(*self.STARTED).when(self.FINISH).then_refused(BlockersOpen, open=1)

    @pytest.mark.parametrize("by", [ANA, BEN], ids=["admin", "manager"])
    def test_it_is_forced_and_the_event_says_past_which_guards(self, by: UserId) -> None:
        forced = stepped(DOING, DONE, at=NOW, guards=(), forced=True, past_guards=tuple(Guard))
        asked = replace(self.FINISH, force=True)
        given(*self.STARTED).when(asked, by=by).then(forced)

    def test_it_is_done_once_its_blocker_is_finished_deleted_or_unrelated(self) -> None:
        closing = stepped(DOING, DONE, at=NOW, blocking=(CHILD,))
        deleted = TaskDeleted(at=NOW, blocking=(CHILD,))
        removed = RelationRemoved(kind=BLOCKS, from_=TASK, to=CHILD, open=True)
        for past in (on(TASK, *went(DOING), closing), on(TASK, deleted), on(GRAPH, removed)):
            given(*self.STARTED, past).when(self.FINISH).then(self.FINISHED)

    def test_it_is_not_done_once_its_blocker_is_reopened_or_restored(self) -> None:
        closing = stepped(DOING, DONE, blocking=(CHILD,))
        opening = stepped(DONE, TODO, blocking=(CHILD,))
        for past in (
            on(TASK, *went(DOING), closing, opening),
            on(TASK, TaskDeleted(blocking=(CHILD,)), TaskRestored(blocking=(CHILD,))),
        ):
            given(*self.STARTED, past).when(self.FINISH).then_refused(BlockersOpen, open=1)


class TestTheBlocker:
    def test_what_ends_or_begins_to_block_names_the_tasks_that_it_blocks(self) -> None:
        doing = (*BLOCKED, on(TASK, *went(DOING)))
        done = (*doing, on(TASK, stepped(DOING, DONE, at=NOW, blocking=(CHILD,))))
        given(*doing).when(ChangeTaskStatus(task_id=TASK, to=DONE)).then(
            stepped(DOING, DONE, at=NOW, blocking=(CHILD,))
        )
        given(*done).when(ChangeTaskStatus(task_id=TASK, to=TODO)).then(
            stepped(DONE, TODO, blocking=(CHILD,))
        )
        given(*BLOCKED).when(DeleteTask(task_id=TASK)).then(
            TaskDeleted(at=NOW, project_id=ENG, owner=ANA, blocking=(CHILD,))
        )
        trashed = (*BLOCKED, on(TASK, TaskDeleted(blocking=(CHILD,))))
        given(*trashed).when(RestoreTask(task_id=TASK)).then(TaskRestored(blocking=(CHILD,)))

    def test_a_finished_blocker_is_deleted_and_restored_without_naming_them(self) -> None:
        closing = stepped(DOING, DONE, blocking=(CHILD,))
        done = (*BLOCKED, on(TASK, *went(DOING), closing))
        given(*done).when(DeleteTask(task_id=TASK)).then(
            TaskDeleted(at=NOW, project_id=ENG, owner=ANA)
        )
        trashed = (*done, on(TASK, TaskDeleted()))
        given(*trashed).when(RestoreTask(task_id=TASK)).then(TaskRestored())

    def test_a_status_between_open_ones_names_nothing(self) -> None:
        given(*BLOCKED).when(ChangeTaskStatus(task_id=TASK, to=DOING)).then(*went(DOING))


async def test_two_processes_make_no_circle_and_count_right() -> None:
    """Every task tries to block every other one, and is finished meanwhile."""
    tasks = [TaskId(UUID(int=900 + number)) for number in range(6)]
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, TEAM, PROJECT)
        for number, one in enumerate(tasks, 1):
            await record(log, on(one, task(number)))
        handlers = [CommandHandler(log), CommandHandler(log)]
        adding = [
            AddRelation(task_id=one, kind=BLOCKS, other_id=other)
            for one in tasks
            for other in tasks
            if one != other
        ]
        moving = [ChangeTaskStatus(task_id=one, to=TaskStatus.CANCELLED) for one in tasks[::2]] + [
            DeleteTask(task_id=tasks[1])
        ]

        done = await asyncio.gather(
            *(
                handlers[n % 2].handle(command, context())
                for n, command in enumerate([*adding[:15], *moving, *adding[15:]])
            ),
            return_exceptions=True,
        )

        assert {type(one) for one in done if isinstance(one, BaseException)} <= {
            RelationCycle,
            NotFound,
        }
        assert not any(
            isinstance(one, BaseException) and not isinstance(one, DomainError) for one in done
        )
        assert [finding async for finding in lint_log(log)] == []
        counts = await log.counted(*(open_blockers(ACME, one) for one in tasks))
        assert all(count >= 0 for count in counts)
