"""The least that a durable POST can cost on this stack: no framework, no rules, no read models.

It checks the signature of an access token, decodes the body strictly, writes two rows to a SQLite
file in the next group commit, synced to the disk, and responds with constant bytes.
"""

import asyncio
import os
import sqlite3
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import jwt
import msgspec
import uvicorn

from api.work.task_list import NewTask
from benchmarks.harness.http_server import TASK_BYTES
from devstack.port import HOST

SECRET = "a secret of the benchmark, long enough for HS256"
ANSWER = b'"%s"' % (b"x" * (TASK_BYTES - 2))
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % TASK_BYTES)]
INSERT = "INSERT INTO floor (body) VALUES (?)"

Waiting = tuple[bytes, "asyncio.Future[None]"]


class Writer:
    """Commits what came during the last commit, on a thread of its own."""

    def __init__(self, path: Path) -> None:
        self._loop = asyncio.get_running_loop()
        self._path, self._waiting, self._busy = path, list[Waiting](), False
        self._batches: SimpleQueue[list[Waiting]] = SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    async def write(self, body: bytes) -> None:
        """Return once *body* is on the disk."""
        written: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append((body, written))
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._hand_over)
        await written

    def _hand_over(self) -> None:
        batch, self._waiting = self._waiting, []
        self._batches.put(batch)

    def _run(self) -> None:
        file = sqlite3.connect(self._path, isolation_level=None)
        file.execute("PRAGMA journal_mode=WAL")
        file.execute("PRAGMA synchronous=FULL")
        file.execute("CREATE TABLE floor (id INTEGER PRIMARY KEY, body BLOB)")
        while True:
            batch = self._batches.get()
            file.execute("BEGIN IMMEDIATE")
            file.executemany(INSERT, [(body,) for body, _ in batch for _ in range(2)])
            file.execute("COMMIT")
            self._loop.call_soon_threadsafe(self._written, batch)

    def _written(self, batch: list[Waiting]) -> None:
        for _, written in batch:
            written.set_result(None)
        if self._waiting:
            self._hand_over()
        else:
            self._busy = False


class Floor:
    """The ASGI application."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(NewTask, strict=True).decode
        self._writer: Writer | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        token = dict(scope["headers"]).get(b"authorization", b"").removeprefix(b"Bearer ")
        jwt.decode(token, SECRET, algorithms=["HS256"])
        body = (await receive())["body"]
        self._decode(body)
        self._writer = self._writer or Writer(Path(os.environ["DATA_DIR"]) / "floor.db")
        await self._writer.write(body)
        await send({"type": "http.response.start", "status": 201, "headers": HEADERS})
        await send({"type": "http.response.body", "body": ANSWER})


if __name__ == "__main__":
    uvicorn.run(
        Floor(),
        host=HOST,
        port=int(os.environ["FLOOR_PORT"]),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
