"""The worker process: quick with Redis, complete without, and arq may come and go."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from arq import ArqRedis
from msgspec.structs import replace
from redis.asyncio import Redis

from deliveries.records import ATTEMPTS, prune
from devstack.redis import redis
from runtime.settings import Settings
from runtime.system import open_system
from tests.deliveries.receiver import Receiver
from tests.domain.spec import ACME
from tests.workers.stage import ONE, Stage, eventually, opened_stage, seqs
from workers.jobs import KEPT, make_worker, open_queue
from workers.main import run_jobs, run_worker

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
        await pool.aclose()


async def test_a_worker_of_its_own_delivers_what_another_process_records(
    settings: Settings, redis_url: str, receiver: Receiver
) -> None:
    settings = replace(settings, redis_url=redis_url)
    async with opened_stage(settings) as stage, running(run_worker(settings)):
        webhook_id = await stage.webhook(receiver.url)
        await stage.happen(ONE, ONE)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 2)


async def test_without_redis_everything_arrives_too(settings: Settings, receiver: Receiver) -> None:
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


async def test_deliveries_go_on_while_redis_is_down_and_arq_comes_back_with_it(
    settings: Settings, open_dir: Path, receiver: Receiver
) -> None:
    with redis(open_dir / "redis") as server:
        settings = replace(settings, redis_url=server.url)
        async with opened_stage(settings) as stage, running(run_jobs(stage.system, 0.05)):
            webhook_id = await stage.webhook(receiver.url)
            async with stage.delivering():
                server.stop()
                await stage.happen(ONE)
                await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])
                server.start()
                server.wait_ready()
                async with queue(server.url) as pool:
                    await pool.enqueue_job("ping", str(webhook_id), str(ACME))
                ping = (await receiver.wait_for(2, timeout_s=15))[1]

    assert stage.verified(webhook_id, ping)["type"] == "webhook.ping"


async def test_jobs_can_be_asked_for_twice_and_happen_once(
    settings: Settings, redis_url: str, receiver: Receiver
) -> None:
    async with opened_stage(replace(settings, redis_url=redis_url)) as stage:
        webhook_id = await stage.webhook(receiver.url)
        async with stage.delivering(), queue(redis_url) as pool:
            await stage.happen(ONE)
            await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])
            (sent,) = await stage.deliveries(webhook_id)
            for _ in range(2):
                await pool.enqueue_job("redeliver", str(webhook_id), sent.id, _job_id=sent.id)
            await make_worker(stage.system, pool, burst=True).main()
            await receiver.wait_for(2)
            await eventually(lambda: stage.count(open=True), 0)

    assert seqs(receiver.requests) == [2, 2]


async def test_attempts_are_kept_for_a_month(stage: Stage, receiver: Receiver) -> None:
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering():
        await stage.happen(ONE)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])
    database = stage.system.database

    assert await prune(database, stage.clock() - KEPT) == 0
    assert await prune(database, stage.clock() + timedelta(minutes=1)) == 1
    assert await database[ATTEMPTS].count_documents({}) == 0


async def test_a_worker_that_starts_before_redis_is_there_waits_for_it(
    settings: Settings, open_dir: Path
) -> None:
    server = redis(open_dir / "redis")
    settings = replace(settings, redis_url=server.url)
    async with open_system(settings) as system, running(run_jobs(system, 0.05)):
        with server:
            async with queue(server.url) as pool:
                await pool.enqueue_job("prune_deliveries")
                await eventually(lambda: pool.zcard(pool.default_queue_name), 0)
