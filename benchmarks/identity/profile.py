"""How much more CPU does the API use for one's own profile than for the same GET made public?

The public one makes and renders such a profile, too, for a request without a token. What is left is
the guard: it verifies the token, and asks the log whether session, account and membership are still
what they were. As nothing is written meanwhile, one question for all requests of a turn of the
event loop is enough. Rate limits are off in both.
"""

import asyncio

import uvloop

from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.http_client import Client
from benchmarks.harness.pace import Pace
from benchmarks.harness.processes import API, Stack, cpu_clock, stack
from benchmarks.harness.workplace import workplace

CONNECTIONS = 16
CELL_S = 1.5
ROUNDS = 9
TARGET = 1.3


def measure() -> list[Figure]:
    """Return the CPU times of one's own profile and of the public one, and their ratio."""
    with workplace() as directory, stack(directory) as processes:
        return _measure(processes)


def _measure(processes: Stack) -> list[Figure]:
    server = cpu_clock(processes.start(API))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        client, stranger = Client(processes.address), Client(processes.address)
        runner.run(client.log_in())

        def cell(asking: Client, path: str) -> Pace:
            request = asking.request("GET", path)
            return runner.run(asking.load(request, CONNECTIONS, CELL_S, server))

        cells = {
            "own": lambda: cell(client, "/api/auth/profile"),
            "public": lambda: cell(stranger, "/bench/profile"),
        }
        return _figures(interleaved(ROUNDS, cells))


def _figures(measured: dict[str, list[Pace]]) -> list[Figure]:
    own = [pace.cpu_us for pace in measured["own"]]
    public = [pace.cpu_us for pace in measured["public"]]
    return [
        Figure(
            what="GET of one's own profile, against the same GET made public",
            unit="x CPU",
            rounds=ratios(own, public),
            target=TARGET,
            at_least=False,
        ),
        Figure(what="GET of one's own profile", unit="µs CPU", rounds=own),
        Figure(what="the same GET made public", unit="µs CPU", rounds=public),
    ]
