"""Ends tasks that may lose a cancellation, as redis-py's do while they connect."""

import asyncio
from typing import Any

_AGAIN_S = 0.2


async def end(task: "asyncio.Task[Any] | None") -> None:
    """Cancel *task* until it has ended; what it raised meanwhile is no longer of interest."""
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_AGAIN_S)
    if task is not None and not task.cancelled():
        task.exception()  # looked at, or asyncio would complain
