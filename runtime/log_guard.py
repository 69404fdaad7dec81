"""Has a log that contradicts what was signed refuse commands, at the start and each minute."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from commands.work.trash.things import PURGED
from domain.catalog import tag_of
from domain.identity.user.erasure import UserErased
from eventstore.mode import REASONS, LogMode
from eventstore.recorded import Row
from eventstore.store import LogIdentity
from runtime.outages import StoreOutage
from runtime.system import System

GUARD_EVERY_S = 60.0
"""How often the log is compared with what it was."""

FORGET_EVERY_S = 10.0
"""How often a process looks for destroyed keys, with which it may be able to read that long."""

_RETRY_S = 1.0
_DESTROYING = (tag_of(UserErased), *map(tag_of, PURGED))
_LOSSES_LOGGED_MAX = 20
_logger = logging.getLogger(__name__)

_Ends = tuple[LogIdentity, dict[int, Row]]


class LogGuard:
    """Compares the log with the signed tree heads whenever it is not the log it was.

    While its identity and the last events seen stand where they stood, nothing was set back.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self._ends: _Ends | None = None

    async def check(self) -> None:
        """Close the log if it is shorter than or different from what was signed.

        :raises LogUnavailable: it cannot be compared now.
        """
        if self._ends is None or not await self._has(self._ends):
            losses = await self._system.log_check.losses()
            store = self._system.log.store
            mode = await self._system.log.mode()
            if losses and mode in (LogMode.OPEN, LogMode.READ_ONLY):
                await asyncio.to_thread(store.set_mode, LogMode.CONTRADICTED)
                mode = LogMode.CONTRADICTED
            for loss in losses[:_LOSSES_LOGGED_MAX]:
                _logger.error("%s", loss)
            if mode is not LogMode.OPEN:
                _logger.error("the log takes no commands: %s", REASONS[mode])
        self._ends = await self._last_events()

    async def run(self) -> None:
        """Check until cancelled."""
        while True:
            pause_s = GUARD_EVERY_S
            try:
                await self.check()
            except StoreOutage as error:
                _logger.warning("the log is not compared with what was signed: %s", error)
                pause_s = _RETRY_S
            await asyncio.sleep(pause_s)

    async def _has(self, ends: _Ends) -> bool:
        identity, rows = ends
        log = self._system.log
        if await log.identity() != identity:
            return False
        for part, row in rows.items():
            if await log.tail_rows(row.position - 1, 1, part=part) != [row]:
                return False
        return True

    async def _last_events(self) -> _Ends:
        log = self._system.log
        rows: dict[int, Row] = {}
        for part in range(log.parts):
            position = await log.last_position(part)
            for row in await log.tail_rows(position - 1, 1, part=part) if position else ():
                rows[part] = row
        return await log.identity(), rows


class KeyForgetting:
    """Has this process forget its keys in memory when keys were destroyed: of people, or texts."""

    def __init__(self, system: System) -> None:
        self._log = system.log
        self._after: dict[int, int] = {}

    async def check(self) -> None:
        """Empty the cache of keys if some were destroyed since the last time.

        :raises LogUnavailable: nobody knows now.
        """
        for part in range(self._log.parts):
            last, after = await self._log.last_position(part), self._after.get(part)
            if (
                after is None
                or last < after
                or await self._log.tail_rows(after, 1, _DESTROYING, part)
            ):  # the start, or a log that was set back
                self._log.keys.forget_all()
            self._after[part] = last

    async def run(self) -> None:
        """Check until cancelled."""
        while True:
            try:
                await self.check()
            except StoreOutage as error:
                _logger.warning("nobody knows whether keys were destroyed: %s", error)
            await asyncio.sleep(FORGET_EVERY_S)


@asynccontextmanager
async def guarded(system: System) -> AsyncGenerator[None]:
    """Check the log before the block runs, and each minute while it does; forget erased keys."""
    guard = LogGuard(system)
    with contextlib.suppress(*StoreOutage):  # the task tries again
        await guard.check()
    tasks = [
        asyncio.create_task(guard.run(), name="guard the log"),
        asyncio.create_task(KeyForgetting(system).run(), name="forget destroyed keys"),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
