"""An Idempotency-Key has one effect and one reply, however often and wherever it comes."""

import asyncio
import hashlib
from uuid import UUID, uuid4

import pytest

from commands.base import Command, Context, Idempotency, KeyReused
from commands.handler import CommandHandler
from commands.receipt import Receipt
from commands.work.project import ArchiveProject, CreateProject, UnarchiveProject
from commands.work.task import CreateTask, DeleteTask, EditTask
from domain.base import ProjectId, TaskId
from domain.work.project import ProjectIsArchived
from domain.work.task.events import TaskStatus
from eventstore.append import StoredReply
from eventstore.log import EventLog
from tests.domain.spec import ACME, ANA, BEN, ENG, TASK
from tests.spec import context

RETITLE = EditTask(task_id=TASK, title="New")


def keyed(key: str, body: str, by: UUID = ANA) -> Context:
    """Return a request with an Idempotency-Key, as the border makes them."""
    asked = Idempotency(
        key=key,
        reply_key=hashlib.sha256(f"{by}/{key}".encode()).digest(),
        request_hash=hashlib.sha256(body.encode()).digest(),
        command_id=UUID(bytes=hashlib.sha256(f"{by}/{key}".encode()).digest()[:16]),
    )
    return context(by, command_id=asked.command_id, idempotency=asked)


def name_of(command: Command) -> str:
    return type(command).__name__


class Rendering:
    """Makes the replies of one request."""

    def __init__(self, asked: Context) -> None:
        assert asked.idempotency is not None
        self._hash = asked.idempotency.request_hash

    def __call__(self, receipt: Receipt) -> StoredReply:
        return StoredReply(self._hash, 200, uuid4().bytes, None, 0)


async def handle(handler: CommandHandler, command: Command, asked: Context) -> StoredReply:
    """Handle a request with a key; return the stored reply."""
    receipt = await handler.handle(command, asked, Rendering(asked))
    assert asked.idempotency is not None
    stored = receipt.reply or await handler._log.reply(asked.idempotency.reply_key, ACME)  # pyright: ignore[reportPrivateUsage]  # the test looks inside
    assert stored is not None
    return stored


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
        assert first.position == (await log.stream(TASK, ACME))[1].position
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
