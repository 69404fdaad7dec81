"""How much CPU does a page of 50 tasks cost the API process compared with constant bytes?"""

import asyncio
import time
from typing import Any

import uvloop

from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.http_client import Client, RequestFailed
from benchmarks.harness.pace import Pace
from benchmarks.harness.processes import API, PROJECTORS, cpu_clock, stack
from benchmarks.harness.seeding import DESCRIPTION
from benchmarks.harness.workplace import workplace

CONNECTIONS = 16
CELL_S = 1.5
ROUNDS = 9
TASKS = 500
PAGE = 50
CATCH_UP_S = 60.0
TARGET = 0.5


def measure() -> list[Figure]:
    """Return the CPU time of a page, from the read model and constant."""
    with workplace() as directory, stack(directory) as processes:
        server = cpu_clock(processes.start(API))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            client = Client(processes.address)
            project = runner.run(client.log_in())
            path = f"/api/project/{project}/tasks"
            # Only until the read model is built: an idle projector still polls the log.
            with processes.running(PROJECTORS):
                size = runner.run(_furnish(client, path))

            def cell(path: str) -> Pace:
                request = client.request("GET", path)
                return runner.run(client.load(request, CONNECTIONS, CELL_S, server))

            cells = {
                "page": lambda: cell(f"{path}?limit={PAGE}"),
                "constant": lambda: cell(f"/bench/{size}/{project}/tasks?limit={PAGE}"),
            }
            measured = interleaved(ROUNDS, cells)
    return _figures(measured["page"], measured["constant"], size)


async def _furnish(client: Client, path: str) -> int:
    """Create tasks and wait until they are listed; return the bytes of a page."""
    for number in range(TASKS):
        title = f"Say what task {number} is about"
        await client.ask("POST", path, {"title": title, "description": DESCRIPTION * 2})
    until = time.monotonic() + CATCH_UP_S
    while not await _is_listed(client, path):
        assert time.monotonic() < until, "the read model did not catch up"
        await asyncio.sleep(0.1)
    connection = await client.connect()
    answer = await connection.ask(client.request("GET", f"{path}?limit={PAGE}"))
    connection.close()
    return len(answer.partition(b"\r\n\r\n")[2])


async def _is_listed(client: Client, path: str) -> bool:
    try:
        found: Any = await client.ask("GET", f"{path}?limit={PAGE}")
    except RequestFailed:
        return False  # the response itself says that the read model is behind
    return len(found["items"]) == PAGE and bool(found["items"][0]["number"] == TASKS)


def _figures(page: list[Pace], constant: list[Pace], size: int) -> list[Figure]:
    found, answered = [p.cpu_us for p in page], [p.cpu_us for p in constant]
    return [
        Figure(
            what=f"constant bytes against a page of {PAGE} of {TASKS} tasks, CPU of the API",
            unit="x",
            rounds=ratios(answered, found),
            target=TARGET,
        ),
        Figure(what=f"GET a page ({size:,} bytes)", unit="µs CPU", rounds=found),
        Figure(what="GET constant bytes", unit="µs CPU", rounds=answered),
        Figure(what="GET a page", unit="requests/s", rounds=[p.per_second for p in page]),
        Figure(
            what="GET constant bytes", unit="requests/s", rounds=[p.per_second for p in constant]
        ),
    ]
