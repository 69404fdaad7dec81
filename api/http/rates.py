"""Rate limits per caller, by the generic cell rate algorithm (GCRA).

All API processes share them through Redis. Without it, each process keeps them in its memory: they
slow down one caller and need not be exact.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from api.http.cors import Header
from runtime.rate_limit import RateLimit, RateLimits
from runtime.redis_rates import Draw, Drawn, RedisRates, key_of

KEYS_MAX = 50_000
"""Callers remembered; beyond it, those without recent requests are dropped: about 6 MB."""

AHEAD = 100
"""A process draws one in so many requests of a limit ahead: less than what rounding costs."""


class Allowance(Struct, frozen=True):
    """What is left of a caller's limit: *remaining* requests, and more after *wait_s* seconds.

    ``wait_s`` is a whole number, at least one if nothing remains. ``allowed`` says whether the
    request just counted is within the limit.
    """

    policy: str
    name: str
    allowed: bool
    remaining: int
    wait_s: int

    def headers(self) -> list[Header]:
        """Return the two RateLimit fields (draft-ietf-httpapi-ratelimit-headers-10)."""
        limit = f'"{self.name}";r={self.remaining};t={self.wait_s}'
        return [(b"ratelimit-policy", self.policy.encode()), (b"ratelimit", limit.encode())]


def policy_of(limit: RateLimit) -> str:
    """Return the value of RateLimit-Policy for a limit."""
    return f'"{limit.name}";q={limit.count};w={limit.per_s}'


class Rate:
    """A limit for any number of callers, each of whom has a burst that comes back bit by bit."""

    def __init__(self, limit: RateLimit, now: Callable[[], float] = time.monotonic) -> None:
        self._name, self._policy = limit.name, policy_of(limit)
        self._step_s = limit.step_s
        self._burst_s = (limit.burst - 1) * limit.step_s
        self._now = now
        self._due: dict[object, float] = {}  # per caller: when its allowance is full again

    def take(self, key: object) -> Allowance:
        """Count one request of *key*, if it is allowed, and return what remains."""
        now = self._now()
        due = self._due.get(key, now)
        ahead_s = due - now
        if ahead_s > self._burst_s:
            wait_s = max(1, math.ceil(ahead_s - self._burst_s))
            return Allowance(self._policy, self._name, allowed=False, remaining=0, wait_s=wait_s)
        if len(self._due) >= KEYS_MAX and key not in self._due:
            self._make_room(now)
        due = self._due[key] = max(due, now) + self._step_s
        # Rounded down, but not because of a sum that is a hair below a whole number.
        remaining = int((self._burst_s + now - due) / self._step_s + 1 + 1e-6)
        wait_s = math.ceil(due - now if remaining else self._step_s)
        return Allowance(
            self._policy, self._name, allowed=True, remaining=max(0, remaining), wait_s=wait_s
        )

    def forget(self, key: object) -> None:
        """Give *key* its whole allowance again."""
        self._due.pop(key, None)

    def _make_room(self, now: float) -> None:
        self._due = {key: due for key, due in self._due.items() if due > now}
        while len(self._due) >= KEYS_MAX:  # a flood of callers: drop the oldest
            self._due.pop(next(iter(self._due)))


class Asked(NamedTuple):
    """One request of *key* against *share* times the limit *name*."""

    name: str
    key: object
    share: int = 1


class Rates:
    """The rate limits by name; a name that is not configured is unlimited.

    They are shared through Redis and, while it is away, kept by each process. Of a high limit, a
    process draws one request in a hundred ahead, so that most requests do not ask Redis.
    """

    def __init__(
        self,
        limits: RateLimits,
        now: Callable[[], float] = time.monotonic,
        shared: RedisRates | None = None,
    ) -> None:
        self._limits = {limit.name: limit for limit in limits}
        self._rates: dict[tuple[str, int], Rate] = {}
        self._ahead: OrderedDict[Asked, tuple[int, Allowance]] = OrderedDict()
        self._now, self._shared = now, shared or RedisRates()

    async def take(self, *asked: Asked) -> list[Allowance]:
        """Count one request against each limit that exists, up to the first that is exceeded."""
        found: list[Allowance] = []
        rest: list[Asked] = []
        for each in asked:
            if each.name in self._limits:
                ready = self._drawn_ahead(each)
                if ready is None:
                    rest.append(each)
                else:
                    found.append(ready)
        return found + (await self._draw(rest) if rest else [])

    async def forget(self, name: str, key: object) -> None:
        """Give *key* its whole allowance of the limit *name* again."""
        if name in self._limits:
            self._rate(name, 1).forget(key)
            await self._shared.forget(key_of(name, 1, key))

    def _drawn_ahead(self, asked: Asked) -> Allowance | None:
        left, allowance = self._ahead.pop(asked, (0, None))
        if allowance is None:
            return None
        if left > 1:
            self._keep(asked, left - 1, allowance)
        return replace(allowance, remaining=allowance.remaining + left - 1)

    def _keep(self, asked: Asked, more: int, allowance: Allowance) -> None:
        left, _ = self._ahead.pop(asked, (0, None))  # of a draw that was made at the same time
        self._ahead[asked] = left + more, allowance
        if len(self._ahead) > KEYS_MAX:
            self._ahead.popitem(last=False)

    async def _draw(self, asked: list[Asked]) -> list[Allowance]:
        draws = [self._draw_of(each) for each in asked]
        drawn = await self._shared.take(draws)
        found: list[Allowance] = []
        for place, each in enumerate(asked):
            # What Redis grants is counted here as well, for the time when Redis is away.
            allowance = self._rate(each.name, each.share).take(each.key)
            if drawn is not None:
                limit = self._limits[each.name].times(each.share)
                allowance = _allowance(limit, draws[place], drawn[place])
                if drawn[place].granted > 1:
                    self._keep(each, drawn[place].granted - 1, allowance)
                    allowance = replace(
                        allowance, remaining=allowance.remaining + drawn[place].granted - 1
                    )
            found.append(allowance)
            if not allowance.allowed:
                break
        return found

    def _draw_of(self, asked: Asked) -> Draw:
        name, key, share = asked
        limit = self._limits[name].times(share)
        wanted = max(1, limit.burst // AHEAD)
        return Draw(key_of(name, share, key), limit.burst, limit.step_s, wanted)

    def _rate(self, name: str, share: int) -> Rate:
        if (name, share) not in self._rates:
            self._rates[name, share] = Rate(self._limits[name].times(share), self._now)
        return self._rates[name, share]


def _allowance(limit: RateLimit, draw: Draw, drawn: Drawn) -> Allowance:
    name, policy, step_s = limit.name, policy_of(limit), draw.step_s
    if not drawn.granted:
        wait_s = max(1, math.ceil(drawn.ahead_s + step_s - draw.capacity_s - 1e-6))
        return Allowance(policy, name, allowed=False, remaining=0, wait_s=wait_s)
    remaining = max(0, int((draw.capacity_s - drawn.ahead_s) / step_s + 1e-6))
    wait_s = math.ceil(drawn.ahead_s if remaining else step_s)
    return Allowance(policy, name, allowed=True, remaining=remaining, wait_s=wait_s)
