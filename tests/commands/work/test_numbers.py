"""Task numbers have no gap, whatever becomes of the commands that take them."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from commands.handler import CommandHandler
from commands.reservations import task_number_claim
from commands.work.task_create import CreateTask
from domain.base import NotFound, TaskId
from domain.work.task.events import TaskCreated
from eventstore.append import ConcurrencyConflict
from eventstore.log import EventLog
from eventstore.sqlite import SqliteStore
from tests.commands.acme import PROJECT, TEAM
from tests.domain.spec import ACME, CLEO, ENG
from tests.spec import context, opened, record

GONE = {UUID(int=0x999): 9}
"""A session that is not there: found out by the append, when the number is long taken."""


def new_task(project_id: Any = ENG) -> CreateTask:
    return CreateTask(task_id=TaskId(uuid4()), project_id=project_id, title="One of many")


async def numbers(log: EventLog) -> list[int]:
    found = await log.tail(0, 10_000, ["task.created"])
    return sorted(r.event.number for r in found if isinstance(r.event, TaskCreated))


class TestTaskNumbers:
    async def test_task_numbers_wait_for_the_previous_one(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        await handler.handle(new_task(), context())

        failed, *made = await asyncio.gather(
            handler.handle(new_task(), context(seen=GONE)),
            *(handler.handle(new_task(), context()) for _ in "123"),
            return_exceptions=True,
        )

        assert isinstance(failed, ConcurrencyConflict)
        assert not any(isinstance(one, BaseException) for one in made)
        assert await numbers(log) == [1, 2, 3, 4, 5]

    async def test_the_number_of_a_failed_creation_is_used_again(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        await handler.handle(new_task(), context())
        with pytest.raises(ConcurrencyConflict):
            await handler.handle(new_task(), context(seen=GONE))
        with pytest.raises(NotFound):
            await handler.handle(new_task(uuid4()), context())
        await handler.handle(new_task(), context(dry_run=True))
        await handler.handle(new_task(), context())

        assert await numbers(log) == [1, 2, 3]

    async def test_task_numbers_continue_after_another_process(
        self, log: EventLog, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        for _ in range(40):
            await handler.handle(new_task(), context())
        await elsewhere.handle(new_task(), context())
        for _ in range(40):
            await handler.handle(new_task(), context())
        await elsewhere.handle(new_task(), context())  # it thinks that 43 is next

        assert await numbers(log) == list(range(1, 84))

    async def test_concurrent_creations_in_two_processes_find_free_numbers(
        self, log: EventLog, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        both = (handler, elsewhere)

        await asyncio.gather(*(both[n % 2].handle(new_task(), context()) for n in range(100)))

        assert await numbers(log) == list(range(1, 102))

    @pytest.mark.parametrize("seed", range(3))
    async def test_task_numbers_have_no_gaps(self, tmp_path: Path, seed: int) -> None:
        path = str(tmp_path / "log.db")
        async with AsyncExitStack() as stack:
            logs = [await stack.enter_async_context(opened(SqliteStore(path))) for _ in "12"]
            await record(logs[0], TEAM, PROJECT)
            handlers = [CommandHandler(log) for log in logs]

            async def create(n: int) -> None:
                handler = handlers[n % 2]
                if (n + seed) % 5 == 0:
                    stale = context(seen=GONE)
                    with pytest.raises(ConcurrencyConflict):
                        await handler.handle(new_task(), stale)
                elif (n + seed) % 7 == 0:
                    await handler.handle(new_task(), context(CLEO, dry_run=True))
                elif (n + seed) % 11 == 0:
                    going = asyncio.create_task(handler.handle(new_task(), context()))
                    await asyncio.sleep(0)
                    going.cancel()
                    await asyncio.wait([going])
                else:
                    await handler.handle(new_task(), context(CLEO))

            await asyncio.gather(*(create(n) for n in range(32)))
            for handler in handlers:
                await handler.handle(new_task(), context())

            taken = await numbers(logs[0])
            assert taken == list(range(1, len(taken) + 1))
            for number in taken:
                assert await logs[0].holder(task_number_claim(ACME, ENG, number)) is not None
