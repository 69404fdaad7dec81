"""Workers share the webhooks of a log fairly, and pass them on when others come and go."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

import pytest

from eventstore.operations.crew import Crew, crew_joined, slot_of
from tests.deliveries.receiver import Receiver
from tests.workers.stage import ONE, QUICK, Stage, eventually, seqs
from workers.deliveries import Deliveries

pytestmark = pytest.mark.servers

WEBHOOKS = 12
_Worker = tuple[Deliveries, Crew]


@asynccontextmanager
async def a_worker(stage: Stage) -> AsyncGenerator[_Worker]:
    """Run a delivery engine that shares the webhooks with the others of its kind."""
    async with crew_joined(stage.system.operations, "workers") as crew:
        engine = Deliveries(stage.system, schedule=QUICK, owns=crew.owns)
        running = asyncio.create_task(engine.run())
        try:
            yield engine, crew
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


async def are_served(stage: Stage, webhooks: list[UUID], *workers: _Worker) -> bool:
    """Return whether each webhook is served by the one of *workers* that it is for."""
    for webhook_id in webhooks:
        slot = slot_of(str(webhook_id))
        wanted = [engine.worker for engine, crew in workers if crew.owns(slot)]
        if wanted != [await stage.owner(webhook_id)]:
            return False
    return all(len(crew.members) == len(workers) for _, crew in workers)


async def test_each_worker_serves_its_share_and_nothing_is_missed_or_sent_twice(
    stage: Stage, receiver: Receiver
) -> None:
    webhooks = [await stage.webhook(receiver.url) for _ in range(WEBHOOKS)]
    served = partial(are_served, stage, webhooks)

    async with a_worker(stage) as one, a_worker(stage) as two:
        await stage.happen(*[ONE] * 5)
        await eventually(partial(served, one, two))
        async with a_worker(stage) as three:  # came later, and gets some that are served
            await eventually(partial(served, one, two, three))
            await stage.happen(*[ONE] * 5)
        await eventually(partial(served, one, two))
        for webhook_id in webhooks:
            await eventually(partial(stage.sent, webhook_id), 10)

    came = Counter(seqs(receiver.requests))
    assert set(came.values()) == {WEBHOOKS}
    assert len(receiver.requests) == WEBHOOKS * 10
