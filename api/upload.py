"""Bodies that are streamed: those of the few routes that take files. Everywhere else is JSON.

A stream is read as fast as it is stored, so a file of any size needs the memory of some pieces.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any
from uuid import UUID

PIECE_DEADLINE_S = 10.0
"""How long a client may send nothing."""
SLOW_GRACE_S = 30.0
BYTES_PER_S_MIN = 16 * 1024
"""How fast a client has to send on average, once the grace is over."""
UPLOADS_MAX = 16
"""Uploads at the same time of one process: each needs at most 16 MiB."""
UPLOADS_PER_USER_MAX = 4
DRAINED_MAX = 1024 * 1024
"""How much of a refused body is read, so that the client gets to read the refusal."""
_DRAIN_S = 1.0

ReceiveBody = Callable[[], Awaitable[Any]]


class UploadTooSlow(Exception):
    """The body does not arrive in time."""


class UploadNotAsLong(Exception):
    """The body is not as long as Content-Length promised."""


class UploadCutOff(Exception):
    """The client disconnected before the body was complete."""


class TooManyUploads(Exception):
    """This process, or this user, has as many uploads in progress as it may."""


class Upload:
    """The body of one request, whose length was promised."""

    def __init__(self, receive: ReceiveBody, promised: int, *, waits: bool) -> None:
        """Take a body; *waits* tells that its client sends it only when asked (Expect)."""
        self._receive, self.promised, self._waits = receive, promised, waits
        self.received = 0
        self.ended = promised == 0

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives.

        :raises UploadTooSlow: it does not arrive in time.
        :raises UploadNotAsLong: it is shorter or longer than was promised.
        :raises UploadCutOff: the client disconnected.
        """
        self._waits = False
        began = time.monotonic()
        while not self.ended:
            piece = await self._next()
            if self.received > self.promised or (self.ended and self.received < self.promised):
                raise UploadNotAsLong
            if time.monotonic() - began > SLOW_GRACE_S + self.received / BYTES_PER_S_MIN:
                raise UploadTooSlow
            if piece:
                yield piece

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(PIECE_DEADLINE_S):
                message = await self._receive()
        except TimeoutError:
            raise UploadTooSlow from None
        if message["type"] != "http.request":
            raise UploadCutOff
        piece: bytes = message.get("body", b"")
        self.received += len(piece)
        self.ended = not message.get("more_body", False)
        return piece

    async def drain(self) -> bool:
        """Read what little is left of a refused body; return whether it has ended."""
        if self._waits or self.promised - self.received > DRAINED_MAX:
            return self.ended
        with contextlib.suppress(TimeoutError, UploadTooSlow, UploadCutOff):
            async with asyncio.timeout(_DRAIN_S):
                while not self.ended and self.received <= self.promised:
                    await self._next()
        return self.ended


class UploadPlaces:
    """Bounds how many uploads are in progress, in all and for each user."""

    def __init__(self) -> None:
        self._taken = Counter[UUID]()

    @contextlib.contextmanager
    def taken(self, user_id: UUID) -> Generator[None]:
        """Hold a place during the block.

        :raises TooManyUploads: there is none.
        """
        if self._taken.total() >= UPLOADS_MAX or self._taken[user_id] >= UPLOADS_PER_USER_MAX:
            raise TooManyUploads
        self._taken[user_id] += 1
        try:
            yield
        finally:
            self._taken[user_id] -= 1
            self._taken += Counter()  # forgets those without any
