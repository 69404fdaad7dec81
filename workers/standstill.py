"""Standstill: a worker pauses while nothing may be written next to the log."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from eventstore.operations.ticks import tick, until_tick
from runtime.outages import StoreOutage
from runtime.system import System

_LOOK_S = 1.0
_logger = logging.getLogger(__name__)


async def while_writable(system: System, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run *work* until cancelled; end it while the log is read-only or was moved.

    Requests in progress are finished first, as when a process stops.
    """
    still = False
    while True:
        while await _is_still(system, before=still):
            still = True
            await tick(_LOOK_S)
        still = False
        running = asyncio.create_task(work(), name="write next to the log")
        try:
            while not running.done() and not await _is_still(system, before=False):
                await asyncio.wait([running], timeout=until_tick(_LOOK_S))
        finally:
            ended = running.done()
            running.cancel()
            await asyncio.wait([running])
        if ended:
            running.result()
        still = True
        _logger.warning("the worker pauses: nothing may be written next to the log now")


async def _is_still(system: System, *, before: bool) -> bool:
    """Return whether nothing may be written, or what was known *before* if nobody can tell."""
    try:
        return await system.log.is_still()
    except StoreOutage:
        return before
