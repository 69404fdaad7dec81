"""Wake-ups: tell the processes that follow the log that it has grown.

A wake-up is only a hint: followers also poll after a short while, so a lost wake-up, or no Redis at
all, costs latency but never an event.

A steady stream of commits is announced in groups: the first one at once, those of the next
``PAUSE_S`` together. Followers then work on batches, and a lone writer does not wait. Nor does a
reader who waits for a follower: what it waits for is announced sooner.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from redis.exceptions import RedisError

from eventstore.counters import REDIS_DRIVER, counters_of
from eventstore.identifiers import new_id
from eventstore.operations.ticks import until_tick
from runtime.ending import end
from runtime.redis_pool import close_redis, open_redis
from runtime.setting import REDIS_DEADLINE_S

CHANNEL = "trackrecord:log"
RECONNECT_S = 1.0
PAUSE_S = 0.045
"""The time between two announcements. Each costs every follower a batch of its own, and nobody
notices so small a delay of what happens without being asked for."""
HURRIED_S = 0.015
"""The time between two announcements while somebody waits for a follower."""
_LISTEN_S = 30.0

Listener = Callable[[float], Awaitable[bool]]
"""Returns whether the log has grown since the last call, after at most that many seconds."""

_logger = logging.getLogger(__name__)


class Wakeups:
    """Sends and receives wake-ups: within the process and, if configured, through Redis."""

    def __init__(self, redis_url: str = "", deadline_s: float = REDIS_DEADLINE_S) -> None:
        self._redis: Any = open_redis(redis_url, deadline_s) if redis_url else None
        self._name = new_id().hex.encode()
        self.hears = False
        """Whether wake-ups from other processes arrive at present."""
        self._heard = 0
        self._listeners: list[Callable[[], None]] = []
        self._next = asyncio.Event()
        self._unannounced = 0
        self._hurried = asyncio.Event()
        self._announcer: asyncio.Task[None] | None = None
        self._unsent = 0
        self._sender: asyncio.Task[None] | None = None
        self._receiver: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Start to receive wake-ups from other processes."""
        if self._redis is not None and self._receiver is None:
            self._receiver = asyncio.create_task(self._receive(self._redis))

    def committed(self, position: int) -> None:
        """Announce that the log has grown up to *position*; never waits, never fails."""
        self._unannounced = max(self._unannounced, position)
        if self._announcer is None or self._announcer.done():
            self._announcer = asyncio.create_task(self._announce())

    def hurry(self) -> None:
        """Announce now, for a reader who waits; what it waits for may be from another process."""
        self._hurried.set()
        self.committed(1)

    def on_ring(self, listener: Callable[[], None]) -> None:
        """Call *listener* before anybody in this process is woken."""
        self._listeners.append(listener)

    def ring(self) -> None:
        """Wake those who wait in this process."""
        # A new event each time, so that everybody who is waiting now is released exactly once.
        for listener in self._listeners:
            listener()
        self._heard += 1
        self._next, rung = asyncio.Event(), self._next
        rung.set()

    async def pass_on(self) -> None:
        """Wake the other processes, whatever the log's position; missing processes are ignored."""
        if self._redis is not None:
            with contextlib.suppress(RedisError, OSError):
                await self._redis.publish(CHANNEL, self._name)

    def listener(self) -> Listener:
        """Return how one follower waits; what was announced while it worked ends its next wait."""
        heard = self._heard

        async def wait(timeout_s: float) -> bool:
            nonlocal heard
            if heard == self._heard:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(until_tick(timeout_s)):
                        await self._next.wait()
            before, heard = heard, self._heard
            return before != heard

        return wait

    async def trouble(self) -> str | None:
        """Return what is wrong with Redis; None if it answers."""
        if self._redis is None:
            return "not set"
        try:
            await self._redis.publish(CHANNEL, self._name)
        except (RedisError, OSError) as error:
            return str(error)
        return None

    async def close(self) -> None:
        for task in (self._announcer, self._sender, self._receiver):
            await end(task)
        if self._redis is not None:
            with contextlib.suppress(RedisError, OSError):
                await close_redis(self._redis)

    async def _announce(self) -> None:
        while self._unannounced:
            self._unsent, self._unannounced = self._unannounced, 0
            self._hurried.clear()
            self.ring()
            # Sent by a task of its own: a Redis that hangs must not delay the next ring.
            if self._redis is not None and (self._sender is None or self._sender.done()):
                self._sender = asyncio.create_task(self._send(self._redis))
            await asyncio.sleep(HURRIED_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_S - HURRIED_S):
                    await self._hurried.wait()

    async def _send(self, redis: Any) -> None:
        while self._unsent:
            self._unsent = 0
            try:
                await redis.publish(CHANNEL, self._name)
            except (RedisError, OSError) as error:
                _logger.debug("wake-up not sent: %s", error)

    async def _receive(self, redis: Any) -> None:
        while True:
            try:
                async with redis.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    while True:
                        # With a timeout of its own: the client's would end the subscription.
                        message = await channel.get_message(timeout=_LISTEN_S)
                        self.hears = self.hears or message is not None  # it subscribed
                        if message is not None and message["data"] != self._name:
                            self.ring()  # not for our own: those who wait here were woken
            except (RedisError, OSError) as error:
                _logger.debug("wake-ups are unavailable for now: %s", error)
                counters_of(REDIS_DRIVER).retried()
            self.hears = False
            await asyncio.sleep(RECONNECT_S)
