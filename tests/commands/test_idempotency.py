"""An Idempotency-Key has one effect and one reply, however often and wherever it comes."""

import asyncio
import hashlib
from datetime import timedelta
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from commands.base import AlreadyRan, Command, Context, Idempotency, KeyReused
from commands.handler import CommandHandler
from commands.receipt import Receipt, Response
from commands.stored_replies import REPLIES_KEPT, SECRETS_KEPT
from commands.work.project import ArchiveProject, CreateProject, UnarchiveProject
from commands.work.task import EditTask
from commands.work.task_create import CreateTask
from commands.work.trash.task import DeleteTask
from domain.base import ProjectId, TaskId
from domain.permission import Permission
from domain.work.project.errors import ProjectIsArchived
from domain.work.task.events import TaskStatus
from eventstore.log import EventLog
from eventstore.recorded import Actor, ActorKind
from tests.commands.acme import account
from tests.domain.spec import ACME, ANA, BEN, ENG, NOW, SECOND, TASK
from tests.spec import context, record

RETITLE = EditTask(task_id=TASK, title="New")


class Unlimited(EditTask, frozen=True, kw_only=True):
    """A change of a task that needs no membership."""

    needs: ClassVar[Permission | None] = None


def keyed(key: str, body: str, by: UUID = ANA, after: timedelta = timedelta()) -> Context:
    """Return a request with an Idempotency-Key, as the border makes them."""
    asked = Idempotency(
        key_hash=hashlib.sha256(f"{by}/{key}".encode()).digest(),
        request_hash=hashlib.sha256(body.encode()).digest(),
    )
    return context(by, idempotency=asked, now=NOW + after)


def name_of(command: Command) -> str:
    return type(command).__name__


def rendered(_: Receipt) -> Response:
    """Return a response unlike any other."""
    return Response(200, 1, uuid4().bytes)


async def handle(handler: CommandHandler, command: Command, asked: Context) -> Response:
    """Handle a request with a key; return what it, or the first one, was answered."""
    answers: list[Response] = []

    def render(receipt: Receipt) -> Response:
        answers.append(rendered(receipt))
        return answers[-1]

    receipt = await handler.handle(command, asked, render)
    return receipt.repeated or answers[-1]


@pytest.fixture(autouse=True)
async def _accounts(log: EventLog) -> None:
    await record(log, account(ANA, "Ana"), account(BEN, "Ben"))


async def events(log: EventLog, stream: UUID = TASK) -> list[str]:
    return [recorded.tag for recorded in await log.stream(stream, ACME)]


class TestAnIdempotencyKey:
    async def test_a_key_returns_the_first_reply(
        self, log: EventLog, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        first = await handle(handler, RETITLE, keyed("k", "new"))
        await elsewhere.handle(EditTask(task_id=TASK, title="Other"), context())

        assert await handle(handler, RETITLE, keyed("k", "new")) == first
        assert await handle(elsewhere, RETITLE, keyed("k", "new")) == first
        assert len(await events(log)) == 3

    async def test_a_key_whose_command_changed_nothing_changes_nothing_later(
        self, log: EventLog, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        already_so = EditTask(task_id=TASK, status=TaskStatus.TODO)
        first = await handle(handler, already_so, keyed("k", "todo"))
        await elsewhere.handle(EditTask(task_id=TASK, status=TaskStatus.IN_PROGRESS), context())

        assert await handle(handler, already_so, keyed("k", "todo")) == first

        assert await events(log) == ["task.created", "task.status_changed"]

    async def test_a_key_is_valid_for_one_body(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        await handle(handler, RETITLE, keyed("k", "new"))

        with pytest.raises(KeyReused):
            await handle(handler, RETITLE, keyed("k", "another"))

        assert len(await events(log)) == 2

    async def test_after_72_hours_the_request_is_refused_and_never_runs_again(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        first = await handle(handler, RETITLE, keyed("k", "new"))
        await handler.handle(EditTask(task_id=TASK, title="Other"), context())
        just_before = keyed("k", "new", after=REPLIES_KEPT - SECOND)
        later = keyed("k", "new", after=REPLIES_KEPT)

        assert await handle(handler, RETITLE, just_before) == first
        with pytest.raises(AlreadyRan) as refused:
            await handle(handler, RETITLE, later)
        assert refused.value.position == (await log.stream(TASK, ACME))[1].position
        with pytest.raises(KeyReused):
            await handle(handler, RETITLE, keyed("k", "another", after=REPLIES_KEPT))

        assert len(await events(log)) == 3

    @pytest.mark.parametrize("command", [RETITLE, EditTask(task_id=TASK, title="Oil the motor")])
    async def test_a_request_whose_reply_is_not_stored_does_not_run_again(
        self, log: EventLog, handler: CommandHandler, command: EditTask
    ) -> None:
        await handler.handle(command, keyed("k", "new"))
        before = await events(log)
        await handler.handle(EditTask(task_id=TASK, title="Other"), context())

        with pytest.raises(AlreadyRan):
            await handler.handle(command, keyed("k", "new"))
        with pytest.raises(KeyReused):
            await handler.handle(DeleteTask(task_id=TASK), keyed("k", "delete"))

        assert await events(log) == [*before, "task.retitled"]

    async def test_a_secret_is_repeated_for_10_minutes(self, handler: CommandHandler) -> None:
        def render(_: Receipt) -> Response:
            return Response(201, 2, b"shown", b"shown with a secret")

        async def repeated(after: timedelta) -> bytes:
            asked = keyed("k", "new", after=after)
            receipt = await handler.handle(RETITLE, asked, render)
            assert receipt.repeated is not None
            return receipt.repeated.body

        await handler.handle(RETITLE, keyed("k", "new"), render)

        assert await repeated(SECRETS_KEPT - SECOND) == b"shown with a secret"
        assert await repeated(SECRETS_KEPT) == b"shown"

    async def test_a_reply_is_unreadable_once_the_key_of_its_caller_is_destroyed(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        await handle(handler, RETITLE, keyed("k", "new"))
        log.store.destroy_key(ANA)
        log.keys.forget(ANA)

        with pytest.raises(AlreadyRan):
            await handle(handler, RETITLE, keyed("k", "new"))

        assert len(await events(log)) == 2

    async def test_the_reply_to_a_system_is_sealed_under_the_key_of_the_organization(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        asked = replace(keyed("k", "new"), actor=Actor(ActorKind.SYSTEM, UUID(int=99)))
        command = Unlimited(task_id=TASK, title="New")
        first = await handle(handler, command, asked)
        assert await handle(handler, command, asked) == first
        log.store.destroy_key(ACME)
        log.keys.forget(ACME)

        with pytest.raises(AlreadyRan):
            await handle(handler, command, asked)

    async def test_a_key_belongs_to_one_actor(self, log: EventLog, handler: CommandHandler) -> None:
        await handle(handler, RETITLE, keyed("k", "new", by=ANA))
        await handle(handler, EditTask(task_id=TASK, title="Bens"), keyed("k", "new", by=BEN))

        assert len(await events(log)) == 3

    async def test_a_refusal_does_not_use_up_the_key(self, handler: CommandHandler) -> None:
        hopeless = EditTask(task_id=TASK, title="New", status=TaskStatus.TODO)
        await handler.handle(ArchiveProject(project_id=ENG), context())
        with pytest.raises(ProjectIsArchived):
            await handle(handler, hopeless, keyed("k", "new"))
        await handler.handle(UnarchiveProject(project_id=ENG), context())

        await handle(handler, hopeless, keyed("k", "new"))

    @pytest.mark.parametrize(
        "command",
        [
            RETITLE,
            DeleteTask(task_id=TASK),
            CreateTask(task_id=TaskId(UUID(int=0x77)), project_id=ENG, title="One"),
            CreateProject(project_id=ProjectId(UUID(int=0x78)), key="ONE", name="One"),
        ],
        ids=name_of,
    )
    async def test_concurrent_retries_have_one_effect_and_one_reply(
        self,
        log: EventLog,
        handler: CommandHandler,
        elsewhere: CommandHandler,
        command: Command,
    ) -> None:
        before = await log.last_position()
        alone = len((await handler.handle(command, context(dry_run=True))).events)

        replies = await asyncio.gather(
            *(handle(h, command, keyed("k", "same")) for h in (handler, elsewhere) for _ in "1234")
        )

        assert len(set(replies)) == 1
        assert await log.last_position() == before + alone
