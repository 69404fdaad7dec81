"""The projector keeps up with the log, whatever happens to it."""

import asyncio
import gc
import random
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from devstack.mongo import mongo
from devstack.server import Server
from domain.identity.user import LoginFailed
from domain.work.task.events import TaskAssigned, TaskRetitled, TaskStatus
from domain.work.task.state import Task
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from eventstore.recorded import Recorded
from projections.catalog import PROJECTIONS
from projections.engine.checkpoints import Database, Pointers, read_checkpoint
from projections.engine.digest import digest
from projections.engine.find import ReadModels
from projections.engine.projector import Projector
from projections.work.task import Tasks, tasks_of_project
from tests.commands.acme import ACCOUNTS, HERE, task, went
from tests.domain.spec import ACME, ANA, BEN, ENG, TASK
from tests.projections.spec import a_busy_day, live, never, project_all, to_the_end
from tests.spec import on, opened, record

pytestmark = pytest.mark.servers
POISON = TaskRetitled(from_="Oil it", to="poison")


class Delicate(Tasks):
    """Tasks, projected by code that cannot stand one title."""

    healed = False

    def fold(self, key: str, state: Task | None, recorded: Recorded) -> Task:
        if recorded.event == POISON and not self.healed:
            raise ZeroDivisionError("poison")
        return super().fold(key, state, recorded)


async def test_every_read_model_is_the_same_in_batches_of_any_size(database: Database) -> None:
    sizes = random.Random(7)  # noqa: S311 - the same sizes each time
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=7)
        other = database.client[f"{database.name}_b"]
        for projection in PROJECTIONS:
            projector = Projector(projection, log, database, never)
            projector.batch_max = 1
            await to_the_end(projector)
            one_by_one = await digest(database, await live(database, projection.name))
            projector = Projector(projection, log, other, never)
            more = True
            while more:
                projector.batch_max = sizes.randint(1, 40)
                more = await projector.step()
            in_batches = await digest(other, await live(other, projection.name))

            assert in_batches == one_by_one
            assert one_by_one.documents > 0
        await database.client.drop_database(other)


async def test_a_task_is_shown_as_its_events_left_it(database: Database) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *HERE, on(TASK, *went(TaskStatus.IN_PROGRESS)))
        await project_all(Tasks(), log, database)

    page = await tasks_of_project(ReadModels(database, Pointers(database)), ACME, ENG)

    assert page.next_key is None
    assert b'"status":"IN_PROGRESS"' in page.items[0]


async def test_two_projectors_at_once_write_nothing_twice(database: Database) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=3)
        rivals = [Projector(Tasks(), log, database, patient) for _ in range(2)]
        running = [asyncio.create_task(rival.run()) for rival in rivals]
        await until_at(database, await log.last_position())
        for one in running:
            one.cancel()
        together = await digest(database, "tasks_v1")
        await database.client.drop_database(database.name)
        await project_all(Tasks(), log, database)

        assert together == await digest(database, "tasks_v1")


async def test_events_of_others_move_the_checkpoint_too(database: Database) -> None:
    async with opened(MemoryStore()) as log:
        position = await record(log, *HERE, *ACCOUNTS)
        projector = await project_all(Tasks(), log, database)
        position = await record(log, on(ANA, LoginFailed()))
        await to_the_end(projector)

    checkpoint = await read_checkpoint(database, "tasks_v1")
    assert checkpoint is not None
    assert checkpoint.position == position


async def test_a_stream_that_cannot_be_projected_stops_no_other(database: Database) -> None:
    other = UUID(int=900)
    async with opened(MemoryStore()) as log:
        await record(log, *HERE, on(TASK, POISON, *went(TaskStatus.IN_PROGRESS)))
        await record(log, on(other, task(2), *went(TaskStatus.IN_PROGRESS)))
        await project_all(Delicate(), log, database)
        page = await tasks_of_project(ReadModels(database, Pointers(database)), ACME, ENG)
        checkpoint = await read_checkpoint(database, "tasks_v1")

    assert b'"status":"IN_PROGRESS"' in page.items[0]
    assert b'"status":"TODO"' in page.items[1]
    assert checkpoint is not None
    assert list(checkpoint.parked) == [str(TASK)]
    assert "poison" in checkpoint.parked[str(TASK)].error


async def test_a_parked_stream_is_made_up_for_by_a_repaired_projector(database: Database) -> None:
    repaired = Delicate()
    repaired.healed = True
    async with opened(MemoryStore()) as log:
        await record(log, *HERE, on(TASK, POISON, *went(TaskStatus.IN_PROGRESS)))
        await project_all(Delicate(), log, database)
        await record(log, on(TASK, TaskAssigned(user_id=BEN)))
        await project_all(repaired, log, database)
        page = await tasks_of_project(ReadModels(database, Pointers(database)), ACME, ENG)
        checkpoint = await read_checkpoint(database, "tasks_v1")

    assert b'"title":"poison"' in page.items[0]
    assert b'"status":"IN_PROGRESS"' in page.items[0]
    assert str(BEN).encode() in page.items[0]
    assert checkpoint is not None
    assert checkpoint.parked == {}


async def test_an_event_that_cannot_be_read_parks_its_stream(database: Database) -> None:
    store = MemoryStore()
    async with opened(store) as log:
        await record(log, *HERE, on(UUID(int=900), task(2)))
        broken = next(row for row in store.tail(0, 100) if row.stream_id == TASK)
        broken.state = b"{}"
        await project_all(Tasks(), log, database)
        checkpoint = await read_checkpoint(database, "tasks_v1")
        page = await tasks_of_project(ReadModels(database, Pointers(database)), ACME, ENG)

    assert len(page.items) == 1
    assert checkpoint is not None
    assert list(checkpoint.parked) == [str(TASK)]


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """Give a server of the test's own, to be stopped."""
    tmp_path.chmod(0o755)
    return mongo(tmp_path / "server")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_outage_of_the_read_models_is_survived(server: Server) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *HERE)
        with server:
            client = AsyncMongoClient[dict[str, Any]](server.url, serverSelectionTimeoutMS=200)
            database = client["outage"]
            running = asyncio.create_task(Projector(Tasks(), log, database, patient).run())
            await until_at(database, await log.last_position())
            server.stop()
            position = await record(log, on(TASK, *went(TaskStatus.IN_PROGRESS)))
            with pytest.raises(PyMongoError):
                await database["tasks_v1"].find_one()
            server.start()
            server.wait_ready()

            await until_at(database, position)
            assert not running.done()
            running.cancel()
            await client.close()
    gc.collect()  # the driver forgets sockets that were refused, and the warning belongs here


async def patient(timeout_s: float) -> None:
    """Wait as a projector does that nobody wakes."""
    await asyncio.sleep(timeout_s)


async def until_at(database: Database, position: int) -> None:
    """Wait until the tasks have reached *position*."""
    async with asyncio.timeout(30):
        while True:
            with suppress(PyMongoError):
                checkpoint = await read_checkpoint(database, "tasks_v1")
                if checkpoint is not None and checkpoint.position >= position:
                    return
            await asyncio.sleep(0.01)


async def test_a_log_without_events_is_no_work(database: Database) -> None:
    async with opened(MemoryStore()) as log:
        assert not await idle_step(log, database)


async def idle_step(log: EventLog, database: Database) -> bool:
    return await Projector(Tasks(), log, database, never).step()
