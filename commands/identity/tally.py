"""Tallies of what happens often: at most one event a minute for each key in each process."""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Generic, TypeVar

K = TypeVar("K")

RECORD_EVERY = timedelta(minutes=1)
COUNTED_MAX = 50_000
"""Keys that are counted, about 8 MB; the least recent are forgotten."""


class Tally(Generic[K]):
    """Counts what happens to each key until it is recorded."""

    def __init__(self) -> None:
        self._counted: OrderedDict[K, tuple[datetime, int]] = OrderedDict()

    def add(self, key: K, now: datetime) -> int:
        """Count one more; return how many are to be recorded now, this one included, or 0."""
        last, waiting = self._counted.pop(key, (None, 0))
        due = last is None or now - last >= RECORD_EVERY
        self._counted[key] = (now, 0) if last is None or due else (last, waiting + 1)
        if len(self._counted) > COUNTED_MAX:
            self._counted.popitem(last=False)
        return waiting + 1 if due else 0

    def end(self, key: K) -> int:
        """Stop counting a key; return how many are not recorded yet."""
        _, waiting = self._counted.pop(key, (None, 0))
        return waiting
