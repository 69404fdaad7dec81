"""A proxy before PostgreSQL that cuts the line right after it has passed on a COMMIT."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.listening import listening

CHUNK_BYTES = 1 << 16
COMMIT = b"COMMIT\0"
"""The end of the message, as a statement and as what was carried out."""
REFUSED = b"Z\x00\x00\x00\x05E"
"""ReadyForQuery in a transaction that failed (PostgreSQL 17, section 53.7)."""


class CuttingProxy:
    """Passes bytes both ways; while ``cuts`` is above 0, the answer to a COMMIT is lost.

    A cut waits until the server has answered to the COMMIT, so that it is known to have committed,
    and gives the client nothing of the answer, nor of those to the statements sent with it.
    """

    def __init__(self, url: str) -> None:
        self.upstream = urlsplit(url)
        self.cuts = 0
        self.cut = 0
        self.url = ""

    async def serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Carry one connection until either end goes."""
        host, port = self.upstream.hostname, self.upstream.port
        server, forth = await asyncio.open_connection(host, port)
        answers = asyncio.create_task(self._pass(server, back))
        try:
            while data := await client.read(CHUNK_BYTES):
                if COMMIT in data and self.cuts > 0:
                    self.cuts -= 1
                    answers.cancel()
                    await asyncio.wait([answers])
                    answers = asyncio.create_task(self._lose_answer(server, back))
                forth.write(data)
                await forth.drain()
        finally:
            answers.cancel()
            forth.transport.abort()

    async def _lose_answer(
        self, server: asyncio.StreamReader, client: asyncio.StreamWriter
    ) -> None:
        """Hang up on the client once the server says that it has committed."""
        answer = b""
        while COMMIT not in answer and (some := await server.read(CHUNK_BYTES)):
            answer += some
            if REFUSED in answer:  # a statement before the COMMIT, so there is nothing to lose
                self.cuts += 1
                client.write(answer)
                await self._pass(server, client)
                return
        self.cut += 1
        client.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(CHUNK_BYTES):
                target.write(data)
                await target.drain()


@asynccontextmanager
async def cutting_proxy(url: str) -> AsyncGenerator[CuttingProxy, None]:
    """Serve a proxy before the database at *url*."""
    proxy = CuttingProxy(url)
    async with listening(proxy.serve) as listener:
        netloc = proxy.upstream.netloc.rpartition(":")[0]
        proxy.url = proxy.upstream._replace(netloc=f"{netloc}:{listener.port}").geturl()
        yield proxy
