"""How much does creating a task durably cost the API, against the least that a durable POST can?

The least is an ASGI function on the same server that checks the token, decodes the body strictly
and has two rows in the next group commit. It knows no token from before, as the API does: that it
need not check one again is a gain of the API's own. The POST that stores nothing shows why the
target is out of reach: it passes the limits of the connection, the edge, the guard and the
parameters, and costs one and a half times the least before any command runs. Of what a task adds
to that, the writer's thread takes a third.
"""

import asyncio

import jwt
import uvloop

from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.floor_server import SECRET
from benchmarks.harness.http_client import Client
from benchmarks.harness.http_server import TASK_BYTES
from benchmarks.harness.pace import Pace
from benchmarks.harness.processes import API, FLOOR, Stack, cpu_clock, stack
from benchmarks.harness.seeding import DESCRIPTION
from benchmarks.harness.workplace import workplace

CONNECTIONS = 64
CELL_S = 1.5
ROUNDS = 9
TARGET = 2.4
BODY = {"title": "Say what the task is about", "description": DESCRIPTION * 2}


def measure() -> list[Figure]:
    """Return the CPU times of creating a task, of storing nothing, and of the floor."""
    with workplace() as directory, stack(directory) as processes:
        return _measure(processes)


def _measure(processes: Stack) -> list[Figure]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        api, client = cpu_clock(processes.start(API)), Client(processes.address)
        project = runner.run(client.log_in())
        floor, bare = cpu_clock(processes.start(FLOOR)), Client(processes.floor)
        runner.run(bare.present(jwt.encode({"sub": "ana"}, SECRET, algorithm="HS256")))

        def cell(asked: Client, server: int, path: str) -> Pace:
            request = asked.request("POST", path, BODY)
            return runner.run(asked.load(request, CONNECTIONS, CELL_S, server))

        cells = {
            "create": lambda: cell(client, api, f"/api/project/{project}/tasks"),
            "floor": lambda: cell(bare, floor, "/"),
            "nothing": lambda: cell(client, api, f"/bench/{TASK_BYTES}/{project}/tasks"),
        }
        return _figures(interleaved(ROUNDS, cells))


def _figures(measured: dict[str, list[Pace]]) -> list[Figure]:
    create, floor, nothing = measured["create"], measured["floor"], measured["nothing"]
    return [
        Figure(
            what=f"creating tasks over {CONNECTIONS} connections, against a durable POST at least",
            unit="x CPU",
            rounds=ratios([p.cpu_us for p in create], [p.cpu_us for p in floor]),
            target=TARGET,
            at_least=False,
        ),
        Figure(what="POST a task", unit="µs CPU", rounds=[p.cpu_us for p in create]),
        Figure(what="a durable POST at least", unit="µs CPU", rounds=[p.cpu_us for p in floor]),
        Figure(what="POST to store nothing", unit="µs CPU", rounds=[p.cpu_us for p in nothing]),
        Figure(what="POST a task", unit="requests/s", rounds=_paces(create)),
        Figure(what="POST to store nothing", unit="requests/s", rounds=_paces(nothing)),
        Figure(what="a durable POST at least", unit="requests/s", rounds=_paces(floor)),
    ]


def _paces(paces: list[Pace]) -> list[float]:
    return [pace.per_second for pace in paces]
