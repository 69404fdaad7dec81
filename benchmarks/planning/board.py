"""How much more CPU does the API use for the board of 2,000 tasks than for constant bytes?

The board has five columns of 400 tasks and shows 50 of each. Pages that were read before are
answered from memory while nothing has changed, so it is also measured while something changes all
the time.
"""

import asyncio
import time
from functools import partial
from itertools import cycle
from typing import Any

import uvloop

from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.http_client import Client, RequestFailed
from benchmarks.harness.pace import Pace
from benchmarks.harness.processes import API, FORGETFUL_API, PROJECTORS, Stack, cpu_clock, stack
from benchmarks.harness.seeding import DESCRIPTION
from benchmarks.harness.workplace import workplace
from domain.work.task.events import TaskStatus

CONNECTIONS = 16
CELL_S = 1.5
ROUNDS = 5
TASKS = 2_000
SHOWN = 50
TOGETHER = 16
"""Tasks that are created at the same time."""
CATCH_UP_S = 60.0
TARGET = 3.0
CELLS = {
    "board": "",
    "read": ", not in memory",
    "filtered": ", filtered by its creator, not in memory",
}


def measure() -> list[Figure]:
    """Return the CPU time of a board, and of as many constant bytes."""
    with workplace() as directory, stack(directory, quick=True) as processes:
        measured = _measure(processes)
    constant = [pace.cpu_us for pace in measured["constant"]]
    figures: list[Figure] = []
    for name, what in CELLS.items():
        told = [pace.cpu_us for pace in measured[name]]
        figures += [
            Figure(
                what=f"board of {TASKS:,} tasks{what}: against constant bytes",
                unit="x",
                rounds=ratios(told, constant),
                target=TARGET,
                at_least=False,
            ),
            Figure(what=f"board of {TASKS:,} tasks{what}: CPU of the API", unit="µs", rounds=told),
        ]
    return [*figures, Figure(what="constant bytes: CPU of the API", unit="µs", rounds=constant)]


def _measure(processes: Stack) -> dict[str, list[Pace]]:
    server = cpu_clock(processes.start(API))
    forgetful = cpu_clock(processes.start(FORGETFUL_API, PORT=str(processes.floor[1])))
    neighbour = Client(processes.floor)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        client = Client(processes.address)
        project = runner.run(client.log_in())
        # Only until the read model is built: an idle projector still polls the log.
        with processes.running(PROJECTORS):
            size = runner.run(_furnish(client, project))

        def cell(path: str) -> Pace:
            request = client.request("GET", path)
            return runner.run(client.load(request, CONNECTIONS, CELL_S, server))

        def read(more: str = "") -> Pace:
            request = client.request("GET", _board(project) + more)
            return runner.run(neighbour.load(request, CONNECTIONS, CELL_S, forgetful))

        return interleaved(
            ROUNDS,
            {
                "board": partial(cell, _board(project)),
                "read": read,
                "filtered": partial(read, "&creator=me"),
                "constant": partial(cell, f"/bench/{size}/{project}/tasks?limit={SHOWN}"),
            },
        )


def _board(project: str) -> str:
    return f"/api/project/{project}/board?limit={SHOWN}"


async def _furnish(client: Client, project: str) -> int:
    """Create tasks in all columns, wait until the board shows them, and return its bytes."""
    todo = iter([*zip(range(TASKS), cycle(TaskStatus), strict=False)])

    async def create() -> None:
        connection = await client.connect()
        for number, status in todo:
            title = f"Say what task {number} is about"
            body = {"title": title, "description": DESCRIPTION * 2, "status": status.value}
            request = client.request("POST", f"/api/project/{project}/tasks", body)
            await connection.ask(request)
        connection.close()

    await asyncio.gather(*(create() for _ in range(TOGETHER)))
    until = time.monotonic() + CATCH_UP_S
    while not await _is_shown(client, project):
        assert time.monotonic() < until, "the read model does not catch up"
        await asyncio.sleep(0.1)
    connection = await client.connect()
    answer = await connection.ask(client.request("GET", _board(project)))
    connection.close()
    return len(answer.partition(b"\r\n\r\n")[2])


async def _is_shown(client: Client, project: str) -> bool:
    """Return whether the read model has caught up: one of the last tasks is listed first.

    Of those created at the same time, any can be the newest.
    """
    try:
        found: Any = await client.ask("GET", f"/api/project/{project}/tasks?limit=1")
    except RequestFailed:
        return False  # refused, because the read model is behind
    return bool(found["items"]) and bool(found["items"][0]["number"] > TASKS - TOGETHER)
