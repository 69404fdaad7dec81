"""The projector keeps up with the log, whatever happens to it."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from devstack.mongo import mongo
from devstack.server import Server
from domain.identity.user.events import LoginFailed
from domain.work.task.events import TaskStatus
from eventstore.memory import MemoryStore
from eventstore.operations.crew import Owns, everything
from eventstore.recorded import READ_BYTES_MAX
from projections.base import document_id
from projections.catalog import PROJECTIONS
from projections.engine.digest import Digest, digest
from projections.engine.mongo.store import MongoReadStore
from projections.engine.projector import PATIENT_SWEEP_S, SWEEP_S, Projector
from projections.engine.rebuild import rebuild
from projections.engine.sqlite.store import SQLiteReadStore
from projections.engine.store import ReadStore, ReadStoreUnavailable, Rebuilding
from projections.work.task import Tasks
from projections.work.task_list import tasks_of_project
from tests.commands.acme import ACCOUNTS, HERE, task, went
from tests.domain.spec import ACME, ANA, ENG, TASK
from tests.projections.engine.counting import ProjectCounts
from tests.projections.spec import (
    a_busy_day,
    live,
    models_of,
    never,
    patient,
    project_all,
    to_the_end,
)
from tests.projections.stores import Opened
from tests.spec import on, opened, record


def nothing(part: int) -> bool:
    """Own nothing: other projectors have all partitions."""
    return part < 0


async def digests(store: ReadStore) -> dict[str, Digest]:
    """Return what every live collection holds."""
    return {one.name: await digest(store, await live(store, one)) for one in PROJECTIONS}


@pytest.fixture
async def reference(tmp_path: Path) -> AsyncIterator[ReadStore]:
    """Give an empty read store beside the one that is tested."""
    store = SQLiteReadStore(tmp_path / "reference.db")
    yield store
    await store.close()


async def test_every_read_model_is_the_same_in_batches_of_any_size_on_any_engine(
    store: ReadStore, reference: ReadStore
) -> None:
    sizes = random.Random(7)  # noqa: S311 - the same sizes each time
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=7)
        await project_all(log, reference)
        more = True
        while more:
            projector = Projector(PROJECTIONS, log, store, never)
            projector.batch_max = projector.catch_up_max = sizes.randint(1, 9)
            more = await projector.step()
            await projector.release()

        found = await digests(store)

    assert found == await digests(reference)
    assert all(one.documents for one in found.values())


async def test_a_task_is_shown_as_its_events_left_it(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *HERE, on(TASK, *went(TaskStatus.IN_PROGRESS)))
        await project_all(log, store)

    page = await tasks_of_project(models_of(store), ACME, ENG)

    assert page.next_key is None
    assert b'"status":"IN_PROGRESS"' in page.items[0]


async def test_all_read_models_are_at_one_position_at_any_moment(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=3)
        projector = Projector([Tasks(), ProjectCounts()], log, store, never)
        projector.batch_max = 3
        while await projector.step():
            control = await store.control()
            assert control is not None
            counts = await store.load(await live(store, ProjectCounts()), [document_id(ACME, ENG)])
            tasks = await store.scan([await live(store, Tasks())], "", 100)
            assert [one.fields["tasks"] for one in counts] in ([], [len(tasks[0])])
            assert {control.reached(name) for name in ("tasks", "counts")} == {control.position()}


async def test_events_of_others_move_the_checkpoint_too(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *HERE, *ACCOUNTS)
        projector = await project_all(log, store, [Tasks()])
        position = await record(log, on(ANA, LoginFailed()))
        await to_the_end(projector)
        mark = await log.mark_at(position)

    control = await store.control()
    assert control is not None
    assert control.position() == position
    assert str(control.part(0).event_id) == mark


async def test_a_log_without_events_is_no_work_and_served_at_once(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        assert not await Projector(PROJECTIONS, log, store, never).step()

    assert (await tasks_of_project(models_of(store), ACME, ENG)).items == []


async def test_large_events_are_projected_in_several_batches_without_a_pause(
    store: ReadStore,
) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *HERE)
        text = "x" * (READ_BYTES_MAX // 2)
        for n in range(5):
            await record(log, on(UUID(int=4_000 + n), replace(task(500 + n), description=text)))
        projector = await project_all(log, store, [Tasks()])
        end = await log.last_position()

        control = await store.control()
        assert control is not None
        assert control.position() == end
        await rebuild(Tasks(), store, projector)

    page = await tasks_of_project(models_of(store, [Tasks()]), ACME, ENG)
    assert page.size == 6


# Several projectors ---------------------------------------------------------


@asynccontextmanager
async def running(*projectors: Projector) -> AsyncGenerator[None, None]:
    """Run *projectors* beside the block."""
    tasks = [asyncio.create_task(one.run()) for one in projectors]
    try:
        yield
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until_at(store: ReadStore, position: int) -> None:
    """Wait until everything has reached *position*."""
    async with asyncio.timeout(30):
        while True:
            with suppress(ReadStoreUnavailable):
                control = await store.control()
                if control is not None and control.serving and control.position() >= position:
                    return
            await asyncio.sleep(0.01)


async def test_two_projectors_at_once_do_no_harm(
    opened_stores: Opened, reference: ReadStore
) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=3)
        rivals = [Projector(PROJECTIONS, log, opened_stores.another(), patient) for _ in range(2)]
        async with running(*rivals):
            for n in range(20):
                await record(log, on(UUID(int=3_000 + n), task(500 + n)))
                await asyncio.sleep(0)
            await until_at(opened_stores.another(), await log.last_position())
        await project_all(log, reference)

    assert await digests(opened_stores.another()) == await digests(reference)


@pytest.mark.parametrize(
    ("woken", "owns", "expected_s"),
    [
        (True, everything, PATIENT_SWEEP_S),
        (False, everything, SWEEP_S),
        (True, nothing, SWEEP_S),
    ],
)
async def test_only_a_projector_that_is_alone_and_woken_for_certain_looks_rarely(
    store: ReadStore, woken: bool, owns: Owns, expected_s: float
) -> None:
    waits = asyncio.Queue[float]()

    async with opened(MemoryStore()) as log:
        projector = Projector(PROJECTIONS, log, store, waits.put, owns=owns, is_woken=lambda: woken)
        async with running(projector), asyncio.timeout(30):
            assert await waits.get() == expected_s


@pytest.mark.servers  # it waits until the lease of a process that is gone has run out
async def test_a_waiting_projector_takes_over_from_one_that_is_gone(opened_stores: Opened) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *HERE)
        gone = await project_all(log, opened_stores.another())
        position = await record(log, on(TASK, *went(TaskStatus.IN_PROGRESS)))
        store = opened_stores.another()
        async with running(Projector(PROJECTIONS, log, store, patient)):
            await until_at(store, position)

            assert gone._leases._fences  # it never gave the lease back


# Outages and other logs ------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """Give a server of the test's own, to be stopped."""
    tmp_path.chmod(0o755)
    return mongo(tmp_path / "server")


@pytest.mark.servers
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_outage_of_the_read_models_is_survived(server: Server) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *HERE)
        with server:
            store = MongoReadStore(server.url, "outage", timeout_s=1)
            async with running(Projector(PROJECTIONS, log, store, patient)):
                await until_at(store, await log.last_position())
                server.stop()
                position = await record(log, on(TASK, *went(TaskStatus.IN_PROGRESS)))
                with pytest.raises(ReadStoreUnavailable):
                    await store.control()
                server.start()
                server.wait_ready()

                await until_at(store, position)
            await store.close()


async def test_read_models_of_another_log_are_rebuilt_and_not_shown(
    opened_stores: Opened,
) -> None:
    store = opened_stores.another()
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        projector = await project_all(log, store)
        await projector.release()
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=2, tasks=5)
        projector = Projector(PROJECTIONS, log, store, never)
        projector.catch_up_max = 1
        await projector.step()
        with pytest.raises(Rebuilding) as shown:
            await tasks_of_project(models_of(store), ACME, ENG)
        await to_the_end(projector)

    assert 0 <= shown.value.progress <= 1
    assert len((await tasks_of_project(models_of(store), ACME, ENG)).items) <= 6


async def test_an_older_backup_under_the_same_id_is_noticed(store: ReadStore) -> None:
    rows = MemoryStore()
    async with opened(rows) as log:
        await record(log, *HERE)
        middle = await log.last_position()
        await record(log, on(TASK, *went(TaskStatus.IN_PROGRESS)))
        projector = await project_all(log, store)
        del rows._rows[0][middle:]  # as a restored backup is: shorter, and then other events
        await record(log, on(UUID(int=901), task(9)), on(UUID(int=902), task(10)))
        projector._read_at = projector._leader._checked_at = float("-inf")  # a minute later
        await to_the_end(projector)

    page = await tasks_of_project(models_of(store), ACME, ENG)
    assert b'"number":10' in page.items[0]
    assert b'"status":"TODO"' in page.items[-1]
