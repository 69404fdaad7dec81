"""Do two API processes create more tasks than one, all in one project on PostgreSQL?

It is the worst case for a second process: both write to one partition, and count in the same rows.
A command that another one made fail would end the measurement. On a machine with fewer free cores
than processes the second one can only take turns with the first.
"""

import asyncio

import uvloop

from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.http_client import Client
from benchmarks.harness.pace import Pace
from benchmarks.harness.processes import API, Clock, Stack, cpu_clock, stack
from benchmarks.harness.workplace import workplace
from benchmarks.http_create import BODY

CONNECTIONS = 64
CELL_S = 1.5
ROUNDS = 7
TARGET = 1.2


def measure() -> list[Figure]:
    """Return the rates of one and of two processes."""
    with workplace() as directory, stack(directory, postgresql=1) as processes:
        return _measure(processes)


def _measure(processes: Stack) -> list[Figure]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        one, client = cpu_clock(processes.start(API)), Client(processes.address)
        project = runner.run(client.log_in())
        port = processes.floor[1]  # nothing else listens there
        other, neighbour = cpu_clock(processes.start(API, PORT=str(port))), Client(processes.floor)
        runner.run(neighbour.wait_until_ready())
        request = client.request("POST", f"/api/project/{project}/tasks", BODY)

        async def load(*asked: tuple[Client, Clock]) -> list[Pace]:
            each = CONNECTIONS // len(asked)
            return await asyncio.gather(
                *(client.load(request, each, CELL_S, clock) for client, clock in asked)
            )

        cells = {
            "one": lambda: runner.run(load((client, one))),
            "two": lambda: runner.run(load((client, one), (neighbour, other))),
        }
        measured = interleaved(ROUNDS, cells)
    rates = {name: [_rate(paces) for paces in rounds] for name, rounds in measured.items()}
    return [
        Figure(
            what="tasks created by two processes in one project, against one",
            unit="x",
            rounds=ratios(rates["two"], rates["one"]),
            target=TARGET,
        ),
        Figure(what="one process", unit="tasks/s", rounds=rates["one"]),
        Figure(what="two processes", unit="tasks/s", rounds=rates["two"]),
    ]


def _rate(paces: list[Pace]) -> float:
    return sum(pace.per_second for pace in paces)
