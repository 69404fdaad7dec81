"""A read store that is too slow for a large batch gets smaller ones; all events are projected."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest

from eventstore.memory import MemoryStore
from projections.engine import leases
from projections.engine.control import Control
from projections.engine.projector import Projector
from projections.engine.shift import PASS_MAX
from projections.engine.sqlite.store import SQLiteReadStore
from projections.engine.store import Batch, ReadStoreUnavailable
from projections.work.task import Tasks
from projections.work.task_list import tasks_of_project
from tests.commands.acme import HERE, task
from tests.domain.spec import ACME, ENG
from tests.projections.engine.test_projector import running, until_at
from tests.projections.spec import models_of, patient
from tests.spec import on, opened, record

MANAGED = 25
"""How many documents the store writes before its deadline."""
TASKS_CREATED = 120


class SlowStore(SQLiteReadStore):
    """A store on a slow disk: a batch of more than *managed* documents misses the deadline."""

    failures, managed = 0, MANAGED

    async def write(self, batch: Batch) -> Control:
        if sum(len(documents) for _, documents, _ in batch.written) > self.managed:
            self.failures += 1
            raise ReadStoreUnavailable("the deadline has passed")
        return await super().write(batch)


async def test_a_store_that_does_not_manage_a_batch_gets_smaller_ones(tmp_path: Path) -> None:
    store = SlowStore(tmp_path / "readmodels.db")
    async with opened(MemoryStore()) as log:
        await record(log, *HERE)
        for number in range(500, 500 + TASKS_CREATED):
            await record(log, on(UUID(int=number), task(number)))
        async with running(Projector([Tasks()], log, store, patient)):
            await until_at(store, await log.last_position())

    page = await tasks_of_project(models_of(store, [Tasks()]), ACME, ENG, limit=200)
    await store.close()
    assert store.failures > 0
    assert page.size == TASKS_CREATED + 1


async def test_the_first_batch_asks_no_more_than_later_ones_of_a_store_that_nobody_knows(
    tmp_path: Path,
) -> None:
    store = SlowStore(tmp_path / "readmodels.db")
    store.managed = PASS_MAX
    async with opened(MemoryStore()) as log:
        await record(log, *HERE)
        await record(log, *(on(UUID(int=n), task(n)) for n in range(500, 501 + PASS_MAX)))
        async with running(Projector([Tasks()], log, store, patient)):
            await until_at(store, await log.last_position())

    await store.close()
    assert store.failures == 0


class DeafStore(SQLiteReadStore):
    """A store whose driver reports an outage where a renewal is cancelled while it waits."""

    renewing: asyncio.Event | None = None

    async def lease(
        self, owner: str, seconds: float, parts: Sequence[int] = (0,)
    ) -> dict[int, int]:
        if self.renewing is None:
            return await super().lease(owner, seconds, parts)
        self.renewing.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ReadStoreUnavailable("the connection is gone") from None
        return {}


async def test_leases_are_renewed_no_longer_though_the_driver_takes_the_end_for_an_outage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEW_S", 0.01)
    monkeypatch.setattr(leases, "_LATE_S", 0.0)
    store = DeafStore(tmp_path / "readmodels.db")
    held = leases.PartLeases(store, lambda: [0])
    assert await held.held()
    store.renewing = asyncio.Event()
    renewing = asyncio.create_task(held.renew())
    await store.renewing.wait()

    renewing.cancel()

    await asyncio.wait([renewing], timeout=10)
    has_ended = renewing.done()
    renewing.cancel()  # again, so that one that goes on does not keep the test from ending
    await store.close()
    assert has_ended
