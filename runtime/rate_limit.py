"""Rate limits as configured: ``name=count/seconds``, comma separated, or ``off``."""

import re

from msgspec import Struct

LIMITED = frozenset(
    {"account", "api", "export", "failures", "guess", "key", "login", "organization", "refresh"}
    | {"register", "sso"}
)
"""What can be limited. A name that is not configured is unlimited. ``account`` limits the failed
logins to one account from one network, ``failures`` those from everywhere since its last good
login, ``login`` all of a network, ``sso`` the steps of logins through identity providers of a
network, ``api`` the requests of a user, ``organization`` those of all users who work in one,
``key`` those of an API key in the smallest plan (larger plans multiply it), ``guess`` the API keys
of a network that are new to a process, ``export`` an organization's exports."""

_LIMIT = re.compile(r"([a-z]+)=([1-9]\d{0,8})/([1-9]\d{0,5})", re.ASCII)


EXACT = frozenset({"failures"})
"""Limits that guard against guessing: no period of ``per_s`` seconds, whenever it begins, has more
than ``count`` requests. The others allow a burst of ``count``, and nearly twice as many in the
first period."""


class RateLimit(Struct, frozen=True):
    """A burst of requests per caller, which comes back bit by bit, one in ``step_s`` seconds."""

    name: str
    count: int
    per_s: int

    def __str__(self) -> str:
        return f"{self.name}={self.count}/{self.per_s}"

    @property
    def burst(self) -> int:
        """How many requests pass at once: all, or half of those of an exact limit."""
        return (self.count + 1) // 2 if self.name in EXACT else self.count

    @property
    def step_s(self) -> float:
        """The seconds in which one request comes back.

        Of an exact limit, the last that comes back within a period completes the count.
        """
        back = self.count - self.burst + 1 if self.name in EXACT else self.count
        return self.per_s / back

    def times(self, share: int) -> "RateLimit":
        """Return the limit with *share* times the requests."""
        return RateLimit(self.name, self.count * share, self.per_s)


RateLimits = tuple[RateLimit, ...]


def parse_rate_limits(text: str) -> RateLimits:
    """Return the limits in *text*; none for ``off``.

    :raises ValueError: a part is malformed, unknown or repeated.
    """
    limits = () if text == "off" else tuple(_parsed(part.strip()) for part in text.split(","))
    if len({limit.name for limit in limits}) < len(limits):
        raise ValueError("names a limit twice")
    return limits


def _parsed(part: str) -> RateLimit:
    match = _LIMIT.fullmatch(part)
    if match is None:
        raise ValueError(f"{part!r} is not a rate limit; write it like login=30/60")
    if match[1] not in LIMITED:
        raise ValueError(f"{match[1]!r} is none of {', '.join(sorted(LIMITED))}")
    return RateLimit(match[1], int(match[2]), int(match[3]))
