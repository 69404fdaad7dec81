"""Rate limits as configured: ``name=count/seconds``, comma separated, or ``off``."""

import re

from msgspec import Struct

LIMITED = frozenset(
    {"account", "api", "export", "failures", "login", "organization", "refresh", "register"}
)
"""What can be limited. A name that is not configured is unlimited. ``account`` limits the failed
logins to one account from one network, ``failures`` those from everywhere since its last good
login, ``login`` all of a network, ``api`` the requests of a user, ``organization`` those of all
users who work in one, ``export`` an organization's exports."""

_LIMIT = re.compile(r"([a-z]+)=([1-9]\d{0,8})/([1-9]\d{0,5})", re.ASCII)


class RateLimit(Struct, frozen=True):
    """A burst of *count* requests per caller, which comes back bit by bit in *per_s* seconds."""

    name: str
    count: int
    per_s: int

    def __str__(self) -> str:
        return f"{self.name}={self.count}/{self.per_s}"


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
