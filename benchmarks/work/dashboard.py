"""How much CPU does the API use for a dashboard, and does that grow with the projects?

Each project has ten tasks, all due soon, a third of them assigned to the caller.
"""

import asyncio
import time
from functools import partial

import uvloop

from benchmarks.harness.figures import Figure, interleaved
from benchmarks.harness.http_client import Client, RequestFailed
from benchmarks.harness.pace import Pace
from benchmarks.harness.processes import API, PROJECTORS, Clock, Stack, cpu_clock, stack
from benchmarks.harness.workplace import workplace

PROJECTS = (20, 80)
TASKS = 10
CONNECTIONS, CELL_S, ROUNDS = 4, 1.5, 5
TARGET_MS = 5
CATCH_UP_S = 60.0
PATH = "/api/dashboard"


def measure() -> list[Figure]:
    """Return CPU milliseconds of the API per dashboard."""
    with workplace() as directory, stack(directory) as processes:
        measured = _measure(processes)
    return [
        Figure(
            what=f"dashboard of {count} projects",
            unit="ms CPU",
            rounds=[pace.cpu_us / 1_000 for pace in measured[str(count)]],
            target=TARGET_MS,
            at_least=False,
        )
        for count in PROJECTS
    ]


def _measure(processes: Stack) -> dict[str, list[Pace]]:
    server = cpu_clock(processes.start(API))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        clients = {str(count): Client(processes.address) for count in PROJECTS}
        with processes.running(PROJECTORS):
            for count, client in clients.items():
                runner.run(_furnish(client, int(count)))

        def cell(client: Client) -> Pace:
            return runner.run(_load(client, server))

        return interleaved(ROUNDS, {name: partial(cell, one) for name, one in clients.items()})


async def _load(client: Client, server: Clock) -> Pace:
    return await client.load(client.request("GET", PATH), CONNECTIONS, CELL_S, server)


async def _furnish(client: Client, count: int) -> None:
    await client.log_in(f"with{count}")
    me = (await client.ask("GET", "/api/auth/profile"))["id"]
    today = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 2 * 86_400))
    for number in range(1, count):  # there is one already
        body = {"key": f"P{number}", "name": "One of many"}
        project = (await client.ask("POST", "/api/project", body))["id"]
        for task in range(TASKS):
            assignees = [me] if task % 3 == 0 else []
            asked = {"title": f"Task {task}", "dueDate": today, "assignees": assignees}
            await client.ask("POST", f"/api/project/{project}/tasks", asked)
    until = time.monotonic() + CATCH_UP_S
    while not await _is_shown(client, count):
        assert time.monotonic() < until, "the read model does not catch up"
        await asyncio.sleep(0.1)


async def _is_shown(client: Client, count: int) -> bool:
    try:
        found = await client.ask("GET", PATH)
    except RequestFailed:
        return False  # refused, because the read model is behind
    return bool(found["projects"] == count and len(found["mine"]) == TASKS)
