"""The time zones of the IANA database, as this machine knows them."""

import zoneinfo
from functools import cache


@cache
def time_zones() -> frozenset[str]:
    """Return the names of all time zones that this machine knows."""
    return frozenset(zoneinfo.available_timezones())
