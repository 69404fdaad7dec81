"""A proxy before PostgreSQL that cuts the line right after it has passed on a COMMIT."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

CHUNK_BYTES = 1 << 16
COMMIT = b"COMMIT"


class CuttingProxy:
    """Passes bytes both ways; while ``cuts`` is above 0, the answer to a COMMIT is lost.

    A cut waits until the server has answered, so that it is known to have committed, and gives
    the client nothing of the answer.
    """

    def __init__(self, url: str) -> None:
        self._upstream = urlsplit(url)
        self.cuts = 0
        self.cut = 0
        self.url = ""

    async def serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Carry one connection until either end goes."""
        host, port = self._upstream.hostname, self._upstream.port
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
        except ConnectionError:
            pass
        finally:
            answers.cancel()
            for writer in (back, forth):
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(CHUNK_BYTES):
                target.write(data)
                await target.drain()


@asynccontextmanager
async def cutting_proxy(url: str) -> AsyncGenerator[CuttingProxy, None]:
    """Serve a proxy before the database at *url*."""
    proxy = CuttingProxy(url)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    netloc = proxy._upstream.netloc.rpartition(":")[0]  # pyright: ignore[reportPrivateUsage]  # the test looks inside
    proxy.url = proxy._upstream._replace(netloc=f"{netloc}:{port}").geturl()  # pyright: ignore[reportPrivateUsage]  # the test looks inside
    async with server:
        yield proxy
