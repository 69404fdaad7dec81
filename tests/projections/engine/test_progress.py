"""A reader can wait for what was written."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest

from eventstore.memory import MemoryStore
from projections.engine.mongo.store import MongoReadStore
from projections.engine.progress import Progress
from projections.engine.projector import Projector
from projections.engine.rebuild import rebuild
from projections.engine.sqlite.store import SQLiteReadStore
from projections.engine.store import ReadStore, ReadStoreUnavailable, Rebuilding
from projections.work.task import Tasks
from tests.commands.acme import task
from tests.projections.spec import a_busy_day, never, project_all, to_the_end
from tests.spec import on, opened, record


async def test_a_position_that_was_reached_is_known_at_once(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await project_all(log, store)
        progress = Progress(store, log)

        assert await progress.reached("tasks", await log.last_position(), 10)
        assert await progress.reached("tasks", await log.last_position(), 0)


async def test_a_position_ahead_is_waited_for_and_given_up(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await project_all(log, store)
        progress = Progress(store, log)

        assert not await progress.reached("tasks", await log.last_position() + 1, 0.02)


async def test_whoever_has_to_wait_hurries_the_projector(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        projector = await project_all(log, store)
        hurried = asyncio.Event()
        progress = Progress(store, log, hurried.set)
        assert await progress.reached("tasks", await log.last_position(), 10)
        assert not hurried.is_set()  # it was only not known yet

        position = await record(log, on(UUID(int=900), task(900)))
        waiting = asyncio.create_task(progress.reached("tasks", position, 30))
        await hurried.wait()
        await to_the_end(projector)

        assert await waiting


async def test_all_waiting_readers_continue_when_it_comes(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        projector = await project_all(log, store)
        progress = Progress(store, log)
        position = await record(log, on(UUID(int=900), task(900)))
        waiting = asyncio.gather(*[progress.reached("tasks", position, 30) for _ in range(50)])
        await asyncio.sleep(0)
        await to_the_end(projector)

        assert await waiting == [True] * 50


async def test_progress_noted_by_the_projector_needs_no_read(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        progress = Progress(store, log)
        projector = Projector([Tasks()], log, store, never, progress.note)
        position = await record(log, on(UUID(int=900), task(900)))
        await to_the_end(projector)

        assert await progress.reached("tasks", position, 0)


async def test_after_a_rebuild_it_is_the_new_collection_that_counts(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        projector = await project_all(log, store, [Tasks()])
        progress = Progress(store, log)
        assert await progress.reached("tasks", await log.last_position(), 10)
        await rebuild(Tasks(), store, projector)
        position = await record(log, on(UUID(int=900), task(900)))
        await to_the_end(projector)

        assert await progress.reached("tasks", position, 10)


async def test_waiting_for_read_models_being_built_is_refused_at_once(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        progress = Progress(store, log)
        with pytest.raises(Rebuilding):
            await progress.reached("tasks", 1, 10)
        projector = Projector([Tasks()], log, store, never)
        projector.catch_up_max = 7
        await projector.step()

        with pytest.raises(Rebuilding) as told:
            await progress.reached("tasks", 1, 10)

        assert 0 < told.value.progress < 1


async def test_read_models_of_another_log_are_not_shown(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await project_all(log, store)
    async with opened(MemoryStore()) as other:
        await a_busy_day(other, seed=1)

        with pytest.raises(Rebuilding):
            await Progress(store, other).control()


async def test_no_answer_from_the_read_models_is_an_error_and_not_a_no(tmp_path: Path) -> None:
    for store in (
        MongoReadStore("mongodb://127.0.0.1:1/", "nowhere", timeout_s=0.2),
        SQLiteReadStore(tmp_path),  # a directory
    ):
        with pytest.raises(ReadStoreUnavailable):
            await Progress(store).reached("tasks", 1, 10)
        await store.close()
