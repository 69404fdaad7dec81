"""The delivery engine: sends the log's events to customers' endpoints.

It follows the log, holds the leases of endpoints and runs a sender for each. Redis only makes it
faster: without Redis, it polls the log every second.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from deliveries.client import WebhookClient
from deliveries.lease import LEASE_S, Leases
from deliveries.retry import Schedule
from deliveries.subscriptions import KnownWebhooks, LogNews
from domain.base import OrgId
from eventstore.operations.crew import Owns, everything, new_member, slot_of
from eventstore.operations.store import LeaseLost, OperationsUnavailable
from eventstore.operations.ticks import tick
from runtime.outages import StoreOutage
from runtime.system import System
from workers.cursor import CHECK_S
from workers.housekeeping import run_jobs_until_cancelled
from workers.parking import report_all_parked, report_parked
from workers.posting import Posting, SenderParts
from workers.rings import Rings
from workers.sender import Sender

WORKER_SWEEP_S = 1.0
"""How late an event can be if its wake-up was lost."""

_GRACE_S = 8.0
"""How long requests in progress may take when the process stops. Supervisors usually kill after 10
s; what is interrupted is sent again with the same id."""

_logger = logging.getLogger(__name__)


class Deliveries:
    """Sends the webhooks of all organizations that no other worker serves."""

    def __init__(  # noqa: PLR0913 - each has a default that only some callers change
        self,
        system: System,
        *,
        rings: Rings | None = None,
        schedule: Schedule | None = None,
        lease_s: float = LEASE_S,
        grace_s: float = _GRACE_S,
        owns: Owns = everything,
    ) -> None:
        """*owns* says which webhooks, each in the slot of its id, are for this worker to serve."""
        self._system, self._grace_s, self._owns = system, grace_s, owns
        self.worker = new_member()
        self._client = WebhookClient(system.guard)
        posting = Posting(system, self._client, self.worker)
        self._tools = SenderParts(system, posting, schedule or Schedule())
        self._webhooks = KnownWebhooks(system.log)
        self._leases = Leases(system.operations, self.worker, lease_s)
        self._senders: dict[str, Sender] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._of_organization: dict[OrgId, set[str]] = {}
        self._rings = rings or Rings()
        self._sweep_at = self._check_at = 0.0
        self._wait = system.wakeups.listener()

    async def run(self) -> None:
        """Deliver until cancelled, then finish the requests in progress and release the leases.

        :raises StoreOutage: the log or the operational state cannot be read at the start.
        """
        await self._open()
        async with asyncio.TaskGroup() as group:
            beside = [
                group.create_task(self._keep_leases()),
                group.create_task(run_jobs_until_cancelled(self._system, self.worker)),
            ]
            try:
                while True:
                    await self._look_and_wait()
            finally:
                await self._close()  # leases are kept meanwhile
                for task in beside:
                    task.cancel()
                await self._client.aclose()

    async def _open(self) -> None:
        """Fold the webhooks from the beginning of the log."""
        webhooks = KnownWebhooks(self._system.log)
        await webhooks.open()
        await report_all_parked(self._system, webhooks)
        self._webhooks = webhooks
        self._check_at = asyncio.get_running_loop().time() + CHECK_S

    async def _look_and_wait(self) -> None:
        try:
            await self._look()
        except StoreOutage as error:
            _logger.warning("deliveries wait: %s", error)
            self._check_at = 0.0  # a store that was down may have been replaced
        await self._wait(WORKER_SWEEP_S)

    async def _look(self) -> None:
        rung = self._rings.take()
        if asyncio.get_running_loop().time() >= self._check_at:
            await self._check_log()
        news = await self._webhooks.follow()
        await self._pass_on(news)
        for org_id in {*news.organizations, *map(OrgId, rung)}:
            for name in self._of_organization.get(org_id, ()):
                self._senders[name].stir()
        await self._reap()
        now = asyncio.get_running_loop().time()
        if now >= self._sweep_at or news.webhooks:
            self._let_go()
            await self._acquire()
        if now >= self._sweep_at or rung or not news.organizations:
            await self._pass_nudges_on()
        if now >= self._sweep_at:
            self._sweep_at = now + WORKER_SWEEP_S

    async def _check_log(self) -> None:
        """Start over, with new senders, if the log was restored from a backup."""
        if await self._webhooks.fit():
            self._check_at = asyncio.get_running_loop().time() + CHECK_S
            return
        _logger.warning("the log was restored or replaced; restarting deliveries")
        self._system.log.news.forget()
        await self._open()
        for sender in self._senders.values():
            sender.stop()

    async def _pass_on(self, news: LogNews) -> None:
        """Pass changes of webhooks on to their senders."""
        for name in news.webhooks:
            known = self._webhooks.known[name]
            if name in self._senders:
                self._senders[name].update(known)
            await report_parked(self._system, known)

    def _let_go(self) -> None:
        """Stop to serve what is for another worker now; it follows once the lease is released."""
        for name, sender in self._senders.items():
            if not self._owns(slot_of(name)):
                sender.stop()

    async def _acquire(self) -> None:
        known = self._webhooks.known
        wanted = [
            each
            for name, each in known.items()
            if name not in self._senders and each.can_be_sent_to and self._owns(slot_of(name))
        ]
        if not wanted:
            return
        valid_until = asyncio.get_running_loop().time() + self._leases.lease_s
        for endpoint in await self._leases.acquire(wanted):
            sender = Sender(self._tools, known[endpoint.id], endpoint, valid_until)
            self._senders[endpoint.id] = sender
            self._running[endpoint.id] = asyncio.create_task(sender.run())
            org_id = known[endpoint.id].org_id
            self._of_organization.setdefault(org_id, set()).add(endpoint.id)

    async def _reap(self) -> None:
        """Release the endpoints whose senders have ended, for whatever reason."""
        ended = [name for name, task in self._running.items() if task.done()]
        for name in ended:
            task = self._running.pop(name)
            org_id = self._senders.pop(name).known.org_id
            self._of_organization[org_id].discard(name)
            if not self._of_organization[org_id]:
                del self._of_organization[org_id]
            if not task.cancelled() and (error := task.exception()) is not None:
                _report(name, error)
        await self._leases.release(ended)

    async def _pass_nudges_on(self) -> None:
        if not self._senders:
            return
        for name in await self._system.operations.nudged(self.worker):
            if name in self._senders:
                self._senders[name].nudge()

    async def _keep_leases(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await tick(self._leases.lease_s / 3)
            if not self._senders:
                continue
            began = loop.time()
            before = set(self._senders)
            try:
                ours = await self._leases.renew()
            except OperationsUnavailable as error:
                _logger.warning("leases not renewed: %s", error)
                continue
            for name in before & self._senders.keys():
                if name in ours:
                    self._senders[name].valid_until = began + self._leases.lease_s
                else:
                    self._running[name].cancel()

    async def _close(self) -> None:
        for sender in self._senders.values():
            sender.stop()
        if self._running:
            _, late = await asyncio.wait(self._running.values(), timeout=self._grace_s)
            for running in late:
                running.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        with contextlib.suppress(OperationsUnavailable):
            await self._reap()


def _report(name: str, error: BaseException) -> None:
    parts: Sequence[BaseException] = getattr(error, "exceptions", ())
    if any(isinstance(part, LeaseLost) for part in (error, *parts)):
        _logger.info("restarting endpoint %s: %s", name, LeaseLost.__doc__)
    else:
        _logger.error("sending for %s failed and is restarted", name, exc_info=error)
