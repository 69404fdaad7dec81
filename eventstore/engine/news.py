"""News: the end of the log in memory, read once for all who follow it in a process."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Protocol

from msgspec import Struct

from eventstore.recorded import Row, fills_read, row_bytes

NEWS_MAX = 1_000
"""Rows kept of each partition, more than a projector takes at a time."""

NEWS_BYTES_MAX = 2**20
"""What they may hold together, unless one row alone holds more; most rows have some 500 bytes."""


SHARED_S = 0.2
"""How long all followers go by one look at a partition, unless a wake-up comes: less than any of
them waits before it looks by itself."""


class Tail(Protocol):
    """Reads at most *limit* rows of a partition above *after* from the log."""

    def __call__(self, after: int, limit: int, *, part: int) -> Awaitable[list[Row]]: ...


class _Kept(Struct):
    """Rows of one partition without gaps, and what they hold."""

    rows: list[Row]
    size: int


class News:
    """The newest rows of each partition that a follower has read; positions have no gaps."""

    def __init__(self, tail: Tail, now: Callable[[], float] = time.monotonic) -> None:
        """*now* returns seconds."""
        self._tail, self._now = tail, now
        self._kept: dict[int, _Kept] = {}
        self._ends: dict[int, int] = {}
        self._looked: dict[int, float] = {}
        self._wakeups = 0
        self._looks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def after(self, position: int, limit: int, part: int = 0) -> list[Row]:
        """Return at most *limit* rows of a partition above *position*, in commit order.

        Unless they fill a read, they are all that there were at the last wake-up, or later; if none
        came for ``SHARED_S``, all that there were that long ago.
        """
        kept = self._kept[part].rows if part in self._kept else []
        if kept and kept[0].position <= position + 1 <= kept[-1].position:
            start = position + 1 - kept[0].position
            rows = kept[start : start + limit]
            if len(rows) < limit and not self._is_known(part):
                rows = rows + await self.after(kept[-1].position, limit - len(rows), part)
            return rows
        if self._ends.get(part) != position:
            return await self._look(position, limit, part)
        async with self._looks[part]:  # those who are up to date look together
            if self._ends.get(part) == position:
                return [] if self._is_known(part) else await self._look(position, limit, part)
        return await self.after(position, limit, part)

    async def _look(self, position: int, limit: int, part: int) -> list[Row]:
        began, wakeups = self._now(), self._wakeups
        rows = await self._read(position, limit, part)
        self._ends[part] = rows[-1].position if rows else position
        if wakeups == self._wakeups and not fills_read(rows, limit):
            self._looked[part] = began
        else:
            self._looked.pop(part, None)
        self._keep(part, rows)
        return rows

    async def _read(self, position: int, limit: int, part: int) -> list[Row]:
        kept = self._kept[part].rows if part in self._kept else []
        if not kept or kept[-1].position != position:
            return await self._tail(position, limit, part=part)
        # With the last known row: another one is there if the log was set back meanwhile.
        found = await self._tail(position - 1, limit + 1, part=part)
        rows = found[1:]
        if found[:1] != kept[-1:]:
            self._kept.pop(part, None)
        if fills_read(found, limit + 1) and not fills_read(rows, limit):
            rows = await self._tail(position, limit, part=part)
        return rows

    def grown(self) -> None:
        """Look again, whoever asks next: the log has grown, and what is kept may not have it."""
        self._wakeups += 1
        self._looked.clear()

    def _is_known(self, part: int) -> bool:
        """Return whether what is there is known well enough not to look again."""
        return part in self._looked and self._now() - self._looked[part] < SHARED_S

    def forget(self) -> None:
        """Read everything again: a follower found that the log was set back or replaced."""
        self._kept.clear()
        self._ends.clear()
        self.grown()

    def _keep(self, part: int, rows: list[Row]) -> None:
        """Keep the newest of the rows that are kept and those that were just read."""
        if not rows:
            return
        kept = self._kept.get(part)
        size = sum(map(row_bytes, rows))
        if kept is not None and rows[0].position == kept.rows[-1].position + 1:
            rows, size = [*kept.rows, *rows], kept.size + size
        first = max(0, len(rows) - NEWS_MAX)
        size -= sum(map(row_bytes, rows[:first]))
        while size > NEWS_BYTES_MAX and first < len(rows) - 1:
            size -= row_bytes(rows[first])
            first += 1
        self._kept[part] = _Kept(rows[first:], size)
