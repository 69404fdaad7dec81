"""Doorbell: a job in Redis for each organization that has something new to deliver.

It is only a hint. What is due is stored in the log and in rows next to it, so any job can be lost:
without Redis, workers find it by polling every second.
"""

import asyncio
import contextlib
import logging
from typing import Any, cast
from uuid import UUID

import msgspec
from arq import ArqRedis
from redis.exceptions import RedisError

from domain.base import PLATFORM
from runtime.ending import end
from runtime.redis_pool import close_redis, open_pool
from runtime.setting import REDIS_DEADLINE_S

DELIVER = "deliver"
QUEUE = "trackrecord:jobs"
_PAUSE_S = 0.5
"""The minimum time between rounds: commits in between share a job, which costs Redis, the API and a
worker a millisecond each. Wake-ups, which are much cheaper, are what makes workers quick."""

job_bytes = msgspec.msgpack.encode
job_of_bytes = msgspec.msgpack.decode
_logger = logging.getLogger(__name__)


async def open_queue(redis_url: str, deadline_s: float = REDIS_DEADLINE_S) -> ArqRedis:
    """Return a client of the job queue, to be closed with ``close_redis``.

    :raises RedisError: Redis does not answer.
    """
    queue = ArqRedis(
        pool_or_conn=open_pool(redis_url, deadline_s),
        job_serializer=job_bytes,
        job_deserializer=job_of_bytes,
        default_queue_name=QUEUE,
    )
    try:
        await cast(Any, queue).ping()  # without types of its own
    except BaseException:
        await hang_up(queue)
        raise
    return queue


async def hang_up(queue: ArqRedis) -> None:
    """Close a client of the job queue, whether or not Redis answers."""
    with contextlib.suppress(RedisError, OSError):
        await close_redis(queue)


class Doorbell:
    """Enqueues ``deliver`` jobs; never waits and never fails."""

    def __init__(self, redis_url: str = "", deadline_s: float = REDIS_DEADLINE_S) -> None:
        self._redis_url, self._deadline_s = redis_url, deadline_s
        self._waiting: set[UUID] = set()
        self._queue: ArqRedis | None = None
        self._ringing: asyncio.Task[None] | None = None

    def ring(self, org_id: UUID) -> None:
        """Ask for the deliveries of an organization to be looked at soon."""
        if not self._redis_url or org_id == PLATFORM:  # nobody subscribes to the platform
            return
        self._waiting.add(org_id)
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._ring_all())

    async def close(self) -> None:
        """Stop; polling finds what is left."""
        self._redis_url = ""  # what is still committed now is for the sweep
        await end(self._ringing)
        await self._hang_up()

    async def _ring_all(self) -> None:
        try:
            if self._queue is None:
                self._queue = await open_queue(self._redis_url, self._deadline_s)
            await self._enqueue(self._queue)
        except (RedisError, OSError) as error:
            self._waiting.clear()
            _logger.debug("delivery jobs not enqueued: %s", error)
            await self._hang_up()

    async def _enqueue(self, queue: ArqRedis) -> None:
        while self._waiting:
            rung, self._waiting = self._waiting, set()
            for org_id in rung:
                # One pending job per organization is enough.
                await queue.enqueue_job(DELIVER, str(org_id), _job_id=f"{DELIVER}:{org_id}")
            await asyncio.sleep(_PAUSE_S)

    async def _hang_up(self) -> None:
        queue, self._queue = self._queue, None
        if queue is not None:
            await hang_up(queue)
