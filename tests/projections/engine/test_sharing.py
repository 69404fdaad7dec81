"""Several projectors share the partitions of a log, whatever happens to one of them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.base import OrgId
from domain.work.label import LabelCreated
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from projections.base import Projection
from projections.catalog import PROJECTIONS
from projections.engine import leading
from projections.engine.control import Control
from projections.engine.digest import Digest, compare, digest
from projections.engine.progress import Progress
from projections.engine.projector import Projector
from projections.engine.rebuild import rebuild, request
from projections.engine.sqlite.store import SQLiteReadStore
from projections.engine.store import OutOfTurn, ReadStore, ReadStoreUnavailable
from projections.work.label import Labels
from tests.domain.spec import ANA, NOW
from tests.projections.engine.counting import ProjectCounts
from tests.projections.spec import a_busy_day, live, never, patient, project_all, to_the_end
from tests.projections.stores import Opened
from tests.spec import on, opened, record

PARTS = 8
ORGANIZATIONS = [OrgId(UUID(int=7_000 + n)) for n in range(40)]


class Shares:
    """Says which of some projectors owns which partition, as a crew does."""

    def __init__(self, members: int) -> None:
        self.members = list(range(members))

    def of(self, member: int) -> Callable[[int], bool]:
        """Return what one of them owns."""
        return lambda part: (
            member in self.members and self.members[part % len(self.members)] == member
        )


class LabelsOfTomorrow(Labels):
    """A newer version of the same read model."""

    version = Labels.version + 1


@pytest.fixture
async def log() -> AsyncIterator[EventLog]:
    """Give a log with events in all partitions."""
    async with opened(MemoryStore(parts=PARTS)) as log:
        await a_busy_day(log, seed=5)
        await found(log, ORGANIZATIONS)
        assert all([await log.last_position(part) for part in range(PARTS)])
        yield log


async def found(log: EventLog, organizations: Sequence[OrgId]) -> None:
    """Record what is one document of each of some organizations."""
    for org_id in organizations:
        created = LabelCreated(name="Bug", color="#ff0000", created_by=ANA, created_at=NOW)
        await record(log, on(org_id, created, org_id=org_id))


@pytest.fixture
async def reference(tmp_path: Path) -> AsyncIterator[ReadStore]:
    """Give an empty read store beside the one that is tested."""
    store = SQLiteReadStore(tmp_path / "reference.db")
    yield store
    await store.close()


async def digests(store: ReadStore) -> dict[str, Digest]:
    """Return what every live collection holds."""
    return {one.name: await digest(store, await live(store, one)) for one in PROJECTIONS}


def sharing(
    log: EventLog,
    stores: Opened,
    shares: Shares,
    projections: Sequence[Projection[Any]] = PROJECTIONS,
) -> list[Projector]:
    """Return a projector for each member, each as in a process of its own."""
    return [
        Projector(projections, log, stores.another(), patient, owns=shares.of(member))
        for member in shares.members
    ]


@asynccontextmanager
async def running(*projectors: Projector) -> AsyncGenerator[list["asyncio.Task[None]"]]:
    """Run *projectors* beside the block."""
    tasks = [asyncio.create_task(one.run()) for one in projectors]
    try:
        yield tasks
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(store: ReadStore, reached: Callable[[Control], bool]) -> Control:
    """Wait until the control record is as wanted, and return it."""
    async with asyncio.timeout(60):
        while True:
            with suppress(ReadStoreUnavailable):
                control = await store.control()
                if control is not None and control.serving and reached(control):
                    return control
            await asyncio.sleep(0.01)


async def until_at_the_end(store: ReadStore, log: EventLog) -> Control:
    """Wait until all read models hold everything that is in the log now."""
    heads = {part: await log.last_position(part) for part in range(log.parts)}
    return await until(store, lambda control: is_at(control, heads))


def is_at(control: Control, heads: dict[int, int]) -> bool:
    """Return whether all read models have reached these positions."""
    return all(
        control.reached(model, part) >= head
        for model in control.live_names
        for part, head in heads.items()
    )


def held(projector: Projector) -> set[int]:
    """Return the partitions whose leases a projector holds."""
    return set(projector._leases._fences)


async def until_held(projectors: Sequence[Projector], parts: Sequence[set[int]]) -> None:
    """Wait until each projector holds the leases of its own partitions."""
    async with asyncio.timeout(30):
        while True:
            if [held(one) for one in projectors] == list(parts):
                return
            await asyncio.sleep(0.01)


async def test_projectors_that_share_the_partitions_write_what_one_alone_would(
    log: EventLog, opened_stores: Opened, reference: ReadStore
) -> None:
    projectors = sharing(log, opened_stores, Shares(3))
    async with running(*projectors):
        await until_held(projectors, [{0, 3, 6}, {1, 4, 7}, {2, 5}])
        await found(log, [OrgId(UUID(int=8_000 + n)) for n in range(20)])
        await until_at_the_end(opened_stores.another(), log)
    await project_all(log, reference)

    assert await digests(opened_stores.another()) == await digests(reference)


async def test_one_that_comes_and_one_that_goes_change_the_shares(
    log: EventLog, opened_stores: Opened, reference: ReadStore
) -> None:
    shares = Shares(2)
    projectors = sharing(log, opened_stores, shares)
    store = opened_stores.another()
    async with running(*projectors) as tasks:
        await until_at_the_end(store, log)
        shares.members.append(2)
        third = Projector(PROJECTIONS, log, opened_stores.another(), patient, owns=shares.of(2))
        async with running(third):
            await until_held([*projectors, third], [{0, 3, 6}, {1, 4, 7}, {2, 5}])
            await found(log, [OrgId(UUID(int=8_000 + n)) for n in range(20)])
            tasks[0].cancel()  # the one that leads
            shares.members.remove(0)
            await until_held([projectors[1], third], [{0, 2, 4, 6}, {1, 3, 5, 7}])
            await found(log, [OrgId(UUID(int=9_000 + n)) for n in range(20)])
            await until_at_the_end(store, log)
    await project_all(log, reference)

    assert await digests(store) == await digests(reference)


@pytest.mark.servers  # it waits until the leases of a process that is gone have run out
async def test_the_partitions_of_one_that_is_gone_are_taken_over(
    log: EventLog, opened_stores: Opened, reference: ReadStore
) -> None:
    shares, store = Shares(2), opened_stores.another()
    gone, other = sharing(log, opened_stores, shares)
    async with running(other):
        async with asyncio.timeout(30):
            while True:
                if not await gone.step() and held(gone) == {0, 2, 4, 6}:
                    break
                await asyncio.sleep(0.01)
        await found(log, [OrgId(UUID(int=8_000 + n)) for n in range(20)])
        shares.members.remove(0)
        await until_held([other], [set(range(PARTS))])
        await until_at_the_end(store, log)

        with suppress(OutOfTurn):
            assert not await gone.step()  # it has nothing to say any more
    await project_all(log, reference)

    assert await digests(store) == await digests(reference)


async def test_a_read_model_is_rebuilt_and_compared_by_all_who_share_it(
    log: EventLog, opened_stores: Opened
) -> None:
    store = opened_stores.another()
    async with running(*sharing(log, opened_stores, Shares(3))):
        await until_at_the_end(store, log)
        beside = Projector(PROJECTIONS, log, opened_stores.another(), never)
        founding = asyncio.create_task(found(log, [OrgId(UUID(int=8_000 + n)) for n in range(60)]))
        name = await rebuild(Labels(), store, beside)
        verdict = await compare(Labels(), store, beside)
        await founding
        await until_at_the_end(store, log)
        again = await compare(Labels(), store, beside)
        await beside.release()

    assert name == f"labels_v{Labels.version}_b2"
    assert verdict.equal
    assert again.equal
    assert again.live.documents == len(ORGANIZATIONS) + 60 + 1


async def test_a_new_version_is_built_in_all_partitions_before_it_is_shown(
    log: EventLog, opened_stores: Opened
) -> None:
    store, today, tomorrow = opened_stores.another(), [Labels()], [LabelsOfTomorrow()]
    await (await project_all(log, opened_stores.another(), today)).release()
    first, second = sharing(log, opened_stores, Shares(2), tomorrow)
    for _ in range(5):
        await first.step()
    control = await store.control()
    assert control is not None
    building = control.building("labels")
    assert building is not None
    assert control.behind(building).keys() == {1, 3, 5, 7}
    assert (await live(store, Labels())).collection == f"labels_v{Labels.version}_b1"
    await second.step()

    async with running(first, second):
        await until(store, lambda control: control.live_names == {"labels": building.name})


async def test_an_older_version_leaves_the_partitions_to_the_newer_one(
    log: EventLog, opened_stores: Opened
) -> None:
    store = opened_stores.another()
    [old] = sharing(log, opened_stores, Shares(1), [Labels()])
    alone = Shares(1)
    [new] = sharing(log, opened_stores, alone, [LabelsOfTomorrow()])
    async with running(old) as [task]:
        await until_at_the_end(store, log)
        async with running(new):
            task.cancel()  # as in an upgrade: one ends after the other
            wanted = f"labels_v{LabelsOfTomorrow.version}_b2"
            control = await until(store, lambda control: control.live_names["labels"] == wanted)

    assert control.partitions == PARTS


async def test_another_log_is_noticed_by_the_one_who_leads_and_begun_by_all(
    log: EventLog, opened_stores: Opened, reference: ReadStore
) -> None:
    store = opened_stores.another()
    async with running(*sharing(log, opened_stores, Shares(3))):
        before = await until_at_the_end(store, log)
    async with opened(MemoryStore(parts=PARTS)) as other:
        await a_busy_day(other, seed=6)
        await found(other, ORGANIZATIONS[:9])
        async with running(*sharing(other, opened_stores, Shares(3))):
            after = await until(store, lambda control: control.life != before.life)
            await until_at_the_end(store, other)
        await project_all(other, reference)

        assert after.log == await other.identity()
        assert await digests(store) == await digests(reference)


async def test_a_log_with_another_number_of_partitions_is_begun_anew(
    log: EventLog, opened_stores: Opened, reference: ReadStore
) -> None:
    store = opened_stores.another()
    await (await project_all(log, opened_stores.another())).release()
    async with opened(MemoryStore(parts=3)) as other:
        await found(other, ORGANIZATIONS)
        await project_all(other, store)
        await project_all(other, reference)
        progress = Progress(store, other)
        for part in range(3):
            assert await progress.reached("labels", await other.last_position(part), 5, part)

        assert await digests(store) == await digests(reference)


async def test_what_is_patient_waits_in_a_busy_partition_alone(
    log: EventLog, opened_stores: Opened
) -> None:
    class PatientLabels(Labels):
        patient = True

    store = opened_stores.another()
    models: list[Projection[Any]] = [PatientLabels(), ProjectCounts()]
    projector = Projector(models, log, store, never)
    await to_the_end(projector)
    busy = log.part(ORGANIZATIONS[0])
    crowd = [org for n in range(400) if log.part(org := OrgId(UUID(int=20_000 + n))) == busy][:12]
    await found(log, crowd)
    projector.batch_max = 3
    await projector.release()
    for _ in range(2):
        await projector.step()
    control = await store.control()
    assert control is not None
    assert {p for p in range(PARTS) if control.reached("labels", p) < control.position(p)} == {busy}
    await to_the_end(projector)

    last = await log.last_position(busy)
    after = await store.control()
    assert after is not None
    assert after.reached("labels", busy) == last


async def test_what_was_replaced_is_deleted_once_all_follow_the_plan(
    log: EventLog, opened_stores: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leading, "GRACE_S", 0.0)
    store, models = opened_stores.another(), [Labels()]
    first, second = sharing(log, opened_stores, Shares(2), models)
    for one in (first, second, first, second, first):
        await one.step()
    old = await live(store, Labels())
    name = await request(store, Labels())
    async with asyncio.timeout(30):
        while (await live(store, Labels())).collection != name:
            await second.step()
            await first.step()  # it leads, and is the last one to do something
    for _ in range(20):
        await first.step()
    key = f"{ORGANIZATIONS[0]}:{ORGANIZATIONS[0]}"
    assert len(await store.load(old, [key])) == 1

    async with running(first, second):
        await until(store, lambda control: control.named(old.collection) is None)
