"""Rate limits that all API processes share: the generic cell rate algorithm (GCRA) in Redis.

One script takes from all limits of a request in one round trip. While Redis is away, or does not
answer in time, each process counts for itself.
"""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct
from redis.exceptions import RedisError

from runtime.redis_pool import close_redis, open_redis

ANSWER_DEADLINE_S = 0.25
"""How long a request waits for Redis at most."""
AWAY_S = 1.0
"""How long Redis is not asked again after it did not answer."""

_PREFIX = "trackrecord:rate:"
_SCRIPT = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local answers = {}
for i, key in ipairs(KEYS) do
  local step, capacity = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
  local due = math.max(tonumber(redis.call('GET', key) or '0'), now)
  local room = math.floor((capacity - (due - now)) / step + 0.000001)
  local granted = math.min(tonumber(ARGV[3 * i]), math.max(room, 0))
  if granted > 0 then
    due = due + granted * step
    local left_ms = string.format('%.0f', math.ceil((due - now) / 1000))
    redis.call('SET', key, string.format('%.0f', due), 'PX', left_ms)
  end
  answers[i] = {granted, string.format('%.0f', due - now)}
  if granted == 0 then break end
end
return answers
"""
"""KEYS: one a limit. ARGV: for each, microseconds a request, microseconds in all, requests wanted.

The value of a key is when the allowance is full again, by the clock of Redis. It returns how many
requests of each limit are granted and how far that time is ahead, up to the first that grants none.
"""


class Draw(Struct, frozen=True):
    """*wanted* requests of *key* out of a burst, of which one comes back in *step_s* seconds."""

    key: str
    burst: int
    step_s: float
    wanted: int = 1

    @property
    def capacity_s(self) -> float:
        """How long it takes until the whole burst has come back."""
        return self.burst * self.step_s


class Drawn(Struct, frozen=True):
    """How many requests are granted, and how far ahead the allowance is used up."""

    granted: int
    ahead_s: float


def key_of(name: str, share: int, key: object) -> str:
    """Return the key of a limit in Redis, which tells nothing about the caller."""
    digest = hashlib.blake2b(f"{key!r}".encode(), digest_size=16).hexdigest()
    return f"{_PREFIX}{name}:{share}:{digest}"


class RedisRates:
    """The limits in Redis; without *redis_url* it is always away."""

    def __init__(self, redis_url: str = "", now: Callable[[], float] = time.monotonic) -> None:
        self._redis: Any = None
        self._script: Any = None
        if redis_url:
            self._redis = open_redis(redis_url)
            self._script = self._redis.register_script(_SCRIPT)
        self._now, self._away_until = now, 0.0

    async def take(self, draws: Sequence[Draw]) -> list[Drawn] | None:
        """Return what each of *draws* gets, up to the first that gets nothing.

        None means that Redis is away.
        """
        if self._redis is None or self._now() < self._away_until:
            return None
        arguments: list[str] = []
        for draw in draws:
            microseconds = (draw.step_s * 1_000_000, draw.capacity_s * 1_000_000)
            arguments += [*map(repr, microseconds), str(draw.wanted)]
        try:
            async with asyncio.timeout(ANSWER_DEADLINE_S):
                answers = await self._script(keys=[draw.key for draw in draws], args=arguments)
        except (RedisError, OSError, TimeoutError):
            self._away_until = self._now() + AWAY_S
            return None
        return [Drawn(int(granted), int(ahead) / 1_000_000) for granted, ahead in answers]

    async def forget(self, key: str) -> None:
        """Give *key* its whole allowance again, unless Redis is away."""
        if self._redis is None or self._now() < self._away_until:
            return
        try:
            async with asyncio.timeout(ANSWER_DEADLINE_S):
                await self._redis.delete(key)
        except (RedisError, OSError, TimeoutError):
            self._away_until = self._now() + AWAY_S

    async def close(self) -> None:
        """Close the connections."""
        if self._redis is not None:
            with contextlib.suppress(RedisError, OSError):
                await close_redis(self._redis)
