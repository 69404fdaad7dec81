"""Turns: long work on the event loop, in pieces between which other requests are served.

Only one piece runs in a turn of the loop, however many long jobs there are, so a request waits for
one piece at most before each of its own steps.
"""

import asyncio
from types import TracebackType

PIECE = 50
"""Events in a piece: reading, decrypting and encoding them takes 2 to 5 ms."""


STREAM_PIECE = 500
"""Events of one stream in a piece: reading and folding them takes 2 to 3 ms, and few streams have
more."""


class Turns:
    """The turns of one event loop; enter it for one piece of work that does not wait."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> None:
        await self._lock.acquire()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await asyncio.sleep(0)
        finally:
            self._lock.release()
