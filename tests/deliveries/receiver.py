"""A webhook receiver on a real socket that answers by script and remembers what it was sent.

    async with Receiver() as receiver:
        receiver.answer_with(Reply(status=503), Reply())
        ...                                     # post to receiver.url
        first, second = await receiver.wait_for(2)

Hand-written instead of a framework, so that it can also misbehave: drip, never end, hang up.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from tests.listening import Listener

CHUNK_BYTES = 16 * 1024
DRIP_S = 0.01


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request as it arrived; header names are in lower case, `connection` counts from 1."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int
    at_s: float  # time.monotonic()


@dataclass(frozen=True, kw_only=True)
class Reply:
    """How one request is answered; `raw` replaces the whole answer by these bytes."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b"ok"
    delay_s: float = 0.0
    after: asyncio.Event | None = None  # given only once this has happened
    drip: bool = False  # the body comes one byte at a time
    endless: bool = False  # the body never ends
    hang_up: bool = False  # closed without an answer
    raw: bytes | None = None

    def head(self) -> bytes:
        """Return status line and headers."""
        framing = {} if self.endless else {"Content-Length": str(len(self.body))}
        fields = framing | dict(self.headers)
        lines = [f"HTTP/1.1 {self.status} Scripted"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


Script = Callable[[Received], Reply]


class Receiver:
    """Listens on 127.0.0.1 while the `async with` block runs."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, host_name: str = "127.0.0.1") -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self._tls = tls
        self._host_name = host_name
        self._script: Script = lambda _: Reply()
        self._news = asyncio.Condition()
        self._listener = Listener(self._converse)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._listener.port

    @property
    def url(self) -> str:
        """The address to post to."""
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{self._host_name}:{self.port}/hook"

    @property
    def open_connections(self) -> int:
        """How many connections neither side has closed."""
        return self._listener.open_connections

    def answer_with(self, *replies: Reply) -> None:
        """Give *replies* to the next requests in turn; the last one is repeated."""
        waiting = list(replies)
        self._script = lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def answer_by(self, script: Script) -> None:
        """Let *script* choose the reply to each request."""
        self._script = script

    async def wait_for(self, count: int, timeout_s: float = 30.0) -> list[Received]:
        """Return all requests as soon as there are *count* of them.

        :raises AssertionError: when they do not come in time
        """
        try:
            async with asyncio.timeout(timeout_s), self._news:
                await self._news.wait_for(lambda: len(self.requests) >= count)
        except TimeoutError:
            raise AssertionError(f"{len(self.requests)} of {count} requests came") from None
        return list(self.requests)

    async def __aenter__(self) -> Self:
        await self._listener.start(self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._listener.stop()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = self.connections
        while await self._serve_one(reader, writer, connection):
            pass

    async def _serve_one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int
    ) -> bool:
        received = await _read_request(reader, connection)
        reply = self._script(received)
        async with self._news:
            self.requests.append(received)
            self._news.notify_all()
        await asyncio.sleep(reply.delay_s)
        if reply.after is not None:
            await reply.after.wait()
        if reply.hang_up:
            return False
        await _write_reply(writer, reply)
        closing = reply.raw is not None or reply.headers.get("Connection") == "close"
        if closing and writer.can_write_eof():
            writer.write_eof()
            await reader.read()
        return not closing


async def _read_request(reader: asyncio.StreamReader, connection: int) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request_line, *lines = head.rstrip().split("\r\n")
    method, path, _ = request_line.split(" ")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(
        method=method,
        path=path,
        headers=headers,
        body=body,
        connection=connection,
        at_s=time.monotonic(),
    )


async def _write_reply(writer: asyncio.StreamWriter, reply: Reply) -> None:
    if reply.raw is not None:
        writer.write(reply.raw)
    elif reply.drip:
        writer.write(reply.head())
        for byte in reply.body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(DRIP_S)
    elif reply.endless:
        writer.write(reply.head())
        while True:
            writer.write(bytes(CHUNK_BYTES))
            await writer.drain()
    else:
        writer.write(reply.head() + reply.body)
    await writer.drain()
