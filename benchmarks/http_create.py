"""How much does creating a task durably (SQLite, FULL) cost compared with storing nothing?"""

import asyncio

import uvloop

from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.http_client import Client
from benchmarks.harness.http_server import TASK_BYTES
from benchmarks.harness.pace import Pace
from benchmarks.harness.processes import API, cpu_clock, stack
from benchmarks.harness.seeding import DESCRIPTION
from benchmarks.harness.workplace import workplace

CONNECTIONS = 64
CELL_S = 1.5
ROUNDS = 9
TARGET = 0.5


def measure() -> list[Figure]:
    """Return the rates of creating a task and of storing nothing."""
    with workplace() as directory, stack(directory) as processes:
        server = cpu_clock(processes.start(API))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            client = Client(processes.address)
            project = runner.run(client.log_in())
            body = {"title": "Say what the task is about", "description": DESCRIPTION * 2}

            def cell(path: str) -> Pace:
                request = client.request("POST", path, body)
                return runner.run(client.load(request, CONNECTIONS, CELL_S, server))

            cells = {
                "create": lambda: cell(f"/api/project/{project}/tasks"),
                "nothing": lambda: cell(f"/bench/{TASK_BYTES}/{project}/tasks"),
            }
            measured = interleaved(ROUNDS, cells)
    return _figures(measured["create"], measured["nothing"])


def _figures(create: list[Pace], nothing: list[Pace]) -> list[Figure]:
    created, answered = [p.per_second for p in create], [p.per_second for p in nothing]
    return [
        Figure(
            what=f"creating tasks over {CONNECTIONS} connections, against storing nothing",
            unit="x",
            rounds=ratios(created, answered),
            target=TARGET,
        ),
        Figure(what="POST a task", unit="requests/s", rounds=created),
        Figure(what="POST to store nothing", unit="requests/s", rounds=answered),
        Figure(what="POST a task, server", unit="µs CPU", rounds=[p.cpu_us for p in create]),
        Figure(
            what="POST to store nothing, server", unit="µs CPU", rounds=[p.cpu_us for p in nothing]
        ),
    ]
