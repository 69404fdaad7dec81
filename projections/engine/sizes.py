"""How many documents an index finds, remembered for some seconds."""

import time
from collections.abc import Callable

from projections.engine.query import Query

SIZE_MAX = 2_000
"""Up to how many documents are counted: they take 100 µs."""
KNOWN_S = 10.0
"""How long a size is remembered; how fast a list is depends on it, and never what it shows."""
_KNOWN_MAX = 4_096
SizeKey = tuple[str, bytes]


def size_key(collection: str, query: Query) -> SizeKey:
    """Return what a size is remembered by."""
    return collection, query.found


class KnownSizes:
    """Sizes by what was asked for, each with the time until which it is remembered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[SizeKey, tuple[float, int]] = {}

    def get(self, key: SizeKey) -> int | None:
        """Return a size; None if it is not known, or no longer."""
        until, size = self._known.get(key, (0.0, 0))
        return size if self._clock() < until else None

    def keep(self, key: SizeKey, size: int) -> None:
        """Remember a size that was counted just now."""
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        self._known[key] = self._clock() + KNOWN_S, size
