"""How many documents an index finds, remembered for some seconds."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from projections.engine.query import Query

SIZE_MAX = 2_000
"""Up to how many documents are counted: they take 100 µs."""
KNOWN_S = 10.0
"""How long a size is remembered; how fast a list is depends on it, and never what it shows."""
_KNOWN_MAX = 4_096
SizeKey = tuple[str, bytes, int]
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def size_key(collection: str, query: Query, most: int = SIZE_MAX) -> SizeKey:
    """Return what a size is remembered by that was counted up to *most*."""
    return collection, query.found, most


class Remembered(Generic[K, V]):
    """What was found by what was asked, each with the time until which it is remembered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[K, tuple[float, V]] = {}

    def get(self, key: K) -> V | None:
        """Return what was found; None if it is not known, or no longer."""
        known = self._known.get(key)
        return None if known is None or self._clock() >= known[0] else known[1]

    def keep(self, key: K, found: V) -> None:
        """Remember what was found just now."""
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        self._known[key] = self._clock() + KNOWN_S, found
