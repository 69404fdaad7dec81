"""Stories of what ends in the trash: purged by an ADMIN, by time, and with what it was in."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from commands.base import AlreadyRan, Command, Idempotency, NotPermitted
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
from commands.work.trash.purge import PurgeContents, PurgeExpired, PurgeTrashed
from commands.work.trash.task import DeleteTask, RestoreTask
from commands.work.trash.things import Thing
from domain.base import ERASED, Event, LabelId, NotFound, ProjectId, TaskId, WebhookId
from domain.hooks.webhook.events import (
    DeliveryMode,
    WebhookCreated,
    WebhookDeleted,
    WebhookPurged,
)
from domain.identity.organization.events import PlanChanged
from domain.identity.organization.legal_hold import LegalHold, LegalHoldLifted, LegalHoldPlaced
from domain.identity.plan import PLAN_LIMITS, Countable, Plan, PlanLimitReached
from domain.planning.cycle import CycleDeleted, CyclePurged
from domain.planning.field import FieldCreated, FieldDeleted, FieldPurged, stream_of_field
from domain.planning.milestone import MilestoneDeleted, MilestonePurged
from domain.work.attachment import AttachmentDeleted, AttachmentPurged
from domain.work.comment import CommentDeleted, CommentPosted, CommentPurged
from domain.work.label import LabelCreated, LabelDeleted, LabelPurged
from domain.work.project.events import ProjectDeleted, ProjectPurged
from domain.work.task.custom_field import FieldType
from domain.work.task.errors import ParentInTrash
from domain.work.task.events import TaskCreated, TaskDeleted
from domain.work.task.trash_events import TaskPurged
from domain.work.team import TeamCreated, TeamDeleted, TeamPurged
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
from tests.commands.planning.plans import BETA, ONE, cycle, milestone
from tests.domain.spec import ACME, ANA, BEN, DAY, ENG, GEARS, NOW, TASK
from tests.spec import Past, context, given, on, record

BUG, HOOK = LabelId(UUID(int=71)), WebhookId(UUID(int=72))
SIZE = stream_of_field(ENG, "size")
FREE_DAYS = PLAN_LIMITS[Plan.FREE].trash_retention
LATER = NOW + FREE_DAYS


class Case(NamedTuple):
    """A thing, how it came to be and to the trash, and the event that ends it."""

    thing: Thing
    made: Event | None
    deleted: Event
    purged: Event

    @property
    def gone(self) -> Past:
        made = () if self.made is None else (self.made,)
        return on(self.thing.id, *made, self.deleted)


HOOKED = WebhookCreated(
    url="https://a.example", events=("*",), mode=DeliveryMode.ORDERED, from_seq=0
)
SIZED = FieldCreated(
    project_id=ENG, key="size", name="Size", kind=FieldType.TEXT, created_by=ANA, created_at=NOW
)
LABELLED = LabelCreated(name="Bug", color="#ff0000", project_id=ENG, created_by=ANA, created_at=NOW)
CASES = [
    Case(Thing(TrashKind.PROJECT, ENG), None, ProjectDeleted(), ProjectPurged()),
    Case(Thing(TrashKind.TASK, TASK), None, TaskDeleted(at=NOW), TaskPurged()),
    Case(
        Thing(TrashKind.COMMENT, COMMENT),
        comment(),
        CommentDeleted(task_id=TASK, deleted_by=ANA),
        CommentPurged(task_id=TASK),
    ),
    Case(
        Thing(TrashKind.ATTACHMENT, FILE),
        attachment(),
        AttachmentDeleted(task_id=TASK, deleted_by=ANA),
        AttachmentPurged(task_id=TASK),
    ),
    Case(Thing(TrashKind.LABEL, BUG), LABELLED, LabelDeleted(), LabelPurged()),
    Case(
        Thing(TrashKind.TEAM, GEARS),
        TeamCreated(name="Gears", created_by=ANA),
        TeamDeleted(),
        TeamPurged(),
    ),
    Case(Thing(TrashKind.WEBHOOK, HOOK), HOOKED, WebhookDeleted(), WebhookPurged()),
    Case(
        Thing(TrashKind.CYCLE, ONE),
        cycle(),
        CycleDeleted(project_id=ENG),
        CyclePurged(project_id=ENG),
    ),
    Case(
        Thing(TrashKind.MILESTONE, BETA),
        milestone(),
        MilestoneDeleted(project_id=ENG),
        MilestonePurged(project_id=ENG),
    ),
    Case(
        Thing(TrashKind.FIELD, SIZE),
        SIZED,
        FieldDeleted(project_id=ENG),
        FieldPurged(project_id=ENG),
    ),
]
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: case.thing.kind)
HELD = on(ACME, LegalHoldPlaced(reason="Acme v. Apex"))
TASK_THING, PROJECT_THING = CASES[1].thing, CASES[0].thing


class TestPurgeTrashed:
    @EACH
    def test_an_admin_purges_what_is_in_the_trash_once(self, case: Case) -> None:
        asked = PurgeTrashed(thing=case.thing)
        given(*HERE, case.gone).when(asked).then(on(case.thing.id, case.purged))
        given(*HERE, case.gone).when(asked, by=BEN).then_refused(NotPermitted, needs="trash:purge")
        given(*HERE, case.gone, on(case.thing.id, case.purged)).when(asked).then_refused(NotFound)

    @EACH
    def test_what_is_not_in_the_trash_stays(self, case: Case) -> None:
        made = () if case.made is None else (on(case.thing.id, case.made),)
        given(*HERE, *made).when(PurgeTrashed(thing=case.thing)).then_refused(NotFound)

    def test_a_legal_hold_refuses_until_it_is_lifted(self) -> None:
        past, asked = (*HERE, CASES[1].gone), PurgeTrashed(thing=TASK_THING)
        given(*past, HELD).when(asked).then_refused(LegalHold)
        given(*past, HELD, on(ACME, LegalHoldLifted())).when(asked).then(TaskPurged())

    def test_a_thing_of_another_kind_is_not_found(self) -> None:
        asked = PurgeTrashed(thing=Thing(TrashKind.COMMENT, TASK))
        given(*HERE, CASES[1].gone).when(asked).then_refused(NotFound)


class TestPurgeExpired:
    @EACH
    def test_it_ends_what_the_plan_no_longer_keeps(self, case: Case) -> None:
        asked = PurgeExpired(thing=case.thing)
        given(*HERE, case.gone).when(asked, now=LATER).then(on(case.thing.id, case.purged))
        given(*HERE, case.gone).when(asked, now=LATER - timedelta(seconds=1)).then()

    def test_a_larger_plan_keeps_it_longer_and_a_hold_for_ever(self) -> None:
        past, asked = (*HERE, CASES[1].gone), PurgeExpired(thing=TASK_THING)
        larger = on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.BASIC))
        given(*past, larger).when(asked, now=LATER).then()
        kept = PLAN_LIMITS[Plan.BASIC].trash_retention
        given(*past, larger).when(asked, now=NOW + kept).then(TaskPurged())
        given(*past, HELD).when(asked, now=NOW + 1_000 * DAY).then_refused(LegalHold)

    def test_what_was_restored_or_never_deleted_stays(self) -> None:
        asked = PurgeExpired(thing=TASK_THING)
        given(*HERE).when(asked, now=LATER).then_refused(NotFound)


class TestPurgeContents:
    def test_a_purged_task_takes_what_is_in_it_along(self) -> None:
        below = on(CHILD, task(6, parent=TASK))
        past = (*HERE, below, on(COMMENT, comment()), on(FILE, attachment()), CASES[1].gone)
        things = tuple(case.thing for case in CASES[2:4]) + (Thing(TrashKind.TASK, CHILD),)
        asked = PurgeContents(within=TASK_THING, things=things)
        purged = (
            on(COMMENT, CommentPurged(task_id=TASK)),
            on(FILE, AttachmentPurged(task_id=TASK)),
            on(CHILD, TaskPurged()),
        )
        ended = on(TASK, TaskPurged())
        given(*past, ended).when(asked).then(*purged)
        given(*past, ended, *purged).when(asked).then()
        given(*past).when(asked).then_refused(NotFound)

    def test_a_purged_project_takes_its_parts_along(self) -> None:
        parts = [case for case in CASES if case.thing.kind in ("label", "cycle", "milestone")]
        parts.append(CASES[-1])
        made = [on(case.thing.id, case.made) for case in parts if case.made is not None]
        past = (*HERE, *made, on(ENG, ProjectDeleted(), ProjectPurged()))
        things = tuple(case.thing for case in parts)
        asked = PurgeContents(within=PROJECT_THING, things=(*things, TASK_THING))
        given(*past).when(asked).then(
            *(on(case.thing.id, case.purged) for case in parts), on(TASK, TaskPurged())
        )

    def test_what_is_not_in_it_stays(self) -> None:
        lone = on(CHILD, task(6))
        past = (*HERE, lone, CASES[1].gone, on(TASK, TaskPurged()))
        asked = PurgeContents(within=TASK_THING, things=(Thing(TrashKind.TASK, CHILD),))
        given(*past).when(asked).then()


class TestWhatIsLeft:
    async def test_the_texts_are_gone_and_the_facts_stay(
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
