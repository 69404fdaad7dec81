"""Pings: asks every store regularly whether it answers, and logs outages."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from eventstore.counters import counters_of
from runtime.outages import StoreOutage

PING_S = 30.0
"""How often a store that answered is asked again."""
RECOVERY_S = 2.0
"""How often a store that did not answer is asked again."""
PING_DEADLINE_S = 2.0
"""A store that takes longer to answer a ping counts as unavailable."""

Ping = Callable[[], Awaitable[object]]
_logger = logging.getLogger(__name__)


class StoreWatch:
    """Whether one store answers."""

    def __init__(self, name: str, ping: Ping, *, deadline_s: float = PING_DEADLINE_S) -> None:
        self.name, self.trouble = name, ""
        self._ping, self._deadline_s = ping, deadline_s
        self._down_since: float | None = None

    async def ask(self) -> str:
        """Ask now; return what is wrong, empty if nothing is."""
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._ping()
        except TimeoutError:
            self._failed(f"no answer in {self._deadline_s:g} s")
        except (*StoreOutage, OSError) as error:
            self._failed(str(error) or type(error).__name__)
        else:
            self._answered()
        return self.trouble

    async def run(self, every_s: float = PING_S, recovery_s: float = RECOVERY_S) -> None:
        """Ask again and again until cancelled."""
        while True:
            trouble = await self.ask()
            await asyncio.sleep(recovery_s if trouble else every_s)

    def _failed(self, trouble: str) -> None:
        counters_of(self.name).health_check_failed()
        self.trouble = trouble
        if self._down_since is None:
            self._down_since = time.monotonic()
            details = {"event": "healthCheckFailed", "store": self.name, "error": trouble}
            _logger.warning("%s does not answer", self.name, extra={"details": details})

    def _answered(self) -> None:
        self.trouble = ""
        if self._down_since is not None:
            out_s = round(time.monotonic() - self._down_since, 1)
            self._down_since = None
            details = {"event": "healthCheckRecovered", "store": self.name, "outageS": out_s}
            _logger.warning("%s answers again", self.name, extra={"details": details})


async def run_watches(watches: Mapping[str, StoreWatch]) -> None:
    """Run all of *watches* until cancelled."""
    async with asyncio.TaskGroup() as group:
        for watch in watches.values():
            group.create_task(watch.run(), name=f"ping {watch.name}")
