"""Can somebody list their own tasks during a burst of writes, and when is everything listed?"""

import asyncio
import time
from typing import Any

import msgspec
import uvloop

from benchmarks.harness.figures import Figure
from benchmarks.harness.http_client import Client, RequestFailed
from benchmarks.harness.processes import API, PROJECTORS, WORKER, stack
from benchmarks.harness.seeding import DESCRIPTION
from benchmarks.harness.workplace import workplace

CONNECTIONS = 64
BURST_S = 18.0
PAUSE_S = 0.05
"""Between two lists that the observed writer asks for."""
REFUSED_MAX_PERCENT = 0.0
CAUGHT_UP_MAX_S = 1.0


def measure() -> list[Figure]:
    """Return the share of refused lists, how long lists took, and when everything was listed."""
    with workplace() as directory, stack(directory) as processes:
        for module in (API, PROJECTORS, WORKER):
            processes.start(module)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_Burst(Client(processes.address)).measure())


class _Burst:
    """One burst of new tasks, during which one of the writers lists them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._until = 0.0
        self._create = self._list = b""
        self._created, self._refused = 0, 0
        self._took_s: list[float] = []

    async def measure(self) -> list[Figure]:
        """Create tasks for a while, and return the figures."""
        client = self._client
        project = await client.log_in()
        path = f"/api/project/{project}/tasks"
        task = {"title": "Say what the task is about", "description": DESCRIPTION * 2}
        self._create = client.request("POST", path, task)
        self._list = client.request("GET", f"{path}?limit=50")
        self._until = time.perf_counter() + BURST_S
        await asyncio.gather(*(self._write() for _ in range(CONNECTIONS)), self._write_and_list())
        return self._figures(await self._catch_up())

    async def _write(self) -> None:
        connection = await self._client.connect()
        while time.perf_counter() < self._until:
            await connection.ask(self._create)
            self._created += 1
        connection.close()

    async def _write_and_list(self) -> None:
        connection = await self._client.connect()
        while time.perf_counter() < self._until:
            await connection.ask(self._create)
            began = time.perf_counter()
            try:
                await connection.ask(self._list)
            except RequestFailed:
                self._refused += 1
            self._took_s.append(time.perf_counter() - began)
            await asyncio.sleep(PAUSE_S)
        connection.close()

    async def _catch_up(self) -> float:
        """Return after how many seconds a task created after the burst is listed."""
        ended = time.perf_counter()
        connection = await self._client.connect()
        last = _body(await connection.ask(self._create))["number"]
        listed = 0
        while listed < last:
            try:
                listed = _body(await connection.ask(self._list))["items"][0]["number"]
            except RequestFailed:
                await asyncio.sleep(PAUSE_S)
        connection.close()
        return time.perf_counter() - ended

    def _figures(self, caught_up_s: float) -> list[Figure]:
        took_ms = sorted(took * 1_000 for took in self._took_s)
        median = took_ms[len(took_ms) // 2]
        refused = 100 * self._refused / len(took_ms)
        burst = f"a burst of {BURST_S:g} s over {CONNECTIONS} connections"
        return [
            Figure(
                what=f"lists refused with 503 during {burst}",
                unit="%",
                rounds=[refused],
                target=REFUSED_MAX_PERCENT,
                at_least=False,
            ),
            Figure(
                what="until everything is listed afterwards",
                unit="s",
                rounds=[caught_up_s],
                target=CAUGHT_UP_MAX_S,
                at_least=False,
            ),
            Figure(what="a list during the burst, p50", unit="ms", rounds=[median]),
            Figure(what="a list during the burst, slowest", unit="ms", rounds=[took_ms[-1]]),
            Figure(what="tasks created", unit="requests/s", rounds=[self._created / BURST_S]),
        ]


def _body(answer: bytes) -> Any:
    return msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])
