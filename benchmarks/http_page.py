"""How much more CPU does the API use for a page of 50 tasks than for constant bytes?

The route of the constant bytes is the same up to the page: it takes the same filters, finds the
project and whether the caller sees it, and waits for what was recorded. Another one takes no
filters and looks nothing up at all.
A page that was answered before is answered from memory while its organization records nothing, so
an API that keeps none in memory is measured as well. Of MongoDB, clients who ask for the same page
at the same time share readings, as these 16 do; for a client alone PyMongo by itself takes nearly
half of what a page costs above constant bytes.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import uvloop

from benchmarks.harness.bare_driver import ask_commands, ask_pages
from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.http_client import Client, RequestFailed
from benchmarks.harness.pace import Pace
from benchmarks.harness.processes import API, FORGETFUL_API, PROJECTORS, Stack, cpu_clock, stack
from benchmarks.harness.seeding import DESCRIPTION
from benchmarks.harness.workplace import workplace

CONNECTIONS = 16
CELL_S = 1.5
ROUNDS = 5
SIZES = (500, 10_000)
PAGE = 50
TOGETHER = 16
"""Tasks that are created at the same time."""
CATCH_UP_S = 60.0
TARGET_US = 45.0
TARGET_MONGODB = 2.5
DATABASE = "trackrecord"
SQLITE, MONGODB = "SQLite", "MongoDB"


def measure() -> list[Figure]:
    """Return the CPU time of a page from the read model, and of a constant one."""
    figures: list[Figure] = []
    for engine, sizes in ((SQLITE, SIZES), (MONGODB, SIZES[:1])):
        mongodb = engine == MONGODB
        with workplace() as directory, stack(directory, mongodb=mongodb, quick=True) as processes:
            figures += _measure(processes, sizes, engine)
    return figures


def _measure(processes: Stack, sizes: Sequence[int], engine: str) -> list[Figure]:
    figures: list[Figure] = []
    server = cpu_clock(processes.start(API))
    port = str(processes.floor[1])
    forgetful = cpu_clock(processes.start(FORGETFUL_API, PORT=port))
    neighbour = Client(processes.floor)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        client = Client(processes.address)
        project = runner.run(client.log_in())
        path = f"/api/project/{project}/tasks"
        there = 0
        for count in sizes:
            # Only until the read model is built: an idle projector still polls the log.
            with processes.running(PROJECTORS):
                size = runner.run(_furnish(client, path, there, count))
            there = count

            def cell(path: str) -> Pace:
                request = client.request("GET", path)
                return runner.run(client.load(request, CONNECTIONS, CELL_S, server))

            def read(path: str) -> Pace:
                request = client.request("GET", path)
                return runner.run(neighbour.load(request, CONNECTIONS, CELL_S, forgetful))

            cells = {
                "page": partial(cell, f"{path}?limit={PAGE}"),
                "constant": partial(cell, f"/bench/{size}/{project}/tasks?limit={PAGE}"),
                "nothing": partial(cell, f"/bench/{size}/{project}/tasks/nothing?limit={PAGE}"),
                "read": partial(read, f"{path}?limit={PAGE}"),
            }
            if engine == MONGODB:
                for name, ask in (("command", ask_commands), ("cursor", ask_pages)):
                    asked = (processes.mongodb_uri, DATABASE, PAGE + 1, CONNECTIONS, CELL_S)
                    cells[name] = partial(_run, runner, ask, asked)
            measured = interleaved(ROUNDS, cells)
            figures += _figures(measured, f"{engine}, page of {PAGE} of {count:,}", engine)
    return figures


def _run(runner: asyncio.Runner, ask: Callable[..., Any], asked: tuple[Any, ...]) -> Pace:
    pace: Pace = runner.run(ask(*asked))
    return pace


async def _furnish(client: Client, path: str, there: int, count: int) -> int:
    """Create *count* tasks, wait until they are listed, and return the bytes of a page."""
    numbers = iter(range(there, count))

    async def create() -> None:
        connection = await client.connect()
        for number in numbers:
            title = f"Say what task {number} is about"
            body = {"title": title, "description": DESCRIPTION * 2}
            await connection.ask(client.request("POST", path, body))
        connection.close()

    await asyncio.gather(*(create() for _ in range(TOGETHER)))
    until = time.monotonic() + CATCH_UP_S
    while not await _is_listed(client, path, count):
        assert time.monotonic() < until, "the read model does not catch up"
        await asyncio.sleep(0.1)
    connection = await client.connect()
    answer = await connection.ask(client.request("GET", f"{path}?limit={PAGE}"))
    connection.close()
    return len(answer.partition(b"\r\n\r\n")[2])


async def _is_listed(client: Client, path: str, count: int) -> bool:
    try:
        found: Any = await client.ask("GET", f"{path}?limit={PAGE}")
    except RequestFailed:
        return False  # refused, because the read model is behind
    # Of tasks created at the same time, the one that comes first need not have the last number.
    return len(found["items"]) == PAGE and max(one["number"] for one in found["items"]) >= count


def _figures(measured: dict[str, list[Pace]], what: str, engine: str) -> list[Figure]:
    constant = [pace.cpu_us for pace in measured["constant"]]
    figures: list[Figure] = []
    for cell, how in (("page", what), ("read", f"{what}, not in memory")):
        page = [pace.cpu_us for pace in measured[cell]]
        figures += [
            Figure(
                what=f"{how}: above constant bytes",
                unit="µs CPU",
                rounds=[a - b for a, b in zip(page, constant, strict=True)],
                target=TARGET_US if (engine, cell) == (SQLITE, "page") else None,
                at_least=False,
            ),
            Figure(
                what=f"{how}: against constant bytes",
                unit="x",
                rounds=ratios(page, constant),
                target=TARGET_MONGODB if engine == MONGODB else None,
                at_least=False,
            ),
            Figure(
                what=f"{how}: above bytes for which nothing is looked up",
                unit="µs CPU",
                rounds=[a - b.cpu_us for a, b in zip(page, measured["nothing"], strict=True)],
            ),
            Figure(what=f"{how}: CPU of the API", unit="µs CPU", rounds=page),
            Figure(what=how, unit="requests/s", rounds=[p.per_second for p in measured[cell]]),
        ]
    if engine == MONGODB:
        figures += _of_the_driver(measured, what, constant)
    return [*figures, Figure(what=f"{what}: constant bytes", unit="µs CPU", rounds=constant)]


def _of_the_driver(
    measured: dict[str, list[Pace]], what: str, constant: list[float]
) -> list[Figure]:
    """Return what the same query costs PyMongo alone, which nothing built on it can go below."""
    command = [pace.cpu_us for pace in measured["command"]]
    cursor = [pace.cpu_us for pace in measured["cursor"]]
    floor = [a + b for a, b in zip(constant, command, strict=True)]
    return [
        Figure(
            what=f"{what}: constant bytes and PyMongo alone, against constant bytes",
            unit="x",
            rounds=ratios(floor, constant),
        ),
        Figure(what=f"{what}: PyMongo alone, the command", unit="µs CPU", rounds=command),
        Figure(what=f"{what}: PyMongo alone, find_raw_batches", unit="µs CPU", rounds=cursor),
    ]
