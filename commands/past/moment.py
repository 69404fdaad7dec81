"""Moments of an organization: the sequence of the last event that had been recorded by then.

Nothing is ordered by clocks, so a time is turned into a sequence once. The processes that record
have clocks of their own, and an event may have an earlier time than the one before it. An event
counts as recorded at its own time, or at the latest time of any before it if that is later. So the
times of an organization never go back, a later time never means an earlier sequence, and once
anything with a later time is recorded, a time means the same sequence for ever.
"""

from bisect import bisect_right
from collections import OrderedDict
from datetime import datetime

from msgspec import Struct

from domain.base import OrgId
from eventstore.log import EventLog
from eventstore.recorded import microseconds

BLOCK = 1_000
"""Events whose times are read at once: less than 1 ms."""

ORGANIZATIONS_MAX = 1_000
"""Organizations whose times a process remembers: at most 8 bytes for a thousand events."""


class Moment(Struct, frozen=True):
    """The sequence of the last event that had been recorded, and the time of that event."""

    seq: int
    at: datetime


class LogTimes:
    """Turns times into sequences, and remembers the latest time up to each block of events.

    Those never change. So the times of an organization are read once by each process, in blocks
    between which others are served, up to the moment that is asked for.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._latest: OrderedDict[tuple[int, OrgId], list[int]] = OrderedDict()

    async def seq_at(self, org_id: OrgId, at: datetime) -> int:
        """Return the sequence of the last event recorded up to *at*, 0 before the first one."""
        wanted, latest = microseconds(at), self._latest_of(org_id)
        block = bisect_right(latest, wanted)
        while True:
            async with self._log.turns:
                times = await self._log.times(org_id, block * BLOCK, BLOCK)
            if len(times) == BLOCK and block == len(latest):
                latest.append(max(*times, *latest[-1:]))
            for place, recorded_at in enumerate(times):
                if recorded_at > wanted:
                    return block * BLOCK + place
            if len(times) < BLOCK:
                return block * BLOCK + len(times)
            block += 1

    def _latest_of(self, org_id: OrgId) -> list[int]:
        """Return the latest time up to the end of each block, of those that were read."""
        key = self._log.epoch, org_id  # events after a backup that was restored are others
        found = self._latest.setdefault(key, [])
        self._latest.move_to_end(key)
        if len(self._latest) > ORGANIZATIONS_MAX:
            self._latest.popitem(last=False)
        return found
