"""The projector: follows the log and keeps every read model up to date, in one pass."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

from eventstore.append import LogUnavailable
from eventstore.counters import LOG_DRIVER, READ_MODELS_DRIVER, counters_of
from eventstore.log import EventLog
from projections.engine.control import Control
from projections.engine.folding import ProjectionFailed
from projections.engine.following import follows
from projections.engine.parking import retry_parked
from projections.engine.planning import Outdated, Projections, begun, planned
from projections.engine.shift import CATCH_UP_MAX, PASS_MAX, Shift, create_all, new_owner
from projections.engine.store import Batch, OutOfTurn, ReadStore, ReadStoreUnavailable

SWEEP_S = 0.25
"""The longest time between two looks at the log if nothing wakes the projector."""
LEASE_S, RENEW_S, STAND_BY_S = 3.0, 1.0, 0.5
"""Another projector takes over from a killed one within LEASE_S + STAND_BY_S."""
_CHECK_EVERY_S = 60.0
"""How often the projector checks that the log is still the same one."""
RETRY_FIRST_S, RETRY_MAX_S = 0.1, 2.0
BEARABLE_MIN = 10
"""A batch is quartered each time that the read store fails, at most to this many events."""
BUILD_AGAIN_S = 60.0
_OUTDATED_S = 60.0
"""How long a process with an older version leaves the lease to others."""

Wait = Callable[[float], Awaitable[object]]
"""Returns when the log may have grown, or after that many seconds."""
Advanced = Callable[[Control], None]
"""Called with the control record whenever it has changed."""

_logger = logging.getLogger(__name__)


def _tell_nobody(control: Control) -> None:
    """Do nothing."""


class Projector:
    """Keeps the read models up to date until it is cancelled.

    If there are several, one holds the lease and the others stand by. It survives every outage of
    its stores. A document that an event cannot be folded into is parked, and tried again whenever
    a projector starts.
    """

    batch_max, catch_up_max = PASS_MAX, CATCH_UP_MAX

    def __init__(
        self,
        projections: Projections,
        log: EventLog,
        store: ReadStore,
        wait: Wait,
        advanced: Advanced = _tell_nobody,
    ) -> None:
        self._projections, self._log, self._store = projections, log, store
        self._wait, self._advanced = wait, advanced
        self._owner = new_owner()
        self._fence: int | None = None
        self._asked_at = self._checked_at = self._planned_at = float("-inf")
        self._shift: Shift | None = None
        self._parked_tried = False
        self._bearable = CATCH_UP_MAX

    async def run(self) -> None:
        """Project until cancelled, then release the lease for another projector."""
        renewing = asyncio.create_task(self._renew())
        try:
            await self._run()
        finally:
            renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewing
            await self.release()

    async def release(self) -> None:
        """Release the lease."""
        self._fence, self._shift = None, None
        self._asked_at = float("-inf")
        with contextlib.suppress(ReadStoreUnavailable):
            await self._store.release(self._owner)

    async def _run(self) -> None:
        delay_s = 0.0
        ours = asyncio.current_task()
        # A driver may swallow a cancellation and report an outage instead, so check each time.
        while ours is None or not ours.cancelling():
            try:
                if not await self.step():
                    await self._wait(SWEEP_S)
                delay_s = 0.0
            except OutOfTurn:
                self._shift = None
            except (ReadStoreUnavailable, LogUnavailable) as outage:
                self._shift = None
                is_log = isinstance(outage, LogUnavailable)
                if not is_log:  # a slow store may manage less before the deadline
                    self._bearable = max(BEARABLE_MIN, self._bearable // 4)
                counters_of(LOG_DRIVER if is_log else READ_MODELS_DRIVER).retried()
                if not delay_s:
                    _logger.warning("nothing can be projected at the moment: %s", outage)
                delay_s = min(RETRY_MAX_S, delay_s * 2 or RETRY_FIRST_S)
                await asyncio.sleep(delay_s)
            except ProjectionFailed:
                self._shift = None
                _logger.exception("a new version of a read model cannot be built")

    async def step(self) -> bool:
        """Project one batch; return False if there was nothing to do.

        :raises OutOfTurn: somebody else has written since; the next step continues from there.
        :raises ProjectionFailed: a read model cannot be built; the others continue.
        """
        fence = await self._held()
        if fence is None:
            return False
        now = time.monotonic()
        if self._shift is not None and now - self._checked_at > _CHECK_EVERY_S:
            self._checked_at = now
            if not await follows(self._log, self._shift.control):
                self._shift = None
        try:
            if self._shift is None:
                self._shift = await self._open(fence)
            before = self._shift.control.revision
            self._shift.bearable = self._bearable
            busy = await self._shift.step()
            self._bearable = min(CATCH_UP_MAX, self._bearable + 1 + self._bearable // 4)
            if self._shift.control.revision != before:
                self._advanced(self._shift.control)
            elif not busy:
                await self._look_for_requests(self._shift)
        except Outdated as outdated:
            _logger.warning("this process runs an older version and stops projecting: %s", outdated)
            await self.release()
            self._asked_at = now + _OUTDATED_S
            return False
        except BaseException:
            self._shift = None
            raise
        return busy

    async def _held(self) -> int | None:
        """Return our fence, None while another projector holds the lease."""
        now = time.monotonic()
        patience_s = RENEW_S if self._fence is not None else STAND_BY_S
        if now - self._asked_at >= patience_s:
            self._asked_at = now
            fence = await self._store.lease(self._owner, LEASE_S)
            if fence != self._fence:
                self._fence, self._shift = fence, None
        return self._fence

    async def _renew(self) -> None:
        """Keep renewing the lease, even while a batch takes long."""
        while True:
            await asyncio.sleep(RENEW_S)
            if self._fence is not None:
                with contextlib.suppress(ReadStoreUnavailable):
                    self._asked_at = time.monotonic()
                    if await self._store.lease(self._owner, LEASE_S) != self._fence:
                        self._fence = None

    async def _open(self, fence: int) -> Shift:
        """Plan the work from what is stored and return it."""
        self._checked_at = now = time.monotonic()
        found = await self._store.control()
        if found is None or not await follows(self._log, found):
            self._log.news.forget()
            heads = {p: await self._log.last_position(p) for p in range(self._log.parts)}
            if found is not None:
                _logger.error("the log is a different one: all read models are rebuilt from it")
            control = begun(found, self._projections, await self._log.identity(), heads)
        else:
            again = now - self._planned_at > BUILD_AGAIN_S
            self._planned_at = now if again else self._planned_at
            first = not self._parked_tried
            control = planned(found, self._projections, again=again, first=first)
        await create_all(self._store, self._projections, control)
        if control != found:
            control = await self._store.write(Batch(control=control, fence=fence))
        await self._store.show_live(control)  # whoever switched last may have died before this
        shift = Shift(self._log, self._store, self._projections, control, fence)
        shift.batch_max, shift.catch_up_max = self.batch_max, self.catch_up_max
        parked = await self._store.parked()
        shift.take_up(parked)
        if parked and not self._parked_tried:
            await retry_parked(self._log, shift, parked)
        self._parked_tried = True
        self._advanced(shift.control)
        return shift

    async def _look_for_requests(self, shift: Shift) -> None:
        """Check whether an operator has requested something."""
        found = await self._store.control()
        if found is None or found.revision != shift.control.revision:
            self._shift = None
