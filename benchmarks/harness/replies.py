"""A proxy before the stand-in for MongoDB that answers repeated reads from memory.

The stand-in takes 80 ms for a page, `mongod` well below one. A process that mostly waits has cold
caches, and the CPU time of its housekeeping is divided among few requests, so the stand-in made a
page look three times as expensive to the API as it is. Runs as a process: its port, then that of
the server.
"""

import asyncio
import struct
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from subprocess import Popen

import bson
import uvloop

from devstack.port import HOST, HeldPort

_HEAD = struct.Struct("<iiii")
"""Length, request id, the id that is answered, operation (MongoDB's wire protocol)."""
_FLAGS = struct.Struct("<I")
_MESSAGE, _MORE_TO_COME = 2013, 2
_READS = frozenset({"find", "aggregate"})
_NEUTRAL = frozenset({"hello", "ismaster", "isMaster", "ping", "endSessions"})
_VARYING = frozenset({"lsid", "$clusterTime", "maxTimeMS"})
_START_S = 10.0


@contextmanager
def quick_replies(server_port: int) -> Generator[str]:
    """Run a proxy during the block; yield its address for the driver."""
    held = HeldPort()
    port = int(held)
    argv = [sys.executable, "-m", "benchmarks.harness.replies", str(port), str(server_port)]
    process = Popen(argv)
    try:
        yield f"mongodb://{HOST}:{port}/?directConnection=true"
    finally:
        process.terminate()
        process.wait(_START_S)


class Replies:
    """What the server answered to each read since the last write."""

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}
        self.writes = 0

    def key(self, body: bytes) -> bytes | None:
        """Return what identifies a read; None for anything else, which ends all that is known."""
        (length,) = struct.unpack_from("<i", body, 5)
        command = bson.decode(body[5 : 5 + length])
        name = next(iter(command))
        if name in _READS and "txnNumber" not in command:
            return bson.encode({k: v for k, v in command.items() if k not in _VARYING})
        if name not in _NEUTRAL:
            self._known.clear()
            self.writes += 1
        return None

    def get(self, key: bytes) -> bytes | None:
        """Return the reply to a read, None if it is unknown."""
        return self._known.get(key)

    def put(self, key: bytes, reply: bytes, writes: int) -> None:
        """Keep a reply to a read that was sent after *writes* writes."""
        if writes == self.writes:
            self._known[key] = reply


async def _serve(port: int, server_port: int) -> None:
    replies = Replies()
    running: set[object] = set()  # asyncio itself refers to the tasks of connections only weakly

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(task := asyncio.current_task())
        there, to_there = await asyncio.open_connection(HOST, server_port)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await _answer(replies, reader, writer, there, to_there)
        for each in (writer, to_there):
            each.close()
        running.discard(task)

    server = await asyncio.start_server(connected, HOST, port)
    await server.serve_forever()


async def _answer(
    replies: Replies,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    there: asyncio.StreamReader,
    to_there: asyncio.StreamWriter,
) -> None:
    """Answer one request: from memory, or as the server does."""
    head, body = await _message(reader)
    _, request_id, _, operation = _HEAD.unpack(head)
    key = replies.key(body) if operation == _MESSAGE and body[4] == 0 else None
    known = None if key is None else replies.get(key)
    if known is not None:
        writer.write(_HEAD.pack(_HEAD.size + len(known), 1, request_id, _MESSAGE) + known)
        return
    writes = replies.writes
    to_there.write(head + body)
    more = True
    while more:
        head, body = await _message(there)
        more = bool(_FLAGS.unpack_from(body)[0] & _MORE_TO_COME)
        if writer.is_closing():
            raise ConnectionResetError
        writer.write(head + body)
    if key is not None:
        replies.put(key, body, writes)


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readexactly(_HEAD.size)
    return head, await reader.readexactly(_HEAD.unpack(head)[0] - _HEAD.size)


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
