"""Pages of tasks that were completed last, kept in memory while they would be completed the same.

Most pages are asked for again and again, and to complete one of 50 tasks takes 100 µs.
"""

from collections import OrderedDict
from datetime import datetime

from domain.base import UserId

COMPLETED_MAX = 256
COMPLETED_BYTES_MAX = 16 * 2**20
"""How many pages a process keeps, and how large they may be together."""

Seen = tuple[bytes, UserId, str]
"""A page as it is stored, who looks at it, and the time zone of their organization."""


class CompletedPages:
    """Pages by what they were made of, each with the time in which they stay the same."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Seen, tuple[datetime, datetime | None, bytes]] = OrderedDict()
        self._size = 0

    def get(self, seen: Seen, now: datetime) -> bytes | None:
        """Return the completed page; None if it is not known, or no longer the same."""
        known = self._pages.get(seen)
        if known is None:
            return None
        since, until, page = known
        return page if since <= now and (until is None or now < until) else None

    def keep(self, seen: Seen, since: datetime, until: datetime | None, page: bytes) -> None:
        """Keep a page that is the same from *since* on and before *until*; None: for ever."""
        self._drop(seen)
        self._pages[seen] = since, until, page
        self._size += len(seen[0]) + len(page)
        while len(self._pages) > COMPLETED_MAX or self._size > COMPLETED_BYTES_MAX:
            self._drop(next(iter(self._pages)))

    def _drop(self, seen: Seen) -> None:
        gone = self._pages.pop(seen, None)
        if gone is not None:
            self._size -= len(seen[0]) + len(gone[2])
