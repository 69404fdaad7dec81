"""The sender of one endpoint, which runs as long as we hold its lease."""

import asyncio
import contextlib
import logging
from datetime import timedelta

from msgspec.structs import asdict

from deliveries.client import ReceiverResponse
from deliveries.dialing import SendFailed
from deliveries.event_projects import is_withheld
from deliveries.ledger import Ledger
from deliveries.ping import PING
from deliveries.retry import Health, health_of
from deliveries.subscriptions import KnownWebhook
from domain.hooks.webhook.events import DeliveryMode, PauseCause
from eventstore.append import LogUnavailable
from eventstore.operations.records import Attempt, Delivery, Endpoint
from eventstore.operations.store import OperationsUnavailable
from workers.intake import Intake, LogSetBack
from workers.posting import SenderParts
from workers.settling import apply_verdict, disable, judged

_WINDOW = 16
"""Concurrent requests to one endpoint in parallel mode; in ordered mode it is one."""

_UNWRITTEN_MAX = 256
"""Attempts not yet in the database, at most: what a killed worker may send twice."""

_LOOK_S = 1.0
"""The longest sleep, so that a clock that jumps is noticed."""

_REWRITE_S = 0.5
_logger = logging.getLogger(__name__)


class Sender:
    """The deliveries of one endpoint: read from the log, sent, recorded."""

    def __init__(
        self, tools: SenderParts, known: KnownWebhook, endpoint: Endpoint, valid_until: float
    ) -> None:
        self.known = known
        self.valid_until = valid_until
        """When our lease ends unless renewed, on the clock of the event loop."""
        self._tools, self._endpoint = tools, endpoint
        self._clock, self._schedule = tools.system.clock, tools.schedule
        self._ledger = Ledger(tools.system.operations, endpoint)
        self._ordered = known.webhook.mode is DeliveryMode.ORDERED
        self._intake = Intake(tools.system, endpoint, self._ledger, ordered=self._ordered)
        self._health = health_of(endpoint)
        self._stirred = asyncio.Event()
        self._stopping = self._ending = self._disabling = False
        self._posts: set[asyncio.Task[None]] = set()
        self._idle = True  # nothing could be sent at the last look

    def stir(self) -> None:
        """Tell the sender that the organization has new events."""
        self._intake.grown = True
        self._stirred.set()

    def nudge(self) -> None:
        """Tell the sender that deliveries were put back, or a ping was requested."""
        self._intake.nudged = True
        self._stirred.set()

    def update(self, known: KnownWebhook) -> None:
        """Tell the sender that the webhook was changed."""
        self.known = known
        self._disabling = False
        if not known.can_be_sent_to or self._ordered != (
            known.webhook.mode is DeliveryMode.ORDERED
        ):
            self.stop()  # for another mode, a new sender starts on the same lease
        self.stir()

    def stop(self) -> None:
        """End ``run`` once all requests in progress are finished and recorded."""
        self._stopping = True
        self._stirred.set()

    async def run(self) -> None:
        """Send until stopped.

        :raises ExceptionGroup: of LeaseLost if another worker got the endpoint.
        """
        await self._intake.repair(self.known)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write())
            while not self._stopping:
                self._stirred.clear()
                more = await self._take_in()
                self._idle = self._start(group)
                if not more:
                    await self._sleep()
            while self._posts:
                await asyncio.wait(self._posts)
            self._ending = True
            self._ledger.dirty.set()

    async def _write(self) -> None:
        last = False
        while not last:
            await self._ledger.dirty.wait()
            last = self._ending
            try:
                await self._ledger.flush()
            except OperationsUnavailable as error:
                _logger.warning("deliveries of %s not written: %s", self._endpoint.id, error)
                await asyncio.sleep(_REWRITE_S)
            self._stirred.set()

    async def _take_in(self) -> bool:
        try:
            return await self._intake.take_in(self.known, idle=self._idle)
        except LogSetBack:
            self.stop()  # the next start sets the cursor back first
            return False

    def _start(self, group: asyncio.TaskGroup) -> bool:
        """Start the posts that may be sent now; return whether more become due only with time."""
        if not self._is_ours():
            return False
        for ping in self._intake.due_pings(self._clock()):
            self._spawn(group, ping)
        if self._disabling or self.known.webhook.paused or self._ledger.unwritten >= _UNWRITTEN_MAX:
            return False
        now, held_until = self._clock(), self._health.open_until
        if held_until is not None and now < held_until:
            return True
        probing = self._health.fails >= self._schedule.breaker_after
        window = 1 if self._ordered or probing else _WINDOW
        while len(self._posts) < window:
            delivery = self._intake.take(now)
            if delivery is None:
                return True
            self._spawn(group, delivery)
        return False

    def _spawn(self, group: asyncio.TaskGroup, delivery: Delivery) -> None:
        post = group.create_task(self._send(delivery))
        self._posts.add(post)
        post.add_done_callback(self._ended)

    def _ended(self, post: asyncio.Task[None]) -> None:
        self._posts.discard(post)
        self._stirred.set()

    async def _send(self, delivery: Delivery) -> None:
        known = self.known
        async with self._tools.posting.slot(known.webhook.url):
            if not self._is_ours():
                self._intake.give_back(delivery)
                return
            try:
                if await self._is_withheld(delivery):
                    self._intake.withhold(delivery)
                    return
                row = self._intake.row(delivery)
                attempt, outcome = await self._tools.posting.post(known, delivery, row)
            except LogUnavailable:
                delivery.next_at = self._clock() + timedelta(seconds=_LOOK_S)
                self._intake.give_back(delivery)
                return
        cause = self._settle(delivery, attempt, outcome)
        if cause is not None:
            await self._disable(cause)

    async def _is_withheld(self, delivery: Delivery) -> bool:
        if self.known.webhook.private_projects or delivery.type == PING:
            return False
        system, org_id = self._tools.system, self.known.org_id
        log, states = system.log, system.commands.states
        return await is_withheld(log, states, org_id, delivery, self._clock())

    def _settle(
        self, delivery: Delivery, attempt: Attempt, outcome: ReceiverResponse | SendFailed
    ) -> PauseCause | None:
        """Record the result; return why the webhook must be paused, if it must."""
        now = self._clock()
        self._intake.tried(delivery)
        verdict = judged(self._schedule, delivery, outcome, now)
        apply_verdict(delivery, verdict, attempt)
        self._ledger.changed(delivery, attempt)
        self._intake.give_back(delivery)
        if delivery.type == PING:
            return None
        cause = verdict.disable
        health = self._health.after(verdict, self._schedule, attempt.at, now)
        if health.is_hopeless(self._schedule, now):
            cause = cause or PauseCause.FAILING
        if health != self._health:
            self._set_health(health)
        return cause

    def _set_health(self, health: Health) -> None:
        self._health = health
        self._ledger.set(**asdict(health))

    async def _disable(self, cause: PauseCause) -> None:
        self._disabling = True
        if await disable(self._tools.system, self.known, cause):
            self._set_health(Health())  # once resumed, it starts over
        else:
            self._disabling = False

    def _is_ours(self) -> bool:
        return asyncio.get_running_loop().time() < self.valid_until

    async def _sleep(self) -> None:
        now = self._clock()
        wake_at = self._intake.next_at(now) if self._idle else None
        sleep_s = _LOOK_S
        if wake_at is not None:
            wake_at = max(wake_at, self._health.open_until or wake_at)
            sleep_s = min(max((wake_at - now).total_seconds(), 0.0), _LOOK_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(sleep_s):
                await self._stirred.wait()
