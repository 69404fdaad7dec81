"""Turns on the event loop: of long work, and of commands on one stream.

Long work is done in pieces between which other requests are served.

Only one piece runs in a turn of the loop, however many long jobs there are, so a request waits for
one piece at most before each of its own steps.
"""

import asyncio
from types import TracebackType
from uuid import UUID

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


class OneAtATime:
    """Makes commands on one stream of this process wait for each other instead of colliding.

    A stream has a line, of those who wait, while a command on it has its turn.
    """

    def __init__(self) -> None:
        # By the integers of ids, because UUIDs are hashed in Python.
        self._lines: dict[int, list[asyncio.Future[None]]] = {}

    def begin(self, stream: UUID) -> bool:
        """Begin the turn of a command unless another has it; return whether it begins."""
        free = stream.int not in self._lines
        if free:
            self._lines[stream.int] = []
        return free

    async def wait(self, stream: UUID) -> None:
        """Wait for the turn after all who wait already."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines[stream.int].append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if not mine.cancelled():  # it was our turn already
                self.end(stream)
            raise

    def end(self, stream: UUID) -> None:
        """End the turn; the next who waits and was not cancelled has it."""
        line = self._lines[stream.int]
        while line:
            following = line.pop(0)
            if not following.done():
                following.set_result(None)
                return
        del self._lines[stream.int]
