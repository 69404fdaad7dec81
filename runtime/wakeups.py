"""Wake-ups: tell the processes that follow the log that it has grown.

A wake-up is only a hint: followers also poll after a short while, so a lost wake-up, or no Redis at
all, costs latency but never an event.
"""

import asyncio
import contextlib
import logging
from typing import Any

from redis.exceptions import RedisError

from eventstore.counters import REDIS_DRIVER, counters_of
from runtime.ending import end
from runtime.redis_pool import close_redis, open_redis
from runtime.setting import REDIS_DEADLINE_S

CHANNEL = "trackrecord:log"
RECONNECT_S = 1.0
_LISTEN_S = 30.0
_logger = logging.getLogger(__name__)


class Wakeups:
    """Sends and receives wake-ups: within the process and, if configured, through Redis."""

    def __init__(self, redis_url: str = "", deadline_s: float = REDIS_DEADLINE_S) -> None:
        self._redis: Any = open_redis(redis_url, deadline_s) if redis_url else None
        self._grown = asyncio.Event()
        self._unsent = 0
        self._sender: asyncio.Task[None] | None = None
        self._receiver: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Start to receive wake-ups from other processes."""
        if self._redis is not None and self._receiver is None:
            self._receiver = asyncio.create_task(self._receive(self._redis))

    def committed(self, position: int) -> None:
        """Announce that the log has grown up to *position*; never waits, never fails."""
        self._ring()
        self._unsent = max(self._unsent, position)
        if self._redis is not None and (self._sender is None or self._sender.done()):
            self._sender = asyncio.create_task(self._send(self._redis))

    async def pass_on(self) -> None:
        """Wake the other processes, whatever the log's position; missing processes are ignored."""
        if self._redis is not None:
            with contextlib.suppress(RedisError, OSError):
                await self._redis.publish(CHANNEL, "0")

    async def wait(self, timeout_s: float) -> None:
        """Return when the log has grown, or after *timeout_s* seconds."""
        grown = self._grown
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await grown.wait()

    async def trouble(self) -> str | None:
        """Return what is wrong with Redis; None if it answers."""
        if self._redis is None:
            return "not set"
        try:
            await self._redis.publish(CHANNEL, "0")
        except (RedisError, OSError) as error:
            return str(error)
        return None

    async def close(self) -> None:
        for task in (self._sender, self._receiver):
            await end(task)
        if self._redis is not None:
            with contextlib.suppress(RedisError, OSError):
                await close_redis(self._redis)

    def _ring(self) -> None:
        # A new event each time, so that everybody who is waiting now is released exactly once.
        self._grown, rung = asyncio.Event(), self._grown
        rung.set()

    async def _send(self, redis: Any) -> None:
        while self._unsent:
            position, self._unsent = self._unsent, 0
            try:
                await redis.publish(CHANNEL, str(position))
            except (RedisError, OSError) as error:
                _logger.debug("wake-up not sent: %s", error)
                return

    async def _receive(self, redis: Any) -> None:
        while True:
            try:
                async with redis.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    while True:
                        # With a timeout of its own: the client's would end the subscription.
                        if await channel.get_message(timeout=_LISTEN_S) is not None:
                            self._ring()
            except (RedisError, OSError) as error:
                _logger.debug("wake-ups are unavailable for now: %s", error)
                counters_of(REDIS_DRIVER).retried()
            await asyncio.sleep(RECONNECT_S)
