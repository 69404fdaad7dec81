"""What is still to be sent to one endpoint, and what of it may go next.

Deliveries stand in lanes. In ordered mode each stream of events is a lane, so that what happened
to one thing goes out in that order and its retries hold back nothing else; in parallel mode each
delivery has a lane to itself. Only the head of a lane can be taken.
"""

import heapq
from bisect import insort
from datetime import datetime

from eventstore.operations.records import Delivery


class SendQueue:
    """The open deliveries of an endpoint, in memory; the database has the same."""

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
        """Put in a delivery that is not here yet."""
        name = self._lane_of(delivery)
        self._open.add(delivery.id)
        insort(self._lanes.setdefault(name, []), delivery, key=lambda each: each.seq)
        self._offer(name)

    def take(self, now: datetime) -> Delivery | None:
        """Return the due delivery with the lowest sequence; its lane waits until it is back."""
        while self._waiting and self._waiting[0][0] <= now:
            _, seq, name = heapq.heappop(self._waiting)
            heapq.heappush(self._ready, (seq, name))
        while self._ready:
            seq, name = heapq.heappop(self._ready)
            lane = self._lanes.get(name)
            # Offers are never taken back, so one may speak of a head that is no longer due.
            if name in self._taken or lane is None or lane[0].seq != seq or lane[0].next_at > now:
                continue
            self._taken[name] = lane[0]
            return lane[0]
        return None

    def back(self, delivery: Delivery) -> None:
        """Return what was taken: if it is still open it waits for its time, else it is gone."""
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
        """Return when something may be due next, None if nothing waits."""
        if self._ready:
            return now
        return self._waiting[0][0] if self._waiting else None

    def _offer(self, name: str) -> None:
        if name not in self._taken:
            head = self._lanes[name][0]
            heapq.heappush(self._waiting, (head.next_at, head.seq, name))

    def _lane_of(self, delivery: Delivery) -> str:
        return delivery.stream if self._ordered else delivery.id
