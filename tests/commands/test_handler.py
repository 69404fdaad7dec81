"""The handler: decides again when others were first, and never records a thing twice."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import ClassVar
from uuid import UUID, uuid4

import pytest

from commands.base import Command, Context, Decision, NotPermitted, changes_of
from commands.handler import CommandHandler
from commands.identity.organization import EditMember
from commands.reads import Reads
from commands.recording import Recording
from commands.work.project import ArchiveProject, EditProject, UnarchiveProject
from commands.work.task import ChangeTaskStatus, EditTask
from commands.work.task_create import CreateTask
from commands.work.trash.task import DeleteTask
from domain.base import PLATFORM, NotFound, OrgId, TaskId
from domain.identity.organization.membership import MemberRoleChanged, Role
from domain.permission import Permission
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.events import ProjectArchived
from domain.work.task.events import Priority, TaskCreated, TaskStatus
from domain.work.task.state import Task
from eventstore.append import ConcurrencyConflict
from eventstore.log import EventLog
from tests.commands.acme import events
from tests.domain.spec import ACME, BEN, CLEO, ENG, NOW, TASK
from tests.spec import context

RETITLE = EditTask(task_id=TASK, title="New")


class TestADecisionOnOldKnowledge:
    async def test_an_outdated_decision_is_repeated(
        self, log: EventLog, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        await handler.handle(RETITLE, context())  # both know the task now, in different versions
        await elsewhere.handle(EditTask(task_id=TASK, title="Other"), context())
        await handler.handle(EditTask(task_id=TASK, title="Third"), context())

        told = [getattr(r.event, "from_", None) for r in await log.stream(TASK, ACME)]
        assert told == [None, "Oil it", "New", "Other"]

    async def test_an_outdated_refusal_is_repeated(
        self, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        await handler.handle(ArchiveProject(project_id=ENG), context())
        await elsewhere.handle(UnarchiveProject(project_id=ENG), context())

        receipt = await handler.handle(RETITLE, context())

        assert receipt.position is not None

    async def test_an_outdated_decision_records_nothing_wrong(
        self, log: EventLog, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        await handler.handle(RETITLE, context())
        await elsewhere.handle(ArchiveProject(project_id=ENG), context())
        before = await log.last_position()

        with pytest.raises(ProjectIsArchived):
            await handler.handle(EditTask(task_id=TASK, title="Third"), context())

        assert await log.last_position() == before

    async def test_a_refusal_is_final_although_it_knows_more_than_was_last_read(
        self, log: EventLog, handler: CommandHandler, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await handler.handle(RETITLE, context())
        known = await log.heads({TASK: ACME, ENG: ACME, ACME: ACME, BEN: PLATFORM})
        await handler.handle(ArchiveProject(project_id=ENG), context())

        async def last_read(streams: Mapping[UUID, OrgId]) -> dict[UUID, int]:
            return {stream: head for stream, head in known.items() if stream in streams}

        monkeypatch.setattr(log, "heads", last_read)

        with pytest.raises(ProjectIsArchived):
            await handler.handle(EditTask(task_id=TASK, title="Third"), context())

    async def test_nothing_to_record_is_verified_against_the_log(
        self, log: EventLog, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        await handler.handle(RETITLE, context())
        await elsewhere.handle(EditTask(task_id=TASK, title="Other"), context())

        receipt = await handler.handle(RETITLE, context())  # was "New" when it last looked

        assert receipt.position is not None
        assert (await events(log))[-1] == "task.retitled"


class RetitleAfterAPause(Command, frozen=True, kw_only=True):
    """Retitles a task; between two reads of it, somebody else changes it in the same process."""

    needs: ClassVar[Permission | None] = None
    meanwhile: Callable[[], Awaitable[object]]
    seen: list[tuple[str, str]]

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        first = await read(Task, TASK)
        await self.meanwhile()
        second = await read(Task, TASK)
        self.seen.append((first.title, second.title))
        return changes_of(TASK, second.retitle("Mine"))


async def test_a_decision_sees_one_version_of_a_stream_and_is_repeated_if_outdated(
    log: EventLog, handler: CommandHandler
) -> None:
    theirs = iter([EditTask(task_id=TASK, title="Theirs")])

    async def meanwhile() -> None:
        for command in theirs:
            await handler.handle(command, context())

    seen: list[tuple[str, str]] = []
    await handler.handle(RetitleAfterAPause(meanwhile=meanwhile, seen=seen), context())

    assert seen == [("Oil it", "Oil it"), ("Theirs", "Theirs")]
    assert (await events(log)) == ["task.created", "task.retitled", "task.retitled"]


async def test_a_state_knows_when_its_last_event_was_recorded(
    log: EventLog, handler: CommandHandler, elsewhere: CommandHandler
) -> None:
    later = NOW + timedelta(hours=1)
    receipt = await handler.handle(RETITLE, context(now=later))
    again = await elsewhere.handle(RETITLE, context(now=later + timedelta(hours=1)))

    assert receipt.states[TASK].at == later
    assert again.position is None
    assert again.states[TASK].at == later == (await log.stream(TASK, ACME))[-1].at


async def test_events_of_one_command_have_versions_in_a_row_and_say_who_asked_for_what(
    log: EventLog, handler: CommandHandler
) -> None:
    both = EditTask(task_id=TASK, title="New", priority=Priority.LOW)

    receipt = await handler.handle(both, context(request_id="01JZ4R7C8N6WQ0T2X9K5"))

    recorded = await log.stream(TASK, ACME, 1)
    assert [event.version for event in recorded] == [2, 3]
    assert receipt.states[TASK].version == 3
    for event in recorded:
        assert event.metadata.command == "EditTask"
        assert event.metadata.request_id == "01JZ4R7C8N6WQ0T2X9K5"


async def test_a_command_that_changes_nothing_records_nothing(
    log: EventLog, handler: CommandHandler
) -> None:
    before = await log.last_position()

    receipt = await handler.handle(EditTask(task_id=TASK, title="Oil it"), context())

    assert receipt.position is None
    assert receipt.events == []
    assert receipt.states[TASK].version == 1
    assert await log.last_position() == before


class TestADryRun:
    async def test_a_dry_run_returns_the_events_and_stores_nothing(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        before = await log.last_position()
        asked = CreateTask(task_id=TaskId(uuid4()), project_id=ENG, title="Try")

        receipt = await handler.handle(asked, context(dry_run=True))

        assert receipt.position is None
        [created] = receipt.events
        assert isinstance(created.events[0], TaskCreated)
        assert created.events[0].number == 2
        assert receipt.states[asked.task_id].version == 1
        assert await log.last_position() == before
        assert await log.heads({asked.task_id: ACME}) == {}
        again = await handler.handle(asked, context())
        assert again.events[0].events[0].number == 2  # type: ignore[attr-defined]  # a union of events, and this one has it

    async def test_a_dry_run_is_refused_like_the_command(self, handler: CommandHandler) -> None:
        with pytest.raises(NotPermitted):
            await handler.handle(DeleteTask(task_id=TASK), context(CLEO, dry_run=True))


class TestAuthorization:
    async def test_an_append_verifies_the_role_that_permitted_the_command(
        self, log: EventLog, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        await handler.handle(RETITLE, context(BEN))  # knows Ben as a MANAGER
        demote = EditMember(organization_id=ACME, user_id=BEN, role=Role.MEMBER)
        await elsewhere.handle(demote, context())

        with pytest.raises(NotPermitted):
            await handler.handle(ArchiveProject(project_id=ENG), context(BEN))

        assert await events(log, ENG) == ["project.created"]

    async def test_a_command_that_loses_the_race_with_a_demotion_is_refused(
        self, log: EventLog, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        demote = EditMember(organization_id=ACME, user_id=BEN, role=Role.MEMBER)
        archive = ArchiveProject(project_id=ENG)

        archived, _ = await asyncio.gather(
            handler.handle(archive, context(BEN)),
            elsewhere.handle(demote, context()),
            return_exceptions=True,
        )

        order = [r.event for r in await log.tail(0, 100)]
        demoted = next(n for n, e in enumerate(order) if isinstance(e, MemberRoleChanged))
        if isinstance(archived, BaseException):
            assert isinstance(archived, NotPermitted)
            assert ProjectArchived() not in order
        else:
            assert order.index(ProjectArchived()) < demoted

    @pytest.mark.parametrize("version", [1, 3], ids=["older", "newer"])
    async def test_the_caller_is_verified_even_if_the_command_reads_the_same_stream(
        self, log: EventLog, handler: CommandHandler, version: int
    ) -> None:
        await handler.handle(RETITLE, context())  # the task is at 2 now

        asked = EditTask(task_id=TASK, title="Third")
        with pytest.raises(ConcurrencyConflict):
            await handler.handle(asked, context(seen={TASK: version}))

        assert len(await events(log)) == 2

    async def test_a_caller_whose_account_changed_meanwhile_is_refused(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        let_in_by = TASK  # any stream will do: a session, say
        rename = EditProject(project_id=ENG, name="New")
        await handler.handle(rename, context(seen={let_in_by: 1}))
        await handler.handle(RETITLE, context())

        again = EditProject(project_id=ENG, name="Third")
        with pytest.raises(ConcurrencyConflict):
            await handler.handle(again, context(seen={let_in_by: 1}))

        assert await events(log, ENG) == ["project.created", "project.renamed"]


async def test_organizations_do_not_see_each_other(handler: CommandHandler) -> None:
    create = CreateTask(task_id=TaskId(uuid4()), project_id=ENG, title="One")
    for command in (RETITLE, ChangeTaskStatus(task_id=TASK, to=TaskStatus.DONE), create):
        with pytest.raises(NotFound):
            await handler.handle(command, context(org_id=OrgId(uuid4())))


async def test_a_created_task_leaves_nothing_to_the_garbage_collector(
    handler: CommandHandler,
) -> None:
    gc.collect()
    gc.disable()
    try:
        created = CreateTask(task_id=TaskId(uuid4()), project_id=ENG, title="Oil it")
        await handler.handle(created, context(BEN))
        left = [found for found in gc.get_objects() if type(found) is Recording]
    finally:
        gc.enable()

    assert left == []
