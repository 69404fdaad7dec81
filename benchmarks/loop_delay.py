"""How long can one client's GET, on 12,000 events, make another client wait?"""

import asyncio
import time
from functools import partial

import uvloop

from benchmarks.harness.figures import Figure, interleaved
from benchmarks.harness.http_client import Client, Connection
from benchmarks.harness.processes import API, stack
from benchmarks.harness.workplace import workplace

EVENTS = 12_000
TOGETHER = 16
"""Tasks that are created at the same time."""
ROUNDS = 5
ALONE_S = 0.3
TARGET_MS = 50.0
ROUTES = {
    "an export": "/api/audit/export",
    "an export as CSV": "/api/audit/export?format=csv",
    "a search of the audit log by an address that no event has": "/api/audit?ip=203.0.113.99",
    "a search of the audit log by a type that no event has": "/api/audit?type=task.deleted",
    "a page of the audit log": "/api/audit?limit=100",
    "a checkpoint": "/api/audit/checkpoint",
}


def measure() -> list[Figure]:
    """Return the longest wait of a client that asks for its profile again and again."""
    with workplace() as directory, stack(directory) as processes:
        processes.start(API)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            client = Client(processes.address)
            project = runner.run(client.log_in())
            runner.run(_furnish(client, f"/api/project/{project}/tasks"))

            def cell(path: str | None) -> float:
                return runner.run(_longest_wait_ms(client, path))

            cells = {"no GET": partial(cell, None)}
            cells |= {what: partial(cell, path) for what, path in ROUTES.items()}
            measured = interleaved(ROUNDS, cells)
    return [
        Figure(
            what=f"longest wait of another client during {what}",
            unit="ms",
            rounds=rounds,
            target=None if what == "no GET" else TARGET_MS,
            at_least=False,
        )
        for what, rounds in measured.items()
    ]


async def _furnish(client: Client, path: str) -> None:
    numbers = iter(range(EVENTS))

    async def create() -> None:
        connection = await client.connect()
        for number in numbers:
            await connection.ask(client.request("POST", path, {"title": f"Task {number}"}))
        connection.close()

    await asyncio.gather(*(create() for _ in range(TOGETHER)))


async def _longest_wait_ms(client: Client, path: str | None) -> float:
    """GET *path*, or wait for a moment, and return the longest wait of the other client."""
    other = await client.connect()
    request = client.request("GET", "/api/auth/profile")
    await other.ask(request)
    busy = asyncio.ensure_future(_read(client, path) if path else asyncio.sleep(ALONE_S))
    longest_s = 0.0
    while not busy.done():
        began = time.perf_counter()
        await other.ask(request)
        longest_s = max(longest_s, time.perf_counter() - began)
    await busy
    other.close()
    return longest_s * 1000


class _Whole(Connection):
    """A connection that waits until the server closes it, whatever it sends."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.status = b""

    def data_received(self, data: bytes) -> None:
        self.status = self.status or data[9:12]

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set_result(None)


async def _read(client: Client, path: str) -> None:
    whole = await client.connect_as(_Whole)
    whole.send(client.request("GET", path).replace(b"\r\n", b"\r\nconnection: close\r\n", 1))
    await whole.ended
    assert whole.status == b"200", whole.status
