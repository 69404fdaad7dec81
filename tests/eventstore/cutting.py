"""A proxy before PostgreSQL that cuts the line right after it has passed on a COMMIT."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.listening import listening

CHUNK_BYTES = 1 << 16
COMMIT = b"COMMIT"


class CuttingProxy:
    """Passes bytes both ways; while ``cuts`` is above 0, the answer to a COMMIT is lost.

    A cut waits until the server has answered, so that it is known to have committed, and gives
    the client nothing of the answer.
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
                losing = COMMIT in data and self.cuts > 0
                if losing:
                    self.cuts -= 1
                    answers.cancel()
                    await asyncio.wait([answers])
                forth.write(data)
                await forth.drain()
                if losing:
                    await server.read(CHUNK_BYTES)
                    self.cut += 1
                    break
        finally:
            answers.cancel()
            forth.transport.abort()

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
