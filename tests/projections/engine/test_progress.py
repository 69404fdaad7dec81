"""A reader can wait for what was written."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from eventstore.memory import MemoryStore
from projections.engine.checkpoints import Database, Pointers
from projections.engine.progress import Progress
from projections.engine.rebuild import rebuild
from projections.work.task import Tasks
from tests.commands.acme import task
from tests.projections.spec import a_busy_day, project_all, to_the_end
from tests.spec import on, opened, record

pytestmark = pytest.mark.servers


async def test_a_position_that_was_reached_is_known_at_once(database: Database) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await project_all(Tasks(), log, database)
        progress = Progress(database, Pointers(database))

        assert await progress.reached("tasks", await log.last_position(), 10)
        assert await progress.reached("tasks", await log.last_position(), 0)


async def test_a_position_ahead_is_waited_for_and_given_up(database: Database) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await project_all(Tasks(), log, database)
        progress = Progress(database, Pointers(database))

        assert not await progress.reached("tasks", await log.last_position() + 1, 0.02)


async def test_many_who_wait_are_all_let_go_when_it_comes(database: Database) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        projector = await project_all(Tasks(), log, database)
        progress = Progress(database, Pointers(database))
        position = await record(log, on(UUID(int=900), task(900)))
        waiting = asyncio.gather(*[progress.reached("tasks", position, 30) for _ in range(50)])
        await asyncio.sleep(0)
        await to_the_end(projector)

        assert await waiting == [True] * 50


async def test_what_is_noted_needs_no_look(database: Database) -> None:
    async with opened(MemoryStore()) as log:
        await project_all(Tasks(), log, database)
    pointers = Pointers(database)
    await pointers.fresh("tasks")
    progress = Progress(database, pointers)
    waiting = asyncio.create_task(progress.reached("tasks", 5, 30))
    await asyncio.sleep(0)

    progress.note("tasks_v1", 5)

    assert await waiting


async def test_after_a_rebuild_it_is_the_new_collection_that_counts(database: Database) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await project_all(Tasks(), log, database)
        progress = Progress(database, Pointers(database))
        assert await progress.reached("tasks", await log.last_position(), 10)
        await rebuild(Tasks(), log, database)
        position = await record(log, on(UUID(int=900), task(900)))
        await project_all(Tasks(), log, database)

        assert await progress.reached("tasks", position, 10)


async def test_no_answer_from_the_read_models_is_an_error_and_not_a_no() -> None:
    client = AsyncMongoClient[dict[str, Any]]("mongodb://127.0.0.1:1/", connect=False)
    await client.close()
    database = client["closed"]

    with pytest.raises(PyMongoError):
        await Progress(database, Pointers(database)).reached("tasks", 1, 10)
