"""Builds, versions and logs change while several projectors share the partitions."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from domain.base import OrgId
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from projections.base import Projection
from projections.catalog import PROJECTIONS
from projections.engine import leading
from projections.engine.digest import compare
from projections.engine.progress import Progress
from projections.engine.projector import Projector
from projections.engine.rebuild import rebuild, request
from projections.engine.store import ReadStore
from projections.work.label import Labels
from tests.projections.engine.counting import ProjectCounts
from tests.projections.engine.partitions.projectors import (
    ORGANIZATIONS,
    PARTS,
    LabelsOfTomorrow,
    Shares,
    digests,
    found,
    running,
    sharing,
    until,
    until_at_the_end,
)
from tests.projections.spec import a_busy_day, live, never, project_all, to_the_end
from tests.projections.stores import Opened
from tests.spec import opened


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


async def test_a_log_with_another_number_of_partitions_is_begun_again(
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
