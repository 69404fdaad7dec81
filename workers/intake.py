"""Collects what to send to one endpoint: new events, replays and open deliveries."""

import asyncio
import logging
from datetime import datetime

from deliveries.fan_out import Matched, Matcher
from deliveries.ledger import Ledger
from deliveries.ping import PING
from deliveries.queue import SendQueue
from deliveries.subscriptions import KnownWebhook
from eventstore.operations.records import Delivery, DeliveryStatus, Endpoint
from eventstore.recorded import Row
from runtime.outages import StoreOutage
from runtime.system import System
from workers.cursor import CursorKeeper

_OPEN_MAX = 2_000
"""Open deliveries of one endpoint in memory; the others wait in the log."""

_READ_AHEAD = 64
"""Deliveries without an attempt that are read while others can be sent; one that is sent before
its first write needs one write instead of two."""

_LOAD_ROWS = 500
_PRIVATE_NOW = "the project that it is about is private now"
_logger = logging.getLogger(__name__)


class LogSetBack(Exception):
    """The log no longer has the event at the cursor; the next start sets the cursor back."""


class Intake:
    """The open deliveries of one endpoint and their sources."""

    def __init__(
        self, system: System, endpoint: Endpoint, ledger: Ledger, *, ordered: bool
    ) -> None:
        self._clock, self._store, self._ledger = system.clock, system.operations, ledger
        self._name = endpoint.id
        self._matcher = Matcher(system.log, system.commands.states, self._store, endpoint)
        self._cursor = CursorKeeper(system, endpoint, ledger)
        self._queue = SendQueue(ordered=ordered)
        self._rows: dict[str, Row] = {}
        self._pings: dict[str, Delivery] = {}
        self._pinging: set[str] = set()
        self._fresh = 0  # deliveries without an attempt
        self.grown = self.nudged = True

    async def repair(self, known: KnownWebhook) -> None:
        """Set the cursor back if the log was set back.

        :raises LeaseLost: another worker has the endpoint.
        """
        await self._cursor.repair(known)

    async def take_in(self, known: KnownWebhook, *, idle: bool) -> bool:
        """Read new deliveries; return whether there may be more right now.

        *idle* means that none of the deliveries in memory can be sent now.

        :raises LogSetBack: the cursor no longer fits the log.
        """
        try:
            return await self._take_in(known, idle=idle)
        except StoreOutage as error:
            _logger.warning("deliveries of %s wait: %s", self._name, error)
            self.grown = True
            self._cursor.doubt()
            return False

    async def _take_in(self, known: KnownWebhook, *, idle: bool) -> bool:
        if not await self._cursor.fits(known):
            raise LogSetBack
        if self.nudged:
            await self._load()
        if known.webhook.paused or len(self._queue) >= _OPEN_MAX:
            return False
        asked = self._matcher.due_replay(known)
        if asked is not None:
            await self._ledger.flush()  # the numbers of tries are read from the database
            self._take(await self._matcher.replay(known, asked, self._clock()))
            return True
        if not self.grown or not (idle or self._fresh < _READ_AHEAD):
            return False
        self.grown = False
        matched = await self._matcher.fan_out(known, self._clock())
        self._take(matched)
        self.grown |= matched.more
        await asyncio.sleep(0)  # a store in this process never yields by itself
        return matched.more

    def _take(self, matched: Matched) -> None:
        for delivery, row in matched.deliveries:
            if delivery.id in self._queue:
                continue
            self._ledger.changed(delivery)
            if delivery.open:
                self._rows[delivery.id] = row
                self._add(delivery)
        if matched.fields:
            self._ledger.set(**matched.fields)

    async def _load(self) -> None:
        """Read the open deliveries that are in the store but not in memory."""
        self._ledger.set(nudged=False)
        await self._ledger.flush()  # before reading: what is put back later nudges again
        self.nudged, after = False, ""
        while found := await self._store.open_deliveries(self._name, after, _LOAD_ROWS):
            after = found[-1].id
            for delivery in found:
                if delivery.type == PING:
                    if delivery.id not in self._pinging:
                        self._pings.setdefault(delivery.id, delivery)
                elif delivery.id not in self._queue:
                    self._add(delivery)

    def _add(self, delivery: Delivery) -> None:
        self._queue.add(delivery)
        self._fresh += not delivery.tries

    # What the sender takes, and gives back ----------------------------------

    def due_pings(self, now: datetime) -> list[Delivery]:
        """Return the pings to send now; they do not wait for other deliveries."""
        due = [ping for ping in self._pings.values() if ping.next_at <= now]
        for ping in due:
            del self._pings[ping.id]
            self._pinging.add(ping.id)
        return due

    def take(self, now: datetime) -> Delivery | None:
        """Return the next delivery that may be sent now."""
        return self._queue.take(now)

    def row(self, delivery: Delivery) -> Row | None:
        """Return the event of a delivery, if it is still in memory."""
        return self._rows.get(delivery.id)

    def tried(self, delivery: Delivery) -> None:
        """Count another try of *delivery*."""
        self._fresh -= not delivery.tries and delivery.type != PING
        delivery.tries += 1

    def withhold(self, delivery: Delivery) -> None:
        """End a delivery without an attempt, because of what it is about now."""
        self._fresh -= not delivery.tries
        delivery.status, delivery.open = DeliveryStatus.FAILED, False
        delivery.ended_at, delivery.last_error = self._clock(), _PRIVATE_NOW
        self._ledger.changed(delivery)
        self.give_back(delivery)

    def give_back(self, delivery: Delivery) -> None:
        """Put a delivery back for later, or forget it if it has ended."""
        if delivery.type == PING:
            self._pinging.discard(delivery.id)
            if delivery.open:
                self._pings[delivery.id] = delivery
            return
        self._rows.pop(delivery.id, None)  # a retry may be days away: the log has it
        self._queue.back(delivery)

    def next_at(self, now: datetime) -> datetime | None:
        """Return when the next delivery is due, None if there is none."""
        return self._queue.next_at(now)
