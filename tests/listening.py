"""A TCP server for tests that leaves no connection open when it ends.

asyncio's own server (Python 3.11) forgets a connection that it has taken but not yet handed over
when it is closed, and never closes one whose task is cancelled before it began. Garbage collection
then finds the socket in some later test, and fails that one.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def stop(server: asyncio.Server) -> None:
    """Close *server*, after every connection that it has taken reached its protocol."""
    loop = asyncio.get_running_loop()
    for listener in server.sockets:
        loop.remove_reader(listener.fileno())
    for _ in range(2):  # the task that makes the transport, and the protocol's first call
        await asyncio.sleep(0)
    server.close()


class Listener:
    """Holds one conversation a connection, on a free port of 127.0.0.1."""

    def __init__(self, converse: Conversation) -> None:
        self.port = 0
        self._converse = converse
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None

    @property
    def open_connections(self) -> int:
        """How many conversations have not ended."""
        return len(self._open)

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        """Take connections from now on."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Take no more connections, and abort those that are open."""
        assert self._server is not None
        await stop(self._server)
        for conversation, writer in self._open.items():
            conversation.cancel()
            writer.transport.abort()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Our own task: the one asyncio would start complains when it is cancelled (Python 3.11).
        conversation = asyncio.create_task(self._hold(reader, writer))
        self._open[conversation] = writer
        conversation.add_done_callback(self._open.pop)

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, OSError):
                await self._converse(reader, writer)
        finally:
            writer.transport.abort()


@asynccontextmanager
async def listening(converse: Conversation) -> AsyncGenerator[Listener]:
    """Hold *converse* with everyone who connects while the block runs."""
    listener = Listener(converse)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()
