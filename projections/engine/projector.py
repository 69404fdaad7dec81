"""The projector: follows the log and keeps every read model up to date, in one pass."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from eventstore.append import LogUnavailable
from eventstore.counters import LOG_DRIVER, READ_MODELS_DRIVER, counters_of
from eventstore.log import EventLog
from eventstore.operations.crew import Owns, everything
from projections.engine.control import Control
from projections.engine.folding import ProjectionFailed
from projections.engine.leading import Leader
from projections.engine.leases import STAND_BY_S, PartLeases
from projections.engine.parking import retry_parked
from projections.engine.planning import Outdated, Projections
from projections.engine.shift import CATCH_UP_MAX, PASS_MAX, Shift
from projections.engine.store import OutOfTurn, ReadStore, ReadStoreUnavailable

SWEEP_S = 0.25
"""The longest time between two looks at the log if nothing wakes the projector."""
PATIENT_SWEEP_S = 0.5
"""The same where it is to be woken, and there is no other projector to share with.

Less than readers wait: a Redis that stands still wakes nobody, and does not say so at once.
"""
_PLAN_S = 1.0
"""How long a projector works without looking whether the plan is still the same."""
RETRY_FIRST_S, RETRY_MAX_S = 0.1, 2.0
BEARABLE_MIN = 10
"""A batch is quartered each time that the read store fails, at most to this many events. The first
ones are small, too: nobody knows yet what the store can do in time, and for how many projectors."""
_OUTDATED_S = 60.0
"""How long a process with an older version leaves the leases to others."""

Wait = Callable[[float], Awaitable[object]]
"""Returns when the log may have grown, or after that many seconds."""
Advanced = Callable[[Control], None]
"""Called with the control record whenever it has changed."""

_logger = logging.getLogger(__name__)


def _tell_nobody(control: Control) -> None:
    """Do nothing."""


class Projector:
    """Keeps the read models up to date until it is cancelled.

    If there are several, each holds the leases of the partitions that it *owns*, or stands by
    while others hold them. Who holds the first partition also writes the plan. It survives every
    outage of its stores. A document that an event cannot be folded into is parked, and tried again
    whenever a projector gets its partition.
    """

    batch_max, catch_up_max = PASS_MAX, CATCH_UP_MAX

    def __init__(  # noqa: PLR0913 - the last two have defaults that only some callers change
        self,
        projections: Projections,
        log: EventLog,
        store: ReadStore,
        wait: Wait,
        advanced: Advanced = _tell_nobody,
        *,
        owns: Owns = everything,
        is_woken: Callable[[], bool] = lambda: False,
    ) -> None:
        """*owns* says which partitions are for this projector to write.

        *is_woken* says whether it is certain that ``wait`` returns when the log grows.
        """
        self._projections, self._log, self._store = projections, log, store
        self._wait, self._advanced, self._is_woken = wait, advanced, is_woken
        self._leases = PartLeases(store, lambda: [p for p in range(log.parts) if owns(p)])
        self._leader = Leader(projections, log, store)
        self._control: Control | None = None
        self._read_at = float("-inf")
        self._shifts: dict[int, Shift] = {}
        self._tried: set[int] = set()
        self._bearable = PASS_MAX

    async def run(self) -> None:
        """Project until cancelled, then release the leases for another projector."""
        renewing = asyncio.create_task(self._leases.renew())
        try:
            await self._run()
        finally:
            renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewing
            await self.release()

    async def release(self) -> None:
        """Release the leases."""
        self._forget()
        self._tried.clear()
        await self._leases.release()

    async def _run(self) -> None:
        delay_s = 0.0
        ours = asyncio.current_task()
        # A driver may swallow a cancellation and report an outage instead, so check each time.
        while ours is None or not ours.cancelling():
            try:
                if not await self.step():
                    alone = len(self._shifts) == self._log.parts
                    patient = alone and self._is_woken()
                    await self._wait(PATIENT_SWEEP_S if patient else SWEEP_S)
                delay_s = 0.0
            except OutOfTurn:
                await asyncio.sleep(0)
            except (ReadStoreUnavailable, LogUnavailable) as outage:
                is_log = isinstance(outage, LogUnavailable)
                if not is_log:  # a slow store may manage less before the deadline
                    self._bearable = max(BEARABLE_MIN, self._bearable // 4)
                counters_of(LOG_DRIVER if is_log else READ_MODELS_DRIVER).retried()
                if not delay_s:
                    _logger.warning("nothing can be projected at the moment: %s", outage)
                delay_s = min(RETRY_MAX_S, delay_s * 2 or RETRY_FIRST_S)
                await asyncio.sleep(delay_s)
            except ProjectionFailed:
                _logger.exception("a new version of a read model cannot be built")

    async def step(self) -> bool:
        """Project one batch of each partition; return False if there was nothing to do.

        :raises OutOfTurn: somebody else has written since; the next step continues from there.
        :raises ProjectionFailed: a read model cannot be built; the others continue.
        """
        try:
            fences = await self._leases.held()
            self._shifts = {p: s for p, s in self._shifts.items() if fences.get(p) == s.fence}
            if not fences or not await self._follow_plan(fences):
                return False
            busy = await self._project(fences)
        except Outdated as outdated:
            _logger.warning("this process runs an older version and stops projecting: %s", outdated)
            await self._stand_by(_OUTDATED_S)
            return False
        except BaseException:
            self._forget()
            raise
        return busy

    async def _follow_plan(self, fences: dict[int, int]) -> bool:
        """Read the plan if it may have changed; return whether we can work by it."""
        now = time.monotonic()
        is_fresh = now - self._read_at < _PLAN_S and fences.keys() <= self._shifts.keys()
        if self._control is not None and is_fresh:
            return True
        known, self._read_at = self._control, now
        found = await self._leader.planned(fences.get(0), is_new=known is None)
        if found is None:
            await self._stand_by(STAND_BY_S)
            return False
        if known is None or (known.life, known.revision) != (found.life, found.revision):
            self._shifts.clear()
            self._advanced(found)
        self._control = found
        return True

    async def _project(self, fences: dict[int, int]) -> bool:
        """Do a piece of work in each partition, and then what concerns all of them."""
        opened = await self._open([part for part in fences if part not in self._shifts], fences)
        busy, wrote = False, opened
        for part in fences:
            shift = self._shifts[part]
            before = shift.state.token
            shift.bearable = self._bearable
            busy |= await shift.step()
            if shift.state.token != before:
                self._advanced(shift.control)
                wrote = True
        self._bearable = min(CATCH_UP_MAX, self._bearable + 1 + self._bearable // 4)
        if 0 in fences and self._control is not None:
            changed = await self._leader.lead(self._control, fences[0])
            busy |= changed
            wrote |= changed
            self._read_at = float("-inf") if changed else self._read_at
        if not wrote:  # there is time to see whether somebody has changed the plan
            self._read_at = float("-inf")
        return busy

    async def _open(self, parts: Sequence[int], fences: dict[int, int]) -> bool:
        """Begin with partitions where whoever had them before has left off."""
        if not parts or self._control is None:
            return False
        parked = await self._store.parked()
        for part in parts:
            control, fence = self._control, fences[part]
            shift = Shift(
                self._log, self._store, self._projections, control, part=part, fence=fence
            )
            shift.batch_max, shift.catch_up_max = self.batch_max, self.catch_up_max
            await shift.open(parked)
            if parked and part not in self._tried:
                await retry_parked(self._log, shift, parked)
            self._tried.add(part)
            self._shifts[part] = shift
            self._advanced(shift.control)
        return True

    async def _stand_by(self, seconds: float) -> None:
        """Leave our partitions to others for a while."""
        self._forget()
        await self._leases.release(seconds)

    def _forget(self) -> None:
        """Forget what the store may not have."""
        self._control = None
        self._shifts.clear()
