"""Rate limits per caller, by the generic cell rate algorithm (GCRA).

They are kept in the memory of one process: they slow down one caller and need not be exact.
"""

import math
import time
from collections.abc import Callable

from msgspec import Struct

from api.http.cors import Header
from runtime.rate_limit import RateLimits

KEYS_MAX = 50_000
"""Callers remembered; beyond it, those without recent requests are dropped: about 6 MB."""


class Allowance(Struct, frozen=True):
    """What a limit leaves to a caller: *remaining* requests, and more after *wait_s* seconds.

    ``wait_s`` is whole, and at least one if nothing remains. ``allowed`` is about the request that
    was just counted.
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


class Rate:
    """At most *count* requests per caller in any *per_s* seconds, in a burst or spread out."""

    def __init__(
        self, name: str, count: int, per_s: int, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._policy = name, f'"{name}";q={count};w={per_s}'
        self._step_s = per_s / count
        self._burst_s = per_s - self._step_s
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


class Rates:
    """The rate limits of a process by name; a name that is not configured is unlimited."""

    def __init__(self, limits: RateLimits, now: Callable[[], float] = time.monotonic) -> None:
        self._limits = {limit.name: limit for limit in limits}
        self._rates: dict[tuple[str, int], Rate] = {}
        self._now = now

    def take(self, name: str, key: object, share: int = 1) -> Allowance | None:
        """Count one request of *key* against *share* times the limit *name*.

        None means that there is no such limit.
        """
        rate = self._rate(name, share)
        return None if rate is None else rate.take(key)

    def forget(self, name: str, key: object) -> None:
        """Give *key* its whole allowance of the limit *name* again."""
        rate = self._rate(name, 1)
        if rate is not None:
            rate.forget(key)

    def _rate(self, name: str, share: int) -> Rate | None:
        limit = self._limits.get(name)
        if limit is not None and (name, share) not in self._rates:
            rate = Rate(name, limit.count * share, limit.per_s, self._now)
            self._rates[name, share] = rate
        return self._rates.get((name, share))
