"""Background jobs, run by arq.

Redis may lose any of them: each is made again from what MongoDB has, by its schedule or by asking
again. What must happen (deliveries, their retries) is never a job.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from arq import ArqRedis, Worker, create_pool
from arq.connections import RedisSettings
from arq.cron import cron

from deliveries.records import add_ping, prune, put_back
from runtime.system import System

KEPT = timedelta(days=30)
"""How long attempts and ended deliveries can be looked up."""

JOB_TIMEOUT_S = 20
_POLL_S = 0.05
"""arq looks for jobs this often; its default of 0.5 s is also how long each of them would wait."""

HEALTH_CHECK_S = 10

_Context = dict[str, Any]


async def ping(ctx: _Context, webhook_id: str, org_id: str) -> str:
    """Send a test event to a webhook; return the id of its delivery."""
    system: System = ctx["house"]
    made = await add_ping(system.database, UUID(webhook_id), UUID(org_id), system.clock())
    await _wake(system)
    return made.id


async def redeliver(ctx: _Context, webhook_id: str, delivery: str) -> bool:
    """Send a delivery that has ended once more; say whether there was one."""
    system: System = ctx["house"]
    found = await put_back(system.database, UUID(webhook_id), delivery, system.clock())
    await _wake(system)
    return found


async def prune_deliveries(ctx: _Context) -> int:
    """Remove attempts and deliveries older than ``KEPT``; return how many attempts."""
    system: System = ctx["house"]
    return await prune(system.database, system.clock() - KEPT)


async def open_queue(redis_url: str) -> ArqRedis:
    """Return a connection to the queue, to close with ``aclose``.

    :raises RedisError: when Redis does not answer; whoever supervises tries again.
    """
    settings = RedisSettings.from_dsn(redis_url)
    settings.conn_retries = 0
    return await create_pool(
        settings,
        job_serializer=msgspec.msgpack.encode,
        job_deserializer=msgspec.msgpack.decode,
    )


def make_worker(system: System, queue: ArqRedis, *, burst: bool = False) -> Worker:
    """Return an arq worker; with *burst* it ends when no job is left.

    Results are not kept, as a kept result blocks the next job of the same id.
    """
    return Worker(
        functions=[ping, redeliver, prune_deliveries],
        cron_jobs=[cron(prune_deliveries, hour={3}, minute={20}, run_at_startup=True)],
        redis_pool=queue,
        queue_name=None,
        ctx={"house": system},
        burst=burst,
        handle_signals=False,
        job_timeout=JOB_TIMEOUT_S,
        keep_result=0,
        poll_delay=_POLL_S,
        health_check_interval=HEALTH_CHECK_S,
        job_serializer=msgspec.msgpack.encode,
        job_deserializer=msgspec.msgpack.decode,
    )


async def _wake(system: System) -> None:
    system.wakeups.committed(await system.log.last_position())
