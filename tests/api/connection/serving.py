"""A server on a real socket, with tight bounds, and clients that speak bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from typing import Any, ClassVar

import uvicorn
from msgspec.structs import replace

from api.connection.bounds import BOUNDS, Bounds
from api.connection.protocol import BoundedProtocol
from security.url_guard import IPNetwork

DEADLINE_S = 30.0
POLL_S = 0.01
HEALTH = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the test runner."""
        yield


class Served:
    """A running server."""

    def __init__(self, server: uvicorn.Server, port: int) -> None:
        self.server, self.port = server, port

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)

    def client(self) -> AbstractAsyncContextManager["Client"]:
        """Open a connection."""
        return client_at(self.port)


@asynccontextmanager
async def client_at(port: int) -> AsyncIterator["Client"]:
    """Open a connection to *port*, closed afterwards."""
    client = Client(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield client
    finally:
        client.writer.transport.abort()


class Client:
    """One connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        """Send *data*; a server that has closed the connection is no failure."""
        self.writer.write(data)
        with suppress(ConnectionError):
            async with asyncio.timeout(DEADLINE_S):
                await self.writer.drain()

    async def response(self) -> tuple[int, dict[str, str], bytes]:
        """Read one response: its status, headers and content."""
        async with asyncio.timeout(DEADLINE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            status, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
            }
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(status.split()[1]), headers, body

    async def ask(self, data: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send *data* and read a response."""
        await self.send(data)
        return await self.response()

    async def rest(self) -> bytes:
        """Read until the server closes the connection."""
        async with asyncio.timeout(DEADLINE_S):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


@asynccontextmanager
async def serving(
    app: Any, trusted: tuple[IPNetwork, ...] = (), **changed: Any
) -> AsyncIterator[Served]:
    """Serve *app* on a free port, within bounds *changed* as given, behind *trusted* proxies."""

    class Protocol(BoundedProtocol):
        """The protocol within other bounds."""

        bounds: ClassVar[Bounds] = replace(BOUNDS, **changed)
        proxies: ClassVar[tuple[IPNetwork, ...]] = trusted

    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started)
        yield Served(server, server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        await task


async def eventually(holds: Callable[[], object]) -> None:
    """Wait until *holds* returns something true."""
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while not holds():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(POLL_S)
