"""Monitor: what a process knows of the health of its system, kept fresh in the background."""

import asyncio
import logging

from msgspec import Struct

from eventstore.counters import (
    LOG_DRIVER,
    OPERATIONS_DRIVER,
    READ_MODELS_DRIVER,
    REDIS_DRIVER,
)
from eventstore.operations.records import Backlog
from eventstore.operations.ticks import tick
from projections.catalog import PROJECTIONS
from projections.engine.progress import Progress
from projections.engine.store import Rebuilding
from runtime.health.endpoint_watch import EndpointWatch
from runtime.health.pings import PING_DEADLINE_S, StoreWatch, run_watches
from runtime.health.totals import SharedCounts
from runtime.health.watchdog import Watchdog
from runtime.outages import StoreOutage
from runtime.system import System

LOOK_S = 2.0
"""How often the followers are looked at."""


class PartCheck(Struct, frozen=True):
    """What readiness says about one part of the system.

    ``states`` are what it may say instead of ``ok``; ``needed`` tells whether that is a 503.
    """

    needed: bool
    ok: str
    states: dict[str, str]


READINESS_CHECKS = {
    "eventLog": PartCheck(
        needed=True,
        ok="the log answered within 2 s, and the last commit of this process was written",
        states={
            "unavailable": "no answer",
            "cannot be written": "the last commit failed, as when the disk is full or another"
            " process holds the lock; a write of no event is tried every 2 s until one succeeds",
        },
    ),
    "readModels": PartCheck(
        needed=True,
        ok="the store of the read models answered within 2 s, and they are shown to readers",
        states={
            "unavailable": "no answer",
            "rebuilding (42%)": "they are built from the log for the first time, or again because"
            " the log was replaced; lists answer 503 `rebuilding` until then",
        },
    ),
    "projector": PartCheck(
        needed=True,
        ok="the slowest read model advances, or includes every event",
        states={
            "stalled for 31 s": "events wait, and it has not advanced for longer than"
            " STALLED_AFTER; `behind.projector` says how many wait"
        },
    ),
    "deliveries": PartCheck(
        needed=False,
        ok="the operational state answered within 2 s, and every webhook advances, has nothing to"
        " send, is paused, or waits for a receiver that fails",
        states={
            "unavailable": "no answer",
            "stalled: 0190… (12 behind)": "the webhooks for which events wait and nothing was"
            " written for longer than STALLED_AFTER, also if no worker has ever served them; the"
            " first five are named, and `behind` has all",
        },
    ),
    "redis": PartCheck(
        needed=False,
        ok="Redis took a message within 2 s; the check is missing where REDIS_URL is not set",
        states={"unavailable": "no answer; everything works, with up to a second more latency"},
    ),
}
"""The checks of readiness, in the order in which they are shown."""
_logger = logging.getLogger(__name__)


class Readiness(Struct, frozen=True):
    """Whether requests can be served, and what is wrong with each store and follower."""

    ready: bool
    checks: dict[str, str]
    behind: dict[str, int]


class Monitor:
    """Pings the stores and watches the projector of one system."""

    def __init__(self, system: System, progress: Progress) -> None:
        self._system, self._progress = system, progress
        self.head = 0
        self.backlog = Backlog(0, None)
        stalled_s = system.settings.stalled_after.total_seconds()
        self.projector = Watchdog("projector", stalled_s=stalled_s)
        self.endpoints = EndpointWatch(system, stalled_s=stalled_s)
        self.figures: dict[str, int] = {}
        self.shared = SharedCounts()
        self._rebuilding = ""
        self.stores = {
            LOG_DRIVER: StoreWatch(LOG_DRIVER, self._ping_log),
            READ_MODELS_DRIVER: StoreWatch(READ_MODELS_DRIVER, self._look_at_projector),
            OPERATIONS_DRIVER: StoreWatch(OPERATIONS_DRIVER, self._look_at_deliveries),
        }
        if system.settings.redis_url:
            self.stores[REDIS_DRIVER] = StoreWatch(REDIS_DRIVER, self._ping_redis)
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to watch in the background."""
        self._running = asyncio.create_task(self.run(), name="monitor")

    async def stop(self) -> None:
        """Stop watching."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        self.shared.publish()

    async def look(self) -> None:
        """Ask every store at once, now."""
        await self.stores[LOG_DRIVER].ask()  # how far the others are behind depends on it
        others = (watch for name, watch in self.stores.items() if name != LOG_DRIVER)
        await asyncio.gather(*(watch.ask() for watch in others))

    async def readiness(self) -> Readiness:
        """Ask every store and return whether requests can be served."""
        await self.look()
        needed = {
            "eventLog": self._state_of(LOG_DRIVER) or self._append_state(),
            "readModels": self._state_of(READ_MODELS_DRIVER) or self._rebuilding,
            "projector": self._projector_state(),
        }
        helpful = {"deliveries": self._state_of(OPERATIONS_DRIVER) or self.endpoints.state()}
        if REDIS_DRIVER in self.stores:
            helpful["redis"] = self._state_of(REDIS_DRIVER)
        checks = {name: state or "ok" for name, state in {**needed, **helpful}.items()}
        behind = {"projector": self.projector.behind}
        behind |= {f"webhook {name}": n for name, n in self.endpoints.stalled.items()}
        return Readiness(not any(needed.values()), checks, behind)

    def _state_of(self, driver: str) -> str:
        return "unavailable" if self.stores[driver].trouble else ""

    def _append_state(self) -> str:
        return "cannot be written" if self._system.log.append_failure is not None else ""

    def _projector_state(self) -> str:
        stalled = self.projector.stalled
        return f"stalled for {self.projector.standing_s:.0f} s" if stalled else ""

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(run_watches(self.stores))
            group.create_task(self._watch_projector())
            group.create_task(self._watch_endpoints())

    async def _watch_projector(self) -> None:
        while True:
            await tick(LOOK_S)
            self.shared.publish()
            try:
                async with asyncio.timeout(PING_DEADLINE_S):
                    await self._ping_log()
                    await self._look_at_projector()
                    if self._system.log.append_failure is not None:
                        await self._system.log.probe_write()
            except (*StoreOutage, OSError, TimeoutError) as error:
                _logger.debug("not looked at: %s", error)

    async def _watch_endpoints(self) -> None:
        while True:
            await tick(LOOK_S)
            try:
                async with asyncio.timeout(PING_DEADLINE_S):
                    await self.endpoints.look()
            except (*StoreOutage, OSError, TimeoutError) as error:
                _logger.debug("endpoints not looked at: %s", error)

    async def _ping_log(self) -> None:
        self.head = await log_head(self._system)

    async def _look_at_projector(self) -> None:
        try:
            await self._progress.refuse_unless_serving()
            self._rebuilding = ""
        except Rebuilding as rebuilding:
            self._rebuilding = f"rebuilding ({rebuilding.progress:.0%})"
        self.figures = await self._system.read_store.figures()
        self.projector.observe(await projected_position(self._system), self.head)

    async def _look_at_deliveries(self) -> None:
        self.backlog = await self._system.operations.backlog()

    async def _ping_redis(self) -> None:
        trouble = await self._system.wakeups.trouble()
        if trouble is not None:
            raise OSError(trouble)


async def log_head(system: System) -> int:
    """Return how many positions the partitions of the log have together."""
    heads = [await system.log.last_position(part) for part in range(system.log.parts)]
    return sum(heads)


async def projected_position(system: System) -> int:
    """Return how many positions every read model includes: those of the slowest one."""
    control = await system.read_store.control()
    if control is None:
        return 0
    return min(
        sum(control.reached(one.name, part) for part in range(system.log.parts))
        for one in PROJECTIONS
    )
