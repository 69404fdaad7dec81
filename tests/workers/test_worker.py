"""The worker process: quick with Redis, complete without, and arq may come and go."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from arq import ArqRedis
from msgspec.structs import replace
from redis.asyncio import Redis

from commands.stored_replies import REPLIES_KEPT, SECRETS_KEPT
from deliveries.ping import new_ping
from devstack.redis import redis
from domain.base import PLATFORM
from eventstore.append import Append, KeyUse, SealedReply
from eventstore.counters import REDIS_DRIVER, counters_of
from eventstore.operations.records import Job
from eventstore.recorded import microseconds
from runtime.doorbell import DELIVER, QUEUE, open_queue
from runtime.settings import Settings
from runtime.system import System, open_system
from tests.deliveries.receiver import Receiver
from tests.domain.spec import ACME, OTHER
from tests.workers.stage import ONE, TWO, Stage, eventually, opened_stage, seqs
from workers.housekeeping import (
    DROP_REPLIES,
    JOB_KINDS,
    KEPT,
    PRUNE,
    JobKind,
    prune,
    run_due,
)
from workers.jobs import make_worker
from workers.main import run_jobs, run_worker
from workers.rings import Rings

pytestmark = pytest.mark.servers


@asynccontextmanager
async def running(work: Any) -> AsyncGenerator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def queue(url: str) -> AsyncGenerator[ArqRedis]:
    pool = await open_queue(url)
    try:
        yield pool
    finally:
        await pool.aclose(close_connection_pool=True)


async def test_a_separate_worker_delivers_what_another_process_records(
    settings: Settings, redis_url: str, receiver: Receiver
) -> None:
    settings = replace(settings, redis_url=redis_url)
    async with opened_stage(settings) as stage, running(run_worker(settings)):
        webhook_id = await stage.webhook(receiver.url)
        await stage.happen(ONE, ONE)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 2)


async def test_everything_arrives_without_redis(settings: Settings, receiver: Receiver) -> None:
    async with opened_stage(settings) as stage, running(run_worker(settings)):
        await stage.webhook(receiver.url)
        for _ in range(3):
            await stage.happen(ONE)
        requests = await receiver.wait_for(3)

    assert seqs(requests) == [2, 3, 4]


async def test_emptying_redis_loses_nothing(
    settings: Settings, redis_url: str, receiver: Receiver
) -> None:
    settings = replace(settings, redis_url=redis_url)
    async with opened_stage(settings) as stage, running(run_worker(settings)):
        webhook_id = await stage.webhook(receiver.url)
        await stage.happen(*[ONE] * 50)
        await receiver.wait_for(10)
        async with Redis.from_url(redis_url) as emptied:  # pyright: ignore[reportUnknownMemberType]  # untyped in the library
            await emptied.flushall()
        await stage.happen(*[ONE] * 50)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 100)

    assert seqs(receiver.requests) == list(range(2, 102))


async def test_a_commit_rings_by_a_job_that_an_arq_worker_runs(
    settings: Settings, redis_url: str
) -> None:
    rings = Rings()
    async with opened_stage(replace(settings, redis_url=redis_url)) as stage, queue(redis_url) as q:
        await stage.happen(ONE, TWO)
        await eventually(lambda: q.zcard(QUEUE), 1)
        await make_worker(stage.system, rings, q, burst=True).main()

        assert rings.take() == {ACME}
        assert await q.zcard(QUEUE) == 0


async def test_a_ring_makes_the_sender_look_without_any_sweep(
    stage: Stage, receiver: Receiver, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody but the job tells the engine: its own sweep, and wake-ups, are hours away.
    monkeypatch.setattr("workers.deliveries.WORKER_SWEEP_S", 3_600.0)
    monkeypatch.setattr("workers.sender._LOOK_S", 3_600.0)
    webhook_id = await stage.webhook(receiver.url)
    rings = Rings()
    async with stage.delivering(rings=rings), queue(redis_url) as q:
        await eventually(lambda: stage.is_owned(webhook_id))
        async with opened_stage(stage.system.settings) as other_process:
            await other_process.happen(ONE)
        await q.enqueue_job(DELIVER, str(ACME))
        await make_worker(stage.system, rings, q, burst=True).main()
        await receiver.wait_for(1)


async def test_deliveries_continue_while_redis_is_down_and_arq_restarts_with_it(
    settings: Settings, open_dir: Path, receiver: Receiver
) -> None:
    rings = Rings()
    with redis(open_dir / "redis") as server:
        settings = replace(settings, redis_url=server.url)
        async with (
            opened_stage(settings) as stage,
            running(run_jobs(stage.system, rings, 0.05)),
        ):
            webhook_id = await stage.webhook(receiver.url)
            async with stage.delivering(rings=rings):
                retries = counters_of(REDIS_DRIVER).retries
                server.stop()
                await stage.happen(ONE)
                await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])
                server.start()
                server.wait_ready()
                async with queue(server.url) as pool:
                    await pool.enqueue_job(DELIVER, str(OTHER))
                    await eventually(lambda: pool.zcard(QUEUE), 0)
                assert counters_of(REDIS_DRIVER).retries > retries


async def test_a_ping_and_a_redelivery_are_found_without_redis(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering():
        await stage.happen(ONE)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])
        (sent,) = await stage.deliveries(webhook_id)
        async with opened_stage(stage.system.settings) as api:  # rings nowhere near the worker
            await api.put_back(sent)
            await api.system.operations.add(new_ping(webhook_id, ACME, api.clock()))
        requests = await receiver.wait_for(3)

    assert sorted(seqs(requests)) == [0, 2, 2]


async def test_attempts_are_kept_for_a_month(stage: Stage, receiver: Receiver) -> None:
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering():
        await stage.happen(ONE)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])

    await prune(stage.system)  # the job itself may still be leased to the worker that was ended
    assert len(await stage.attempts(webhook_id, 2)) == 1
    stage.clock.ahead = KEPT + timedelta(days=1)
    await prune(stage.system)
    assert await stage.attempts(webhook_id, 2) == []
    assert await stage.deliveries(webhook_id) == []


async def test_old_deliveries_are_pruned_by_a_sweep_of_any_worker(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering():
        await stage.happen(ONE)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])
        stage.clock.ahead = KEPT + timedelta(days=1)
        await eventually(lambda: stage.deliveries(webhook_id), [])


async def test_old_replies_are_emptied_by_a_sweep_of_any_worker(stage: Stage) -> None:
    log, now = stage.system.log, microseconds(stage.clock())
    reply = SealedReply(200, 1, b"sealed", b"with a secret")
    for _ in range(3):
        key = uuid4().bytes
        use = KeyUse(key_hash=key, request_hash=b"hash", at=now, reply=reply)
        await log.append(Append(rows=[], expects={}, keys={}, key_use=use))

    async def left() -> list[bool]:
        used = await log.used_key(key, PLATFORM)
        assert used is not None
        return [used.reply is not None, used.reply is not None and used.reply.secret is not None]

    await stage.system.operations.keep_job(Job(id=DROP_REPLIES, due_at=stage.clock()))
    for ahead, expected in (
        (SECRETS_KEPT - timedelta(minutes=1), [True, True]),
        (SECRETS_KEPT + timedelta(minutes=1), [True, False]),
        (REPLIES_KEPT - timedelta(minutes=1), [True, False]),
        (REPLIES_KEPT + timedelta(minutes=1), [False, False]),
    ):
        stage.clock.ahead = ahead
        await run_due(stage.system, "worker")
        assert await left() == expected


async def test_a_job_that_is_interrupted_is_due_at_once_and_leased_to_nobody(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = asyncio.Event()

    async def hang(_: System) -> int:
        began.set()
        await asyncio.Event().wait()
        return 0

    monkeypatch.setitem(JOB_KINDS, PRUNE, JobKind(hang, timedelta(hours=24)))
    await stage.system.operations.keep_job(Job(id=PRUNE, due_at=stage.clock()))
    async with running(run_due(stage.system, "one")):
        await began.wait()
        assert await stage.system.operations.at_work(60) == 1

    assert await stage.system.operations.at_work(60) == 0
    assert await stage.system.operations.take_job("two", 60, stage.clock()) is not None


async def test_a_job_that_no_version_knows_is_dropped(stage: Stage) -> None:
    store = stage.system.operations
    await store.keep_job(Job(id="of another version", due_at=stage.clock()))
    await run_due(stage.system, "worker")

    assert await store.take_job("worker", 1.0, stage.clock()) is None


async def test_a_worker_that_starts_before_redis_is_there_waits_for_it(
    settings: Settings, open_dir: Path
) -> None:
    server = redis(open_dir / "redis")
    settings = replace(settings, redis_url=server.url)
    rings = Rings()
    async with (
        open_system(settings) as system,
        running(run_jobs(system, rings, 0.05)),
    ):
        with server:
            async with queue(server.url) as pool:
                await pool.enqueue_job(DELIVER, str(ACME))
                await eventually(lambda: pool.zcard(QUEUE), 0)
                assert rings.take() == {ACME}
