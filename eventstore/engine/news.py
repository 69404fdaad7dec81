"""News: the end of the log in memory, read once for all who follow it in a process."""

import asyncio
from collections.abc import Awaitable
from typing import Protocol

from msgspec import Struct

from eventstore.recorded import Row, fills_read, row_bytes

NEWS_MAX = 1_000
"""Rows kept of each partition, more than a projector takes at a time."""

NEWS_BYTES_MAX = 2**20
"""What they may hold together, unless one row alone holds more; most rows have some 500 bytes."""


class Tail(Protocol):
    """Reads at most *limit* rows of a partition above *after* from the log."""

    def __call__(self, after: int, limit: int, *, part: int) -> Awaitable[list[Row]]: ...


class _Kept(Struct):
    """Rows of one partition without gaps, and what they hold."""

    rows: list[Row]
    size: int


class _Reading(Struct):
    """A read that goes on; *rows* are there once it has *ended*, None if it failed."""

    position: int
    limit: int
    ended: asyncio.Event
    rows: list[Row] | None = None


class News:
    """The newest rows of each partition that a follower has read; positions have no gaps.

    A wake-up wakes all followers at once, most of them at the same position: while one of them
    reads, the others wait for what it finds.
    """

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._kept: dict[int, _Kept] = {}
        self._looked: set[int] = set()
        self._reading: dict[int, _Reading] = {}

    async def after(self, position: int, limit: int, part: int = 0) -> list[Row]:
        """Return at most *limit* rows of a partition above *position*, in commit order.

        Unless they fill a read, they are all that there were at the last wake-up, or later.
        """
        kept = self._kept[part].rows if part in self._kept else []
        if kept and kept[0].position <= position + 1 <= kept[-1].position:
            start = position + 1 - kept[0].position
            rows = kept[start : start + limit]
            if len(rows) < limit and part not in self._looked:
                rows = rows + await self.after(kept[-1].position, limit - len(rows), part)
            return rows
        going_on = self._reading.get(part)
        if going_on and going_on.position == position and going_on.limit >= limit:
            await going_on.ended.wait()
            found = going_on.rows
            return await self.after(position, limit, part) if found is None else found[:limit]
        self._looked.add(part)  # before it is read: it may grow meanwhile
        reading = self._reading[part] = _Reading(position, limit, asyncio.Event())
        try:
            reading.rows = await self._read(position, limit, part)
        finally:
            reading.ended.set()
            if self._reading.get(part) is reading:
                del self._reading[part]
        return reading.rows

    async def _read(self, position: int, limit: int, part: int) -> list[Row]:
        """Return what the log has above *position*, and keep it."""
        kept = self._kept[part].rows if part in self._kept else []
        if not kept or kept[-1].position != position:
            rows = await self._tail(position, limit, part=part)
        else:  # with the last known row: another one is there if the log was set back meanwhile
            found = await self._tail(position - 1, limit + 1, part=part)
            rows = found[1:]
            if found[:1] != kept[-1:]:
                self._kept.pop(part, None)
            if fills_read(found, limit + 1) and not fills_read(rows, limit):
                rows = await self._tail(position, limit, part=part)
        self._keep(part, rows)
        return rows

    def grown(self) -> None:
        """Look again, whoever asks next: the log has grown, and what is kept may not have it."""
        self._looked.clear()
        self._reading.clear()  # whoever waits for one of these goes on to wait

    def forget(self) -> None:
        """Read everything again: a follower found that the log was set back or replaced."""
        self._kept.clear()
        self._reading.clear()

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
