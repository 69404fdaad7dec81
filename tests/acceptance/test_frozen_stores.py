"""A store that hangs is answered for in time, reported truthfully, and needs no restart."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.acceptance.customers import Customer, Stack
from tests.acceptance.deployment import Deployment
from tests.acceptance.system import System, system
from tests.deliveries.receiver import Receiver
from tests.freezing import frozen

CLIENT_TIMEOUT_S = 10.0
"""When a client gives up on a response: after twice the deadline that is promised for each."""
PATIENCE_S = 60.0
POLL_S = 0.1
HOLDER = """
import sqlite3, sys
holding = [sqlite3.connect(path, isolation_level=None) for path in sys.argv[1:]]
for file in holding:
    file.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""

FILES = ("events", "operations", "readmodels")

Seen = dict[str, tuple[int, str]]

UNAVAILABLE = (503, "unavailable")
BEHIND = (503, "read_model_behind")
NOT_READY = (503, "not_ready")

pytestmark = pytest.mark.acceptance


class Visitor:
    """Asks for one thing of each kind at once, and gives up on what does not answer."""

    def __init__(self, customer: Customer) -> None:
        self._customer = customer

    async def visit(self) -> Seen:
        """Return status and code of each kind of request.

        :raises TimeoutError: one was not answered.
        :raises AssertionError: one does not say when to try again.
        """
        tasks, [task, *_] = self._customer.tasks_path, self._customer.acknowledged
        [webhook, *_] = self._customer.webhooks.values()
        asked = {
            "command": self._ask("POST", tasks, {"title": f"Task {uuid4()}"}),
            # By nobody in particular: a list that nobody has asked for is not in memory.
            "list": self._ask("GET", f"{tasks}?assignee={uuid4()}"),
            "task": self._ask("GET", f"/task/{task}"),
            "deliveries": self._ask("GET", f"/webhook/{webhook}/deliveries"),
            "readiness": self._ask("GET", "/health/ready"),
            "liveness": self._ask("GET", "/health"),
        }
        return dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))

    async def _ask(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        headers = {"idempotency-key": uuid4().hex} if body else {}
        async with asyncio.timeout(CLIENT_TIMEOUT_S):
            answer = await self._customer.http.request(method, path, json=body, headers=headers)
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) > 0
        return answer.status_code, str(answer.json().get("code", ""))

    async def checks(self) -> dict[str, str]:
        """Return what readiness says of each store and follower."""
        answer = await self._customer.http.get("/health/ready")
        found: dict[str, str] = answer.json()["checks"]
        return found

    async def are_all_well(self) -> bool:
        """Return whether everything is answered and every store is ready."""
        seen = await self.visit()
        return {status for status, _ in seen.values()} <= {200, 201} and set(
            (await self.checks()).values()
        ) == {"ok"}


@asynccontextmanager
async def visitor(stack: Stack) -> AsyncGenerator[tuple[Visitor, Customer]]:
    """Give a customer who has worked before, and whose receiver answers."""
    async with Receiver() as receiver:
        customer = Customer(stack, receiver)
        await customer.arrive()
        await customer.work(lambda: len(customer.acknowledged) >= 2)
        yield Visitor(customer), customer
        await eventually(customer.open_deliveries, 0)  # nothing that happened was lost
        await customer.http.aclose()


async def eventually(ask: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while (found := await ask()) != wanted:
        assert time.monotonic() < deadline, f"{found!r} is not {wanted!r}"
        await asyncio.sleep(POLL_S)


# Servers --------------------------------------------------------------------


@pytest.mark.needs("postgresql")
async def test_a_frozen_postgresql_is_a_503_in_time_and_found_again(servers: Deployment) -> None:
    async with visitor(servers) as (visiting, _):
        with frozen(servers.stores["postgres"]):
            seen = await visiting.visit()
            again = await visiting.visit()
            checks = await visiting.checks()
        await eventually(visiting.are_all_well, wanted=True)

    for kind in ("command", "list", "task", "deliveries"):
        assert seen[kind] == again[kind] == UNAVAILABLE, kind
    assert seen["readiness"] == again["readiness"] == NOT_READY
    assert seen["liveness"][0] == 200
    assert checks["eventLog"] == checks["deliveries"] == "unavailable"
    servers.check_that_nothing_else_died()


@pytest.mark.needs("postgresql")
async def test_a_frozen_read_store_stops_lists_only(servers: Deployment) -> None:
    async with visitor(servers) as (visiting, _):
        with frozen(servers.stores["mongo"]):
            seen = await visiting.visit()
            checks = await visiting.checks()
        await eventually(visiting.are_all_well, wanted=True)

    # Which it is depends on whether the command was recorded before the list was asked for.
    assert seen.pop("list") in (UNAVAILABLE, BEHIND)
    assert seen == {
        "command": (201, ""),
        "task": (200, ""),
        "deliveries": (200, ""),
        "readiness": NOT_READY,
        "liveness": (200, ""),
    }
    assert checks["readModels"] == "unavailable"
    assert checks["eventLog"] == "ok"
    servers.check_that_nothing_else_died()


@pytest.mark.needs("postgresql")
async def test_a_frozen_redis_only_degrades(servers: Deployment) -> None:
    async with visitor(servers) as (visiting, customer):
        with frozen(servers.stores["redis"]):
            seen = await visiting.visit()
            checks = await visiting.checks()
            await eventually(customer.open_deliveries, 0)
        await eventually(visiting.are_all_well, wanted=True)

    assert {status for status, _ in seen.values()} == {200, 201}
    assert {name for name, state in checks.items() if state != "ok"} == {"redis"}
    servers.check_that_nothing_else_died()


# Files ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def embedded() -> Iterator[System]:
    with system() as started:
        yield started


@contextmanager
def frozen_holder(*paths: Path) -> Generator[None]:
    """Have another process hold the locks of SQLite files, and freeze it."""
    command = [sys.executable, "-c", HOLDER, *map(str, paths)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with frozen(holder.pid):
            yield
        holder.communicate(timeout=PATIENCE_S)  # ends it, and releases the lock


async def test_a_frozen_process_that_locks_the_log_stops_commands_only(embedded: System) -> None:
    async with visitor(embedded) as (visiting, _):
        with frozen_holder(embedded.data_dir / "events.db"):
            seen = await visiting.visit()
            checks = await visiting.checks()
            again = await visiting.visit()
        await eventually(visiting.are_all_well, wanted=True)

    assert seen["command"] == again["command"] == UNAVAILABLE
    assert again["readiness"] == NOT_READY
    assert checks["eventLog"] == "cannot be written"
    for kind in ("list", "task", "deliveries", "liveness"):
        assert seen[kind][0] == again[kind][0] == 200, kind
    embedded.check_that_nothing_else_died()


@pytest.mark.parametrize("file", ["operations.db", "readmodels.db"])
async def test_a_frozen_process_that_locks_what_is_derived_stops_no_command(
    embedded: System, file: str
) -> None:
    async with visitor(embedded) as (visiting, _):
        with frozen_holder(embedded.data_dir / file):
            seen = [await visiting.visit() for _ in range(2)]
        await eventually(visiting.are_all_well, wanted=True)

    for each in seen:
        for kind in ("command", "task", "deliveries", "liveness"):
            assert each[kind][0] in (200, 201), kind
    embedded.check_that_nothing_else_died()


async def test_a_system_whose_files_are_locked_stops_in_time_and_nothing_is_lost() -> None:
    with system() as started:
        async with visitor(started) as (visiting, customer):
            files = [started.data_dir / f"{name}.db" for name in FILES]
            with frozen_holder(*files):
                seen = await visiting.visit()
                waiting = asyncio.create_task(visiting.visit())
                code = await asyncio.to_thread(started.stop)
                await asyncio.gather(waiting, return_exceptions=True)
            started.start()
            await eventually(visiting.are_all_well, wanted=True)
            tasks = await customer.tasks()

    assert seen["command"] == UNAVAILABLE
    assert code == 0
    assert {each: tasks.get(each) for each in customer.acknowledged} == customer.acknowledged


async def test_a_frozen_embedded_redis_only_degrades(embedded: System) -> None:
    async with visitor(embedded) as (visiting, customer):
        with frozen(embedded.running.processes["redis"]):
            seen = await visiting.visit()
            await eventually(customer.open_deliveries, 0)
        await eventually(visiting.are_all_well, wanted=True)

    assert {status for status, _ in seen.values()} == {200, 201}
