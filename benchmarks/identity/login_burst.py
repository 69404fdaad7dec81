"""How much longer do other requests wait while 60 people log in at the same time, over and over?

Each of the 60 comes from a network of their own and has their own account. Who is refused, because
the queue for hashing is full, waits as long as the answer says and tries again.
"""

import asyncio
import time
from statistics import median, quantiles

import uvloop

from benchmarks.harness.calm import wait_for_calm
from benchmarks.harness.figures import Figure
from benchmarks.harness.http_client import Client, Connection, RequestFailed
from benchmarks.harness.processes import API, Stack, stack
from benchmarks.harness.workplace import workplace
from security.passwords import RETRY_AFTER_S

PEOPLE = 60
PASSWORD = "tulip-Harbour-91-quiet"
CELL_S = 4.0
OTHERS = 4
"""Connections that send the other requests."""
PAUSE_S = 0.01
"""Between two of them on each connection, so that they leave the processor to the logins."""
ROUNDS = 5
TARGET_MS = 150.0


def measure() -> list[Figure]:
    """Return how far the p99 of other requests moves, and how many logins there were."""
    with workplace() as directory, stack(directory) as processes:
        processes.start(API)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_Burst(processes).measure())


class _Burst:
    """People who log in, and a client whose reads and writes are timed."""

    def __init__(self, processes: Stack) -> None:
        self._address, self._client = processes.address, Client(processes.address)
        self._others: list[bytes] = []
        self._logins: list[bytes] = []
        self._done = self._refused = 0

    async def measure(self) -> list[Figure]:
        """Measure the other requests alternately alone and beside the logins."""
        await self._furnish()
        people = [await self._connect_from(number) for number in range(PEOPLE)]
        alone: list[list[float]] = []
        beside: list[list[float]] = []
        for turn in range(ROUNDS + 1):
            await asyncio.to_thread(wait_for_calm)
            quiet = await self._waits_ms()
            until = time.perf_counter() + CELL_S
            logging_in = [
                asyncio.create_task(self._log_in(connection, login, until))
                for connection, login in zip(people, self._logins, strict=True)
            ]
            busy = await self._waits_ms()
            await asyncio.gather(*logging_in)
            if turn:
                alone.append(quiet)
                beside.append(busy)
            else:  # the first round is discarded, as in ``interleaved``
                self._done = self._refused = 0
        for connection in people:
            connection.close()
        return self._figures(alone, beside)

    async def _furnish(self) -> None:
        client = self._client
        project = await client.log_in()
        task = {"title": "Say what the task is about"}
        self._others = [
            client.request("GET", "/api/auth/profile"),
            client.request("POST", f"/api/project/{project}/tasks", task),
        ]
        stranger = Client(self._address)
        for number in range(PEOPLE):
            account = {"email": f"ben{number}@example.com", "password": PASSWORD}
            await stranger.ask("POST", "/api/auth/register", {**account, "name": "Ben"})
            self._logins.append(stranger.request("POST", "/api/auth/login", account))

    async def _connect_from(self, number: int) -> Connection:
        """Connect from another network of 24 bits for each *number*."""
        loop, source = asyncio.get_running_loop(), (f"127.1.{number}.1", 0)
        _, connection = await loop.create_connection(Connection, *self._address, local_addr=source)
        return connection

    async def _log_in(self, connection: Connection, login: bytes, until: float) -> None:
        while time.perf_counter() < until:
            try:
                await connection.ask(login)
                self._done += 1
            except RequestFailed as refused:
                if " 503 " not in str(refused):
                    raise
                self._refused += 1
                await asyncio.sleep(RETRY_AFTER_S)

    async def _waits_ms(self) -> list[float]:
        """Return the times of reads and writes, sent in turn for a while."""
        until, took_ms = time.perf_counter() + CELL_S, list[float]()

        async def work(connection: Connection) -> None:
            while time.perf_counter() < until:
                for request in self._others:
                    began = time.perf_counter()
                    await connection.ask(request)
                    took_ms.append((time.perf_counter() - began) * 1_000)
                    await asyncio.sleep(PAUSE_S)

        connections = [await self._client.connect() for _ in range(OTHERS)]
        await asyncio.gather(*map(work, connections))
        for connection in connections:
            connection.close()
        return took_ms

    def _figures(self, alone: list[list[float]], beside: list[list[float]]) -> list[Figure]:
        before, during = list(map(_p99, alone)), list(map(_p99, beside))
        return [
            Figure(
                what=f"by how much {PEOPLE} concurrent logins move the p99 of other requests",
                unit="ms",
                rounds=[b - a for a, b in zip(before, during, strict=True)],
                target=TARGET_MS,
                at_least=False,
            ),
            Figure(what="other requests alone, p99", unit="ms", rounds=before),
            Figure(what="other requests beside the logins, p99", unit="ms", rounds=during),
            Figure(what="other requests alone, p50", unit="ms", rounds=list(map(median, alone))),
            Figure(
                what="other requests beside the logins, p50",
                unit="ms",
                rounds=list(map(median, beside)),
            ),
            Figure(
                what="logins that succeeded",
                unit="logins/s",
                rounds=[self._done / ROUNDS / CELL_S],
            ),
            Figure(
                what="of all that were sent, refused with 503",
                unit="%",
                rounds=[100 * self._refused / (self._done + self._refused)],
            ),
        ]


def _p99(took: list[float]) -> float:
    return quantiles(took, n=100)[98]
