"""One worker at a time sends for an endpoint, and the next one takes over what another leaves."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

import pytest

from deliveries.lease import LEASE_S
from deliveries.ping import new_ping
from eventstore.operations.store import OperationsUnavailable
from runtime.settings import Settings
from tests.deliveries.receiver import Received, Receiver, Reply
from tests.domain.spec import ACME
from tests.freezing import freeze
from tests.workers.stage import ONE, TWO, Stage, environment_in, eventually, seqs
from workers.deliveries import WORKER_SWEEP_S

pytestmark = pytest.mark.servers

LONG_S = 60.0
"""A lease that no worker loses because the machine is busy."""


@asynccontextmanager
async def another_process(settings: Settings) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run a worker that can be killed, on the stores of *settings*."""
    told = environment_in(settings.data_dir, EVENTS_URL=settings.events_url)
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.workers.lone_worker", env={**os.environ, **told}
    )
    try:
        yield worker
    finally:
        if worker.returncode is None:
            worker.kill()
        await worker.wait()


async def test_one_of_two_workers_sends_and_the_other_takes_over_when_it_stops(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering(lease_s=LONG_S) as second:
        async with stage.delivering(lease_s=LONG_S) as first:
            await stage.happen(*[ONE] * 60)
            await receiver.wait_for(20)
            owner = await stage.owner(webhook_id)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 60)
        other = await stage.owner(webhook_id)

    assert {owner, other} <= {first.worker, second.worker}
    assert seqs(receiver.requests) == list(range(2, 62))


async def test_a_killed_workers_deliveries_are_sent_by_another_under_the_same_id(
    stage: Stage, receiver: Receiver
) -> None:
    def script(request: Received) -> Reply:
        stuck = len(receiver.requests) == 5
        return Reply(delay_s=60) if stuck else Reply()

    receiver.answer_by(script)
    webhook_id = await stage.webhook(receiver.url)
    async with another_process(stage.system.settings) as killed:
        await stage.happen(*[ONE] * 10)
        await receiver.wait_for(6)
        killed.kill()
        await killed.wait()
    async with stage.delivering():
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 10)

    came = seqs(receiver.requests)
    assert sorted(set(came)) == list(range(2, 12))
    by_seq = {seq: set[str]() for seq in came}
    for seq, request in zip(came, receiver.requests, strict=True):
        by_seq[seq].add(request.headers["webhook-id"])
    assert all(len(ids) == 1 for ids in by_seq.values())


def test_a_lease_ends_and_is_looked_for_within_five_seconds() -> None:
    assert LEASE_S + WORKER_SWEEP_S < 5.0


async def test_an_endpoint_continues_after_a_kill_during_a_post(
    stage: Stage, receiver: Receiver
) -> None:
    def script(request: Received) -> Reply:
        return Reply(delay_s=60) if seqs([request]) == [3] and not is_killed.is_set() else Reply()

    is_killed = asyncio.Event()
    receiver.answer_by(script)
    webhook_id = await stage.webhook(receiver.url)
    async with another_process(stage.system.settings) as killed:
        await eventually(lambda: stage.is_owned(webhook_id))
        async with stage.delivering() as heir:  # waits for the lease
            await stage.happen(*[ONE] * 4)
            await receiver.wait_for(2)  # the second hangs
            is_killed.set()
            killed.kill()
            await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 4)
            assert await stage.owner(webhook_id) == heir.worker

    assert seqs(receiver.requests) in ([2, 3, 3, 4, 5], [2, 3, 2, 3, 4, 5])
    second = [r.headers["webhook-id"] for r in receiver.requests if seqs([r]) == [3]]
    assert len(set(second)) == 1


async def test_an_engine_whose_lease_was_taken_stops_sending(
    stage: Stage, receiver: Receiver
) -> None:
    stolen_from = await stage.webhook(receiver.url)
    async with Receiver() as elsewhere, stage.delivering():
        await stage.webhook(elsewhere.url)
        await stage.happen(ONE)
        await eventually(lambda: stage.states(stolen_from), ["SUCCESS"])
        fan = (await stage.endpoint(stolen_from)).fan
        await steal(stage, stolen_from)
        # The first of these may still go out; by the end of the second the theft is known.
        for count in (2, 3, 4):
            await stage.happen(ONE)
            await elsewhere.wait_for(count)

    assert (await stage.endpoint(stolen_from)).fan == fan
    assert await stage.owner(stolen_from) == "thief"


async def steal(stage: Stage, webhook_id: UUID) -> None:
    """Have somebody else hold an endpoint for a minute, without its worker being told."""
    store = stage.system.operations
    owner = await stage.owner(webhook_id)
    await store.release(owner, str(webhook_id))
    assert await store.claim("thief", 60.0, [await stage.endpoint(webhook_id)])


async def test_whichever_worker_is_killed_again_and_again_every_event_arrives(
    stage: Stage, receiver: Receiver
) -> None:
    receiver.answer_with(Reply(delay_s=0.02))
    webhooks = [await stage.webhook(receiver.url) for _ in range(3)]
    async with another_process(stage.system.settings) as stands_by:
        for _ in range(3):
            async with another_process(stage.system.settings) as killed:
                await stage.happen(*[ONE, TWO] * 20)
                before = len(receiver.requests)
                await receiver.wait_for(before + 20)
                killed.kill()
        assert stands_by.returncode is None
        for webhook_id in webhooks:
            await eventually(partial(stage.sent, webhook_id), 120)

    assert len({each.headers["webhook-id"] for each in receiver.requests}) == 120


async def test_a_frozen_process_that_locks_the_file_stops_a_worker_only_as_long_as_it_lasts(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url)
    file = stage.system.settings.data_dir / "operations.db"
    async with stage.delivering():
        await stage.happen(ONE)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])
        async with lock_held(str(file)) as holder:
            freeze(holder.pid)
            await stage.happen(ONE, ONE)
            with pytest.raises(OperationsUnavailable, match="locked by another process"):
                await stage.system.operations.add(new_ping(webhook_id, ACME, stage.clock()))
            assert len(await stage.deliveries(webhook_id)) == 1  # reading still works
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 3)

    assert set(seqs(receiver.requests)) == {2, 3, 4}


@asynccontextmanager
async def lock_held(file: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Have another process hold the lock of *file*, until it is killed at the end of the block."""
    holder = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.eventstore.operations.lock_holder",
        file,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"held\n"
        yield holder
    finally:
        holder.kill()
        await holder.wait()
