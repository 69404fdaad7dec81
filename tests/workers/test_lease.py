"""One worker at a time sends for an endpoint, and the next one takes over what another leaves."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from pymongo.errors import PyMongoError

from deliveries.lease import Leases
from deliveries.ledger import LeaseLost, Ledger
from deliveries.records import ENDPOINTS
from deliveries.subscriptions import KnownWebhooks
from projections.engine.checkpoints import Database
from runtime.settings import Settings
from tests.deliveries.receiver import Received, Receiver, Reply
from tests.deliveries.sending import LOOPBACK
from tests.workers.lone_worker import LEASE_S
from tests.workers.stage import ONE, Stage, eventually, seqs

pytestmark = pytest.mark.servers


@asynccontextmanager
async def another_process(settings: Settings) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run a worker that can be killed, on the stores of *settings*."""
    told = {
        "APP_ENV": "test",
        "DATA_DIR": str(settings.data_dir),
        "MONGODB_URI": settings.mongodb_uri,
        "MONGODB_DATABASE": settings.mongodb_database,
        "WEBHOOK_ALLOW_NETWORKS": str(LOOPBACK),
    }
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.workers.lone_worker", env={**os.environ, **told}
    )
    try:
        yield worker
    finally:
        if worker.returncode is None:
            worker.kill()
        await worker.wait()


async def test_of_two_workers_one_sends_and_the_other_goes_on_when_it_stops(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering() as second:
        async with stage.delivering() as first:
            await stage.happen(*[ONE] * 60)
            await receiver.wait_for(20)
            owner = await stage.owner(webhook_id)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 60)
        other = await stage.owner(webhook_id)

    assert {owner, other} <= {first.worker, second.worker}
    assert seqs(receiver.requests) == list(range(2, 62))


async def test_a_killed_worker_is_replaced_and_what_it_held_is_sent_under_the_same_id(
    stage: Stage, receiver: Receiver
) -> None:
    def script(request: Received) -> Reply:
        stuck = len(receiver.requests) == 5
        return Reply(delay_s=60) if stuck else Reply()

    receiver.answer_by(script)
    webhook_id = await stage.webhook(receiver.url)
    async with another_process(stage.system.settings) as killed:
        await stage.happen(*[ONE] * 10)
        await receiver.wait_for(6, timeout_s=20)
        killed.kill()
        await killed.wait()
    async with stage.delivering(lease_s=LEASE_S):
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 10)

    came = seqs(receiver.requests)
    assert sorted(set(came)) == list(range(2, 12))
    by_seq = {seq: set[str]() for seq in came}
    for seq, request in zip(came, receiver.requests, strict=True):
        by_seq[seq].add(request.headers["webhook-id"])
    assert all(len(ids) == 1 for ids in by_seq.values())


async def test_a_worker_killed_in_a_transaction_stops_nobody(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url)
    endpoints = stage.system.database[ENDPOINTS]
    known = KnownWebhooks(stage.system.log)
    await known.open()
    dead = Leases(stage.system.database, "dead", stage.clock, lease_s=0.1)
    (held,) = await dead.acquire(known.known.values())
    async with held.session as left_open:
        await left_open.start_transaction()
        await endpoints.update_one(
            {"_id": str(webhook_id)}, {"$set": {"fan": 9}}, session=left_open
        )
        await stage.happen(ONE)
        async with stage.delivering():
            await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])
            with contextlib.suppress(PyMongoError):
                await left_open.commit_transaction()

    assert (await stage.endpoint(webhook_id))["fan"] == 2


async def test_a_worker_that_has_lost_its_lease_writes_nothing(
    database: Database,
) -> None:
    lease = {"owner": "other", "fence": 2}
    await database[ENDPOINTS].insert_one({"_id": "w", "fan": 7, "lease": lease})
    zombie = Ledger(database, "w", 1, database.client.start_session())
    zombie.set(fan=3)

    with pytest.raises(LeaseLost):
        await zombie.flush()
    await zombie.close()

    assert await database[ENDPOINTS].find_one({"_id": "w"}, {"fan": 1}) == {"_id": "w", "fan": 7}


async def test_an_engine_whose_lease_was_taken_stops_sending(
    stage: Stage, receiver: Receiver
) -> None:
    stolen_from = await stage.webhook(receiver.url)
    async with Receiver() as elsewhere, stage.delivering():
        await stage.webhook(elsewhere.url)
        await stage.happen(ONE)
        await eventually(lambda: stage.states(stolen_from), ["SUCCESS"])
        taken = {"lease.owner": "thief", "lease.until": stage.clock() + timedelta(hours=1)}
        await stage.system.database[ENDPOINTS].update_one(
            {"_id": str(stolen_from)}, {"$set": taken, "$inc": {"lease.fence": 1}}
        )
        fan = (await stage.endpoint(stolen_from))["fan"]
        # The first of these may still go out; by the end of the second the theft is known.
        for count in (2, 3, 4):
            await stage.happen(ONE)
            await elsewhere.wait_for(count)

    assert (await stage.endpoint(stolen_from))["fan"] == fan
    assert await stage.owner(stolen_from) == "thief"
