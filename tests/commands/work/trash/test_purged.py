"""What is left of what was purged, and what a deleted project counts."""

from uuid import uuid4

import pytest
from msgspec.structs import replace

from commands.base import AlreadyRan, Command, Idempotency
from commands.content_counts import attachments_at, comments_on
from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.plan_counts import counted_of
from commands.work.attachment import RestoreAttachment
from commands.work.comment import RestoreComment
from commands.work.label import CreateLabel, DeleteLabel
from commands.work.project import CreateProject, DeleteProject, RestoreProject
from commands.work.task import EditTask
from commands.work.task_create import CreateTask
from commands.work.task_move import MoveTask
from commands.work.trash.purge import PurgeContents, PurgeTrashed
from commands.work.trash.task import DeleteTask, RestoreTask
from commands.work.trash.things import Thing
from domain.base import ERASED, LabelId, NotFound, ProjectId, TaskId
from domain.identity.plan import PLAN_LIMITS, Countable, Plan, PlanLimitReached
from domain.work.comment import CommentPosted
from domain.work.project.events import ProjectCreated, ProjectDeleted, ProjectPurged
from domain.work.task.errors import ParentInTrash
from domain.work.task.events import TaskCreated, TaskDeleted
from domain.work.task.state import Task
from domain.work.task.trash_events import TaskPurged
from domain.work.trash import TrashKind
from eventstore.log import EventLog
from tests.commands.acme import (
    ACCOUNTS,
    CHILD,
    COMMENT,
    FILE,
    HERE,
    OPS,
    attachment,
    comment,
    task,
)
from tests.commands.work.trash.cases import CASES, TASK_THING
from tests.domain.spec import ACME, ANA, ENG, NOW, TASK
from tests.spec import Past, context, folded, given, on, record


class TestWhatIsLeft:
    async def test_the_texts_are_gone_and_the_history_stays(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        await record(log, *ACCOUNTS, on(COMMENT, comment(body="Canary")), CASES[1].gone)
        await handler.handle(PurgeTrashed(thing=TASK_THING), context())
        things = (CASES[2].thing,)
        await handler.handle(PurgeContents(within=TASK_THING, things=things), context())

        created, *_, purged = [each.event for each in await log.stream(TASK, ACME)]
        assert isinstance(created, TaskCreated)
        assert (created.title, created.number) == (ERASED, 1)
        assert isinstance(purged, TaskPurged)
        posted = (await log.stream(COMMENT, ACME))[0].event
        assert isinstance(posted, CommentPosted)
        assert (posted.body, posted.created_by) == (ERASED, ANA)
        assert log.store.keys([TASK, COMMENT]) == {TASK: None, COMMENT: None}
        assert [str(each) async for each in lint_log(log)] == []

    @pytest.mark.parametrize(
        ("asked", "past"),
        [
            (RestoreTask(task_id=TASK), (on(TASK, TaskDeleted(at=NOW), TaskPurged()),)),
            (RestoreProject(project_id=ENG), (on(ENG, ProjectDeleted(), ProjectPurged()),)),
            (
                RestoreComment(task_id=TASK, comment_id=COMMENT),
                (CASES[2].gone, on(COMMENT, CASES[2].purged)),
            ),
            (
                RestoreAttachment(task_id=TASK, attachment_id=FILE),
                (CASES[3].gone, on(FILE, CASES[3].purged)),
            ),
            (EditTask(task_id=TASK, title="Back"), (on(TASK, TaskDeleted(), TaskPurged()),)),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Command) else "",
    )
    def test_nothing_brings_it_back(self, asked: Command, past: tuple[Past, ...]) -> None:
        given(*HERE, *past).when(asked).then_refused(NotFound)

    def test_nor_what_was_in_it(self) -> None:
        inside = (on(CHILD, task(6), TaskDeleted(at=NOW)),)
        ended = on(ENG, ProjectDeleted(), ProjectPurged())
        given(*HERE, *inside, ended).when(RestoreTask(task_id=CHILD)).then_refused(NotFound)
        below = (on(CHILD, task(6, parent=TASK), TaskDeleted(at=NOW)),)
        above = on(TASK, TaskDeleted(at=NOW, below=(CHILD,)), TaskPurged())
        given(*HERE, *below, above).when(RestoreTask(task_id=CHILD)).then_refused(ParentInTrash)

    async def test_it_goes_where_the_task_above_it_goes(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        gone = on(CHILD, task(2, parent=TASK), TaskDeleted(at=NOW))
        await record(
            log, *ACCOUNTS, gone, on(OPS, ProjectCreated(key="OPS", name="Ops", created_by=ANA))
        )
        await handler.handle(PurgeTrashed(thing=Thing(TrashKind.TASK, CHILD)), context())

        await handler.handle(MoveTask(task_id=TASK, project_id=OPS, below=(CHILD,)), context())

        assert (await folded(log, Task, CHILD, ACME)).project_id == OPS
        assert [str(each) async for each in lint_log(log)] == []

    async def test_contents_no_longer_count(self, log: EventLog, handler: CommandHandler) -> None:
        await record(
            log, *ACCOUNTS, on(COMMENT, comment()), on(FILE, attachment(size=9)), CASES[1].gone
        )
        await handler.handle(PurgeTrashed(thing=TASK_THING), context())
        things = tuple(case.thing for case in CASES[2:4])
        await handler.handle(PurgeContents(within=TASK_THING, things=things), context())

        stored = counted_of(ACME, Countable.STORAGE_BYTES)
        counts = (comments_on(ACME, TASK), attachments_at(ACME, TASK), stored)
        assert await log.counted(*counts) == [0, 0, 0]
        assert [str(each) async for each in lint_log(log)] == []

    async def test_names_are_free_and_the_check_of_the_log_agrees(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        await record(log, *ACCOUNTS)
        for name in ("Bug", "Idea"):
            label = LabelId(uuid4())
            commands: list[Command] = [
                CreateLabel(label_id=label, name=name, color="#ff0000", project_id=ENG),
                DeleteLabel(label_id=label),
                PurgeTrashed(thing=Thing(TrashKind.LABEL, label)),
                CreateLabel(label_id=LabelId(uuid4()), name=name, color="#ff0000", project_id=ENG),
            ]
            for each in commands:
                await handler.handle(each, context())

        assert [str(each) async for each in lint_log(log)] == []

    async def test_the_reply_to_a_key_that_shows_it_is_not_repeated(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        await record(log, *ACCOUNTS)
        asked = context(idempotency=Idempotency(b"key", b"request"))
        edited = EditTask(task_id=TASK, title="Canary")
        await handler.handle(edited, asked)
        await handler.handle(DeleteTask(task_id=TASK), context())
        await handler.handle(PurgeTrashed(thing=TASK_THING), context())

        with pytest.raises(AlreadyRan):
            await handler.handle(edited, asked)


class TestPlanOfADeletedProject:
    async def test_its_tasks_count_again_only_when_it_is_back(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        tasks = counted_of(ACME, Countable.TASKS)
        await record(log, *ACCOUNTS, on(CHILD, task(2)))
        steps: list[tuple[Command, int]] = [
            (DeleteTask(task_id=CHILD), 1),
            (DeleteProject(project_id=ENG), 0),
            (RestoreProject(project_id=ENG), 1),
            (RestoreTask(task_id=CHILD), 2),
            (DeleteProject(project_id=ENG), 0),
        ]
        for command, expected in steps:
            await handler.handle(command, context())
            assert await log.counted(tasks) == [expected], command
        assert [str(each) async for each in lint_log(log)] == []

    async def test_it_is_restored_whole_or_not_at_all(
        self, log: EventLog, handler: CommandHandler, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limits = PLAN_LIMITS[Plan.FREE]
        monkeypatch.setitem(PLAN_LIMITS, Plan.FREE, replace(limits, tasks=2))
        await record(log, *ACCOUNTS, on(CHILD, task(2)))
        await handler.handle(DeleteProject(project_id=ENG), context())
        await handler.handle(CreateProject(project_id=OPS, key="OPS", name="Ops"), context())
        other = TaskId(uuid4())
        creating = CreateTask(task_id=other, project_id=ProjectId(OPS), title="One")
        await handler.handle(creating, context())

        with pytest.raises(PlanLimitReached):
            await handler.handle(RestoreProject(project_id=ENG), context())
        assert await log.counted(counted_of(ACME, Countable.TASKS)) == [1]
        await handler.handle(DeleteTask(task_id=other), context())
        await handler.handle(RestoreProject(project_id=ENG), context())
        assert await log.counted(counted_of(ACME, Countable.TASKS)) == [2]
        assert [str(each) async for each in lint_log(log)] == []
