"""Finds over connections of our own, because the driver's bookkeeping costs more than a read.

A page of 50 tasks took 570 µs of CPU through pymongo's AsyncMongoClient and 160 µs this way; a
task by its id 390 and 90 (2 cores, uvloop, pymongo 4.20). What the driver does besides, it goes
on doing: finding the primary, writes, transactions, and every read that does not succeed here.
So nothing depends on this lane, and a deployment that needs TLS or a login does without it.

One request is one OP_MSG with one document in it, and so is its reply (MongoDB Wire Protocol,
OP_MSG, section kind 0).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import bson
from bson.errors import BSONError
from pymongo import AsyncMongoClient
from pymongo.asynchronous.uri_parser import parse_uri
from pymongo.errors import PyMongoError

from projections.engine.checkpoints import Document

Address = tuple[str, int]
Primary = Callable[[], Awaitable[Address | None]]
_NOWHERE = ("127.0.0.1", 0)
"""Where to connect to while there is no primary: it is refused."""

OP_MSG = 2013
_HEADER_BYTES = 16
_FLAGS_AND_KIND = b"\0\0\0\0\0"
_DOCUMENT_AT = _HEADER_BYTES + len(_FLAGS_AND_KIND)
CONNECTIONS_MAX = 32
ANSWER_MAX_S = 5.0
REST_S = 1.0
"""How long this lane is left alone after something went wrong on it."""
_PLAIN = {"replicaset", "directconnection", "appname", "retrywrites", "retryreads", "w"}


class _Connection(asyncio.Protocol):
    """One question at a time."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # TCP is written to as well

    def data_received(self, data: bytes) -> None:
        self._received += data
        length = int.from_bytes(self._received[:4], "little")
        if len(self._received) >= max(length, _HEADER_BYTES):
            answer, self._received = bytes(self._received), bytearray()
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("closed by the server"))

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, command: Document) -> Document:
        """Send *command* and return the reply.

        :raises OSError: the connection broke.
        :raises BSONError: the reply is not what was asked for.
        """
        if self._transport is None:
            raise ConnectionResetError("not connected")
        body = bson.encode(command)
        length = (_DOCUMENT_AT + len(body)).to_bytes(4, "little")
        self._answer = asyncio.get_running_loop().create_future()
        header = length + b"\1\0\0\0\0\0\0\0" + OP_MSG.to_bytes(4, "little")
        self._transport.write(header + _FLAGS_AND_KIND + body)
        answer = await self._answer
        return bson.decode(memoryview(answer)[_DOCUMENT_AT:])  # pyright: ignore[reportUnknownMemberType]  # bson is partly untyped

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Lane:
    """A quick lane for finds. Belongs to one event loop; close it when the process ends."""

    def __init__(self, primary: Primary) -> None:
        self._primary = primary
        self._idle: list[_Connection] = []
        self._open = 0
        self._rests_until = 0.0

    @classmethod
    async def for_uri(cls, client: AsyncMongoClient[Document], uri: str) -> "Lane | None":
        """Return a lane beside *client*, None where the connection needs TLS, a login or DNS."""
        if not uri.startswith("mongodb://"):
            return None
        parsed = await parse_uri(uri)
        options = {name.lower() for name in parsed["options"]}
        if parsed["username"] is not None or not options <= _PLAIN:
            return None

        async def primary() -> Address | None:
            return await client.primary

        return cls(primary)

    async def find(self, database: str, command: Document) -> list[Document] | None:
        """Return what a find with ``singleBatch`` gives; None: ask the driver instead."""
        if time.monotonic() < self._rests_until:
            return None
        connection = self._take()
        if connection is None and self._open >= CONNECTIONS_MAX:
            return None
        try:
            async with asyncio.timeout(ANSWER_MAX_S):
                connection = connection or await self._connect()
                reply = await connection.ask({**command, "$db": database})
                if reply["ok"] == 1:
                    found: list[Document] = reply["cursor"]["firstBatch"]
                    self._give_back(connection)
                    connection = None
                    return found
        except (OSError, TimeoutError, PyMongoError, BSONError, KeyError):
            pass
        finally:
            if connection is not None:  # failed or cancelled: an answer may still be under way
                self._drop(connection)
        self._rests_until = time.monotonic() + REST_S
        self.close()  # the others lead to the same server, which may be the primary no longer
        return None

    async def _connect(self) -> _Connection:
        self._open += 1
        try:
            host, port = await self._primary() or _NOWHERE
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(_Connection, host, port)
        except BaseException:
            self._open -= 1
            raise
        return connection

    def _take(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            self._drop(connection)
        return None

    def _give_back(self, connection: _Connection) -> None:
        if connection.usable:
            self._idle.append(connection)
        else:
            self._drop(connection)

    def _drop(self, connection: _Connection) -> None:
        self._open -= 1
        connection.close()

    def close(self) -> None:
        """Close every connection that is not in use."""
        while self._idle:
            self._drop(self._idle.pop())
