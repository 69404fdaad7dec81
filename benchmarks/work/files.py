"""Does the API send and take a file of 100 MB in constant memory?

The memory is the highest of the API's process during one transfer, above what it took before.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import uvloop

from benchmarks.harness.figures import Figure
from benchmarks.harness.http_client import Address, Client
from benchmarks.harness.processes import API, Stack, stack
from benchmarks.harness.workplace import workplace

FILE_BYTES = 100_000_000
PIECE_BYTES = 256 * 1024
ROUNDS = 3
MEMORY_MB = 10
_PEAK = "VmHWM:"
_RESET_PEAK = "5"  # proc(5): clear_refs


def measure() -> list[Figure]:
    """Return memory and speed of uploads and downloads."""
    with workplace() as directory, stack(directory) as processes:
        return uvloop.run(_measure(processes))


async def _measure(processes: Stack) -> list[Figure]:
    pid = processes.start(API)
    client = Client(processes.address)
    project = await client.log_in()
    await client.ask("POST", f"/api/project/{project}/tasks", {"title": "Keep the film"})
    files = "/api/task/ENG-1/attachments"
    small = (await client.send_file(files, b"warm"))["id"]
    await _download(processes.address, client.request("GET", f"{files}/{small}/content"))
    memory: dict[str, list[float]] = {"upload": [], "download": []}
    speed: dict[str, list[float]] = {"upload": [], "download": []}
    for _ in range(ROUNDS):
        with _Watch(pid) as watch:
            made = await _upload(processes.address, client.headers_of(files, FILE_BYTES))
        memory["upload"].append(watch.peak_mb)
        speed["upload"].append(watch.mb_per_s)
        request = client.request("GET", f"{files}/{made}/content")
        with _Watch(pid) as watch:
            assert await _download(processes.address, request) > FILE_BYTES
        memory["download"].append(watch.peak_mb)
        speed["download"].append(watch.mb_per_s)
    return [
        Figure(
            what=f"{what} of 100 MB: memory above that before",
            unit="MB",
            rounds=rounds,
            target=MEMORY_MB,
            at_least=False,
        )
        for what, rounds in memory.items()
    ] + [
        Figure(what=f"{what} of 100 MB", unit="MB/s", rounds=rounds)
        for what, rounds in speed.items()
    ]


class _Watch:
    """How long a block takes, and how much more memory a process has in it than before."""

    def __init__(self, pid: int) -> None:
        self._process = Path(f"/proc/{pid}")
        self._before_kb, self._began = 0, 0.0
        self.peak_mb = self.mb_per_s = 0.0

    def __enter__(self) -> "_Watch":
        (self._process / "clear_refs").write_text(_RESET_PEAK)
        self._before_kb, self._began = self._peak_kb(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.mb_per_s = FILE_BYTES / 1e6 / (time.perf_counter() - self._began)
        self.peak_mb = (self._peak_kb() - self._before_kb) / 1000

    def _peak_kb(self) -> int:
        lines = (self._process / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(_PEAK))


async def _upload(address: Address, head: bytes) -> str:
    """Return the id of the file."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(head)
    async for piece in _pieces():
        writer.write(piece)
        await writer.drain()
    answer = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(answer.partition(b"content-length:")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()
    assert b" 201 " in answer.partition(b"\r\n")[0], body
    return str(msgspec.json.decode(body)["id"])


async def _pieces() -> AsyncIterator[bytes]:
    left = FILE_BYTES
    while left:
        piece = os.urandom(min(PIECE_BYTES, left))
        left -= len(piece)
        yield piece


async def _download(address: Address, request: bytes) -> int:
    """Return how many bytes came, with those of the head."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(request.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1))
    came = 0
    while piece := await reader.read(PIECE_BYTES):
        came += len(piece)
    writer.close()
    await writer.wait_closed()
    return came
