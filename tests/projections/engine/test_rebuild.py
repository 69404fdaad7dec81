"""A read model built anew takes the place of the old one without anybody noticing."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import pytest

from domain.work.task.state import Task
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from eventstore.recorded import Recorded
from projections.engine.batch import OutOfTurn
from projections.engine.checkpoints import Database, Phase, Pointers, read_checkpoint
from projections.engine.digest import compare
from projections.engine.find import ReadModels
from projections.engine.folding import ProjectionFailed
from projections.engine.progress import Progress
from projections.engine.projector import Projector
from projections.engine.rebuild import rebuild
from projections.engine.switch import flip, roll_back
from projections.work.task import Tasks, tasks_of_project
from tests.commands.acme import task
from tests.domain.spec import ACME, ENG, TASK
from tests.projections.spec import a_busy_day, live, project_all, to_the_end
from tests.spec import on, opened, record

pytestmark = pytest.mark.servers


class TasksOfTomorrow(Tasks):
    """A newer version of the same read model."""

    version = 2


class Broken(Tasks):
    """Tasks that cannot be projected at all."""

    def fold(self, key: str, state: Task | None, recorded: Recorded) -> Task:
        raise ZeroDivisionError


async def patient(timeout_s: float) -> None:
    await asyncio.sleep(timeout_s)


@asynccontextmanager
async def running(projector: Projector) -> AsyncGenerator[None, None]:
    """Run *projector* beside the block."""
    running = asyncio.create_task(projector.run())
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_rebuilt_read_model_holds_what_the_old_one_did(database: Database) -> None:
    seen: list[tuple[int, int]] = []
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await project_all(Tasks(), log, database)

        collection = await rebuild(Tasks(), log, database, lambda at, of: seen.append((at, of)))
        verdict = await compare(Tasks(), log, database)

        assert collection == "tasks_v1_b1" == await live(database, "tasks")
        assert seen[-1] == (await log.last_position(), await log.last_position())
    assert verdict.equal
    assert verdict.live.documents == 26
    assert not [name for name in await database.list_collection_names() if "verify" in name]


async def test_a_changed_document_is_found_out(database: Database) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await project_all(Tasks(), log, database)
        await database["tasks_v1"].update_one({"_id": f"{ACME}:{TASK}"}, {"$set": {"json": b"{}"}})

        verdict = await compare(Tasks(), log, database)

    assert not verdict.equal


async def test_what_is_recorded_during_a_rebuild_is_in_it(database: Database) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=2)
        async with running(Projector(Tasks(), log, database, patient)):
            writing = asyncio.create_task(_write(log, 40))
            for _ in range(3):
                await rebuild(Tasks(), log, database)
            await writing
            progress = Progress(database, Pointers(database))
            assert await progress.reached("tasks", await log.last_position(), 30)

        verdict = await compare(Tasks(), log, database)
        page = await tasks_of_project(
            ReadModels(database, Pointers(database)), ACME, ENG, limit=100
        )

    assert verdict.equal
    assert len([json for json in page.items if b'"number":5' in json]) >= 40


async def _write(log: EventLog, count: int) -> None:
    for number in range(500, 500 + count):
        await record(log, on(UUID(int=number), task(number)))
        await asyncio.sleep(0)


async def test_the_one_before_stays_for_a_rollback_and_older_ones_go(database: Database) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        projector = await project_all(Tasks(), log, database)
        for _ in range(2):
            await rebuild(Tasks(), log, database)
        await record(log, on(UUID(int=900), task(900)))
        names = {n for n in await database.list_collection_names() if n.startswith("tasks")}

        back = await roll_back(database, "tasks")
        projector = Projector(Tasks(), log, database, patient)
        await to_the_end(projector)

        assert names == {"tasks_v1_b1", "tasks_v1_b2"}
        assert back == "tasks_v1_b1" == await live(database, "tasks")
        assert (await compare(Tasks(), log, database)).equal


async def test_a_rebuild_that_was_broken_off_goes_on(database: Database) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await project_all(Tasks(), log, database)

        def stop(at: int, of: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await rebuild(Tasks(), log, database, stop)
        left = await read_checkpoint(database, "tasks_v1_b1")
        collection = await rebuild(Tasks(), log, database)

    assert left is not None
    assert left.phase is Phase.BUILDING
    assert collection == "tasks_v1_b1"


async def test_a_rebuild_never_skips_an_event(database: Database) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await project_all(Tasks(), log, database)

        with pytest.raises(ProjectionFailed, match="tasks: position"):
            await rebuild(Broken(), log, database)

        assert await live(database, "tasks") == "tasks_v1"
        assert (await compare(Tasks(), log, database)).equal


async def test_a_newer_version_builds_itself_and_the_older_projector_rests(
    database: Database,
) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        old = await project_all(Tasks(), log, database)

        await project_all(TasksOfTomorrow(), log, database)
        await record(log, on(UUID(int=900), task(900)))
        rested = await Projector(Tasks(), log, database, patient).step()
        with suppress(OutOfTurn):
            await old.step()  # it does not know yet, but cannot write any more

        assert await live(database, "tasks") == "tasks_v2_b1"
        assert not rested
        old_documents = await database["tasks_v1"].count_documents({})
    assert old_documents == 26


async def test_queries_never_go_to_a_collection_that_is_behind(database: Database) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        await project_all(Tasks(), log, database)
        before = await Pointers(database).fresh("tasks")
        behind = await read_checkpoint(database, "tasks_v1")
        assert behind is not None
        behind.position -= 1
        behind.collection = "tasks_v1_b9"

        assert before is not None
        assert not await flip(database, before, behind)
        assert await live(database, "tasks") == "tasks_v1"


async def test_nothing_to_go_back_to_is_said_so(database: Database) -> None:
    with pytest.raises(LookupError):
        await roll_back(database, "tasks")
