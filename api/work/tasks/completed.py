"""Pages of tasks that were completed last, kept in memory while they would be completed the same.

Most pages are asked for again and again, and to complete one of 50 tasks takes 100 µs.
"""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from domain.base import OrgId, UserId
from eventstore.claim import CountKey
from eventstore.log import EventLog

COMPLETED_MAX = 256
COMPLETED_BYTES_MAX = 16 * 2**20
"""How many pages a process keeps, and how large they may be together."""

_BEGINNING = 64
"""How much of a page it is found by: the id of its first task. To hash all of it takes 20 µs."""

Seen = tuple[bytes, UserId, str]
"""A page as it is stored, who looks at it, and the time zone of their organization."""


class Basis(Struct):
    """What a completed page shows of the log: versions of streams, and counts.

    The log said so when the newest event of the organization was at ``position``.
    """

    position: int
    heads: Mapping[UUID, int]
    counts: Mapping[CountKey, int]

    async def holds(self, log: EventLog, org_id: OrgId) -> bool:
        """Return whether the log still says the same."""
        if not self.heads and not self.counts:
            return True
        position = await log.newest_position(org_id)
        if position != self.position:
            if self.heads and await log.heads(dict.fromkeys(self.heads, org_id)) != self.heads:
                return False
            if self.counts and await log.counted(*self.counts) != [*self.counts.values()]:
                return False
            self.position = position
        return True


class CompletedPage(Struct, frozen=True):
    """A page that is the same from ``since`` on and before ``until``; None: for ever.

    That is while its basis holds.
    """

    json: bytes
    basis: Basis
    since: datetime
    until: datetime | None


class CompletedPages:
    """Pages by what they were made of, each with the time in which they stay the same.

    Of those of the same length that begin with the same task, the last one is kept.
    """

    def __init__(self) -> None:
        self._pages: OrderedDict[object, tuple[Seen, CompletedPage]] = OrderedDict()
        self._size = 0

    def get(self, seen: Seen, now: datetime) -> CompletedPage | None:
        """Return the completed page; None if it is not known, or its time is over."""
        found = self._pages.get(_place(seen))
        if found is None or found[0] != seen or now < found[1].since:
            return None
        known = found[1]
        return known if known.until is None or now < known.until else None

    def keep(self, seen: Seen, page: CompletedPage) -> None:
        """Keep a page in place of the one that was made of the same."""
        place = _place(seen)
        self._drop(place)
        self._pages[place] = seen, page
        self._size += len(seen[0]) + len(page.json)
        while len(self._pages) > COMPLETED_MAX or self._size > COMPLETED_BYTES_MAX:
            self._drop(next(iter(self._pages)))

    def _drop(self, place: object) -> None:
        gone = self._pages.pop(place, None)
        if gone is not None:
            self._size -= len(gone[0][0]) + len(gone[1].json)


def _place(seen: Seen) -> tuple[bytes, int, UserId, str]:
    stored, user_id, zone = seen
    return stored[:_BEGINNING], len(stored), user_id, zone
