"""Send queue: the pending deliveries of one endpoint, and which may be sent next.

Deliveries wait in lanes. In ordered mode each stream of events is a lane, so that its events are
sent in order and its retries delay nothing else; in parallel mode each delivery has its own lane.
Only the first delivery of a lane can be taken.
"""

import heapq
from bisect import insort
from datetime import datetime

from eventstore.operations.records import Delivery


class SendQueue:
    """The pending deliveries of an endpoint, in memory; the database has the same."""

    def __init__(self, *, ordered: bool) -> None:
        self._ordered = ordered
        self._lanes: dict[str, list[Delivery]] = {}
        self._taken: dict[str, Delivery] = {}
        self._open: set[str] = set()
        self._waiting: list[tuple[datetime, int, str]] = []  # heads by time
        self._ready: list[tuple[int, str]] = []  # heads that are due, by sequence

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, delivery_id: object) -> bool:
        return delivery_id in self._open

    def add(self, delivery: Delivery) -> None:
        """Add a delivery that is not in the queue yet."""
        name = self._lane_of(delivery)
        self._open.add(delivery.id)
        insort(self._lanes.setdefault(name, []), delivery, key=lambda each: each.seq)
        self._offer(name)

    def take(self, now: datetime) -> Delivery | None:
        """Take the due delivery with the lowest sequence number; its lane waits for its return."""
        while self._waiting and self._waiting[0][0] <= now:
            _, seq, name = heapq.heappop(self._waiting)
            heapq.heappush(self._ready, (seq, name))
        while self._ready:
            seq, name = heapq.heappop(self._ready)
            lane = self._lanes.get(name)
            # Entries are never removed, so this one may be for a head that is no longer due.
            if name in self._taken or lane is None or lane[0].seq != seq or lane[0].next_at > now:
                continue
            self._taken[name] = lane[0]
            return lane[0]
        return None

    def back(self, delivery: Delivery) -> None:
        """Put a taken delivery back: it waits until it is due, or is removed if it has ended."""
        name = self._lane_of(delivery)
        del self._taken[name]
        if not delivery.open:
            self._open.discard(delivery.id)
            self._lanes[name].remove(delivery)
            if not self._lanes[name]:
                del self._lanes[name]
                return
        self._offer(name)

    def next_at(self, now: datetime) -> datetime | None:
        """Return when something may be due next; None if nothing is waiting."""
        if self._ready:
            return now
        return self._waiting[0][0] if self._waiting else None

    def _offer(self, name: str) -> None:
        if name not in self._taken:
            head = self._lanes[name][0]
            heapq.heappush(self._waiting, (head.next_at, head.seq, name))

    def _lane_of(self, delivery: Delivery) -> str:
        return delivery.stream if self._ordered else delivery.id
