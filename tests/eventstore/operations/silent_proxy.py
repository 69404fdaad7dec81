"""A proxy before PostgreSQL that can fall silent: connections stay, but no byte passes."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

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
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for writer in (back, forth):
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

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
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    netloc = proxy.upstream.netloc.rpartition(":")[0]
    proxy.url = proxy.upstream._replace(netloc=f"{netloc}:{port}").geturl()
    try:
        yield proxy
    finally:
        server.close()
