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
    """The turns of one event loop; enter it for one piece of work that does not wait.

    A piece may need a long stream, which is read in pieces as well: they belong to the same turn.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._holder: asyncio.Task[object] | None = None
        self._depth = 0

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        if task is None or self._holder is not task:
            await self._lock.acquire()
            self._holder = task
        self._depth += 1

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await asyncio.sleep(0)
        finally:
            self._depth -= 1
            if not self._depth:
                self._holder = None
                self._lock.release()
