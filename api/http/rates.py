"""Rate limits per caller, by the generic cell rate algorithm (GCRA).

They are kept in the memory of one process: they slow down one caller and need not be exact.
"""

import math
import time
from collections.abc import Callable

from msgspec import Struct

from runtime.rate_limit import RateLimits

KEYS_MAX = 50_000
"""Callers remembered; beyond it, those without recent requests are dropped: about 6 MB."""


class Refusal(Struct, frozen=True):
    """The limit is exceeded; retry after *retry_after_s* seconds (whole, at least one)."""

    name: str
    count: int
    per_s: int
    retry_after_s: int

    def headers(self) -> dict[str, str]:
        """Return Retry-After (RFC 9110) and the two RateLimit fields (draft-ietf-httpapi-10)."""
        return {
            "retry-after": str(self.retry_after_s),
            "ratelimit-policy": f'"{self.name}";q={self.count};w={self.per_s}',
            "ratelimit": f'"{self.name}";r=0;t={self.retry_after_s}',
        }


class Rate:
    """At most *count* requests per caller in any *per_s* seconds, in a burst or spread out."""

    def __init__(
        self, name: str, count: int, per_s: int, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.name, self.count, self.per_s = name, count, per_s
        self._step_s = per_s / count
        self._burst_s = per_s - self._step_s
        self._now = now
        self._due: dict[object, float] = {}  # per caller: when its allowance is full again

    def take(self, key: object) -> Refusal | None:
        """Count one request of *key*; None means that it is allowed."""
        now = self._now()
        due = self._due.get(key, now)
        ahead_s = due - now
        if ahead_s > self._burst_s:
            wait_s = max(1, math.ceil(ahead_s - self._burst_s))
            return Refusal(self.name, self.count, self.per_s, wait_s)
        if len(self._due) >= KEYS_MAX and key not in self._due:
            self._forget(now)
        self._due[key] = max(due, now) + self._step_s
        return None

    def _forget(self, now: float) -> None:
        self._due = {key: due for key, due in self._due.items() if due > now}
        while len(self._due) >= KEYS_MAX:  # a flood of callers: drop the oldest
            self._due.pop(next(iter(self._due)))


class Rates:
    """The rate limits of a process by name; a name that is not configured is unlimited."""

    def __init__(self, limits: RateLimits, now: Callable[[], float] = time.monotonic) -> None:
        self._rates = {each.name: Rate(each.name, each.count, each.per_s, now) for each in limits}

    def take(self, name: str, key: object) -> Refusal | None:
        """Count one request of *key* against the limit *name*; None means that it is allowed."""
        rate = self._rates.get(name)
        return None if rate is None else rate.take(key)
