"""A proxy before PostgreSQL that can fall silent: connections stay, but no byte passes."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.listening import listening

CHUNK_BYTES = 1 << 16


class SilentProxy:
    """Passes bytes both ways unless it is ``silent``."""

    def __init__(self, url: str) -> None:
        self.upstream = urlsplit(url)
        self.silent = False
        self.url = ""

    async def serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Carry one connection until either end goes."""
        host, port = self.upstream.hostname, self.upstream.port
        server, forth = await asyncio.open_connection(host, port)
        ways = [
            asyncio.create_task(self._pass(client, forth)),
            asyncio.create_task(self._pass(server, back)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            forth.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(CHUNK_BYTES):
                if not self.silent:
                    target.write(data)
                    await target.drain()


@asynccontextmanager
async def silent_proxy(url: str) -> AsyncGenerator[SilentProxy]:
    """Serve a proxy before the database at *url*."""
    proxy = SilentProxy(url)
    async with listening(proxy.serve) as listener:
        netloc = proxy.upstream.netloc.rpartition(":")[0]
        proxy.url = proxy.upstream._replace(netloc=f"{netloc}:{listener.port}").geturl()
        yield proxy
