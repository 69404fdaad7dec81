"""A logged-in user who loads a service as its clients do: tasks made, moved, read and listed.

It works on our API and on the peers, which have the same routes.
"""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from benchmarks.harness.http_client import Address, Client, Connection, RequestFailed
from benchmarks.harness.seeding import DESCRIPTION, ROUND_TRIP

CATCH_UP_S = 120.0
PAUSE_S = 0.01
SETTLE_S = 0.5
"""How long the followers get, after all is listed, for what nobody waits for."""
TOGETHER = 16
TASKS_EACH = 8
"""Tasks of each connection that changes statuses."""
PAGE = 50


class Target(Protocol):
    """A running service."""

    @property
    def address(self) -> Address: ...

    def cpu_seconds(self) -> float:
        """Return the CPU time of all its processes, with its stores."""
        ...

    def stand_in_cpu_seconds(self) -> float:
        """Return how much of it is that of a server that stands in for MongoDB."""
        ...


class Load(NamedTuple):
    """What a load did, how fast, and what it cost all processes, deferred work included."""

    done: int
    per_second: float
    until_listed_per_second: float
    """With the time until the lists show the last write; the same for reads."""
    cpu_us: float
    refused: int = 0
    """Requests that were answered with an error, such as that a store is too slow."""
    own_cpu_us: float = 0.0
    """What writing cost all processes without a server that stands in for MongoDB."""


class Team:
    """A user at a target, with one project for each kind of load."""

    def __init__(self, target: Target) -> None:
        self._target, self._client = target, Client(target.address)
        self._new = self._moving = ""
        self._listed: dict[int, str] = {}
        self._ids: list[str] = []
        self._movers: list[Iterator[bytes]] = []
        self._last_move: Iterator[bytes] = iter(())

    async def furnish(self, sizes: Sequence[int], movers: int) -> None:
        """Log in and make a project of each of *sizes* tasks, and tasks for *movers* to move."""
        self._new = await self._client.log_in()
        for number, size in enumerate(sizes):
            self._listed[size] = await self._project(f"L{number}")
            ids = await self._make(self._listed[size], size)
            self._ids = self._ids or ids
        self._moving = await self._project("MOV")
        *tasks, last = await self._make(self._moving, movers * TASKS_EACH + 1)
        self._movers = [self._moves(tasks[n::movers]) for n in range(movers)]
        self._last_move = self._moves([last])

    async def create(self, connections: int, seconds: float) -> Load:
        """Create tasks."""
        request = self._client.request("POST", _tasks(self._new), _task("Say what it is about"))
        return await self._write(
            [itertools.repeat(request)] * connections, seconds, request, self._new
        )

    async def move(self, seconds: float) -> Load:
        """Change statuses; every connection has its own tasks."""
        return await self._write(self._movers, seconds, next(self._last_move), self._moving)

    async def get(self, connections: int, seconds: float) -> Load:
        """Read tasks by id."""
        requests = [self._client.request("GET", f"/api/task/{task}") for task in self._ids]
        return await self._read([requests[n:] + requests[:n] for n in range(connections)], seconds)

    async def page(self, size: int, connections: int, seconds: float) -> Load:
        """Read the first page of a project of *size* tasks."""
        path = f"{_tasks(self._listed[size])}?limit={PAGE}"
        return await self._read([[self._client.request("GET", path)]] * connections, seconds)

    async def answer_bytes(self, path: str) -> int:
        """Return how many bytes the body of a GET has."""
        connection = await self._client.connect()
        answer = await connection.ask(self._client.request("GET", path))
        connection.close()
        return len(answer.partition(b"\r\n\r\n")[2])

    async def bodies(self) -> tuple[int, int]:
        """Return the bytes of a task and of a page."""
        listed = next(iter(self._listed.values()))
        page = await self.answer_bytes(f"{_tasks(listed)}?limit={PAGE}")
        return await self.answer_bytes(f"/api/task/{self._ids[0]}"), page

    async def _project(self, key: str) -> str:
        made = await self._client.ask(
            "POST", "/api/project", {"key": key, "name": f"Project {key}"}
        )
        return str(made["id"])

    async def _make(self, project: str, count: int) -> list[str]:
        numbers, ids = iter(range(count)), list[str]()

        async def work(connection: Connection) -> None:
            for number in numbers:
                body = _task(f"Say what task {number} is about")
                request = self._client.request("POST", _tasks(project), body)
                ids.append(_body(await _insist(connection, request))["id"])

        connections = [await self._client.connect() for _ in range(TOGETHER)]
        try:
            await asyncio.gather(*map(work, connections))
            await self._until_listed(connections[0], project, ids[-1], 1)
        finally:
            for connection in connections:
                connection.close()
        return ids

    def _moves(self, tasks: Sequence[str]) -> Iterator[bytes]:
        """Yield the requests that move *tasks* round and round, all one step before the next."""
        for status in itertools.cycle(ROUND_TRIP):
            for task in tasks:
                yield self._client.request("POST", f"/api/task/{task}/status", {"status": status})

    async def _write(
        self, requests: Sequence[Iterator[bytes]], seconds: float, last: bytes, project: str
    ) -> Load:
        opened = [await self._client.connect() for _ in requests]
        began, cpu = time.perf_counter(), self._target.cpu_seconds()
        stand_in = self._target.stand_in_cpu_seconds()
        try:
            done, refused = await _repeat(opened, requests, seconds)
            done += 1
            written = time.perf_counter() - began
            final = _body(await _insist(opened[0], last))
            await self._until_listed(opened[0], project, final["id"], final["version"])
            listed = time.perf_counter() - began
            await asyncio.sleep(SETTLE_S)
        finally:
            for connection in opened:
                connection.close()
        used = (self._target.cpu_seconds() - cpu) / done * 1e6
        apart = (self._target.stand_in_cpu_seconds() - stand_in) / done * 1e6
        return Load(done, done / written, done / listed, used, refused, used - apart)

    async def _read(self, requests: Sequence[Sequence[bytes]], seconds: float) -> Load:
        opened = [await self._client.connect() for _ in requests]
        began, cpu = time.perf_counter(), self._target.cpu_seconds()
        try:
            again = [itertools.cycle(each) for each in requests]
            done, refused = await _repeat(opened, again, seconds)
        finally:
            for connection in opened:
                connection.close()
        pace = done / (time.perf_counter() - began)
        cpu_us = (self._target.cpu_seconds() - cpu) / max(done, 1) * 1e6
        return Load(done, pace, pace, cpu_us, refused)

    async def _until_listed(
        self, connection: Connection, project: str, task: str, version: int
    ) -> None:
        """Return once the list of *project* shows *task* at *version*."""
        request = self._client.request("GET", f"{_tasks(project)}?limit=100")
        until = time.perf_counter() + CATCH_UP_S
        while time.perf_counter() < until:
            try:
                items = _body(await connection.ask(request))["items"]
            except RequestFailed:  # says itself that its read models are behind
                items = []
            if any(item["id"] == task and item["version"] >= version for item in items):
                return
            await asyncio.sleep(PAUSE_S)
        raise AssertionError("the lists do not catch up")


async def _insist(connection: Connection, request: bytes) -> bytes:
    """Return the answer to *request*, sent again while a store is too busy."""
    until = time.perf_counter() + CATCH_UP_S
    while True:
        try:
            return await connection.ask(request)
        except RequestFailed:
            if time.perf_counter() > until:
                raise
            await asyncio.sleep(PAUSE_S)


async def _repeat(
    opened: Sequence[Connection], requests: Sequence[Iterator[bytes]], seconds: float
) -> tuple[int, int]:
    """Send requests one after the other on each connection; return how many were done, refused."""
    until, done, refused = time.perf_counter() + seconds, 0, 0

    async def work(connection: Connection, each: Iterator[bytes]) -> None:
        nonlocal done, refused
        while time.perf_counter() < until:
            try:
                await connection.ask(next(each))
            except RequestFailed:
                refused += 1
            else:
                done += 1

    await asyncio.gather(*map(work, opened, requests))
    return done, refused


def _tasks(project: str) -> str:
    return f"/api/project/{project}/tasks"


def _task(title: str) -> dict[str, Any]:
    return {"title": title, "description": DESCRIPTION * 2}


def _body(answer: bytes) -> Any:
    return msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])
