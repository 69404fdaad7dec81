"""Work that begins after the answer, whose time therefore tells nothing about it."""

import asyncio
import logging
from collections.abc import Coroutine

from domain.base import DomainError
from eventstore.append import ConcurrencyConflict
from eventstore.mode import LogClosed
from runtime.outages import StoreOutage

_logger = logging.getLogger(__name__)
_running: set[asyncio.Task[None]] = set()  # a task that nobody refers to may be collected


def afterwards(work: Coroutine[None, None, None], *, failing: str) -> None:
    """Run *work* after the answer of this request; if a store fails it, log *failing*."""
    task = asyncio.create_task(_done(work, failing))
    _running.add(task)
    task.add_done_callback(_running.discard)


async def _done(work: Coroutine[None, None, None], failing: str) -> None:
    try:
        await work
    except DomainError:
        return  # the account is deactivated meanwhile
    except (*StoreOutage, ConcurrencyConflict, LogClosed) as error:
        _logger.warning("%s: %s", failing, error)
