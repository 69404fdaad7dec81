"""How much more CPU does the API use for a page of 50 tasks than for constant bytes?

The route of the constant bytes is the same up to the page: it takes the same filters, finds the
project and whether the caller sees it, and waits for what was recorded. Another one takes no
filters and looks nothing up at all.
A page that was read before is answered from memory while nothing has changed, so it is also
measured while something changes all the time. Of MongoDB, clients who ask for the same page at the
same time share readings, as these 16 do; for a client alone PyMongo by itself takes nearly half of
what a page costs above constant bytes.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.harness.bare_driver import ask_commands, ask_pages
from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.http_client import Client, RequestFailed
from benchmarks.harness.pace import Pace
from benchmarks.harness.processes import API, PROJECTORS, Stack, cpu_clock, stack
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
CHANGE_EVERY_S = 0.0002
"""More often than a page is asked for."""
TARGET_US = 45.0
TARGET_MONGODB = 2.5
DATABASE = "trackrecord"


def measure() -> list[Figure]:
    """Return the CPU time of a page from the read model, and of a constant one."""
    figures: list[Figure] = []
    for mongodb, sizes in ((False, SIZES), (True, SIZES[:1])):
        with workplace() as directory, stack(directory, mongodb=mongodb, quick=True) as processes:
            figures += _measure(
                processes, sizes, None if mongodb else directory / "data" / "readmodels.db"
            )
    return figures


def _measure(processes: Stack, sizes: Sequence[int], file: Path | None) -> list[Figure]:
    figures: list[Figure] = []
    engine = "MongoDB" if file is None else "SQLite"
    server = cpu_clock(processes.start(API))
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

            cells = {
                "page": partial(cell, f"{path}?limit={PAGE}"),
                "constant": partial(cell, f"/bench/{size}/{project}/tasks?limit={PAGE}"),
                "nothing": partial(cell, f"/bench/{size}/{project}/tasks/nothing?limit={PAGE}"),
            }
            if file is not None:
                cells["changed"] = partial(_while_changing, file, cells["page"])
            else:
                for name, ask in (("command", ask_commands), ("cursor", ask_pages)):
                    asked = (processes.mongodb_uri, DATABASE, PAGE + 1, CONNECTIONS, CELL_S)
                    cells[name] = partial(_run, runner, ask, asked)
            measured = interleaved(ROUNDS, cells)
            figures += _figures(measured, f"{engine}, page of {PAGE} of {count:,}", engine)
    return figures


def _run(runner: asyncio.Runner, ask: Callable[..., Any], asked: tuple[Any, ...]) -> Pace:
    pace: Pace = runner.run(ask(*asked))
    return pace


def _while_changing(file: Path, cell: Callable[[], Pace]) -> Pace:
    with changing(file):
        return cell()


@contextmanager
def changing(file: Path) -> Generator[None]:
    """Commit to the read models all the time, so that no page is as it was read before."""
    ended = threading.Event()

    def change() -> None:
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = NORMAL")
            while not ended.wait(CHANGE_EVERY_S):
                connection.execute("UPDATE writes SET n = n")

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


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
    page = [pace.cpu_us for pace in measured["page"]]
    constant = [pace.cpu_us for pace in measured["constant"]]
    above = Figure(
        what=f"{what}: above constant bytes",
        unit="µs CPU",
        rounds=[a - b for a, b in zip(page, constant, strict=True)],
        target=TARGET_US if engine == "SQLite" else None,
        at_least=False,
    )
    times = Figure(
        what=f"{what}: against constant bytes",
        unit="x",
        rounds=ratios(page, constant),
        target=TARGET_MONGODB if engine == "MongoDB" else None,
        at_least=False,
    )
    beside = _of_the_driver if engine == "MongoDB" else _changed
    return [
        above,
        times,
        Figure(
            what=f"{what}: above bytes for which nothing is looked up",
            unit="µs CPU",
            rounds=[a - b.cpu_us for a, b in zip(page, measured["nothing"], strict=True)],
        ),
        *beside(measured, what, constant),
        Figure(what=f"{what}: CPU of the API", unit="µs CPU", rounds=page),
        Figure(what=f"{what}: constant bytes", unit="µs CPU", rounds=constant),
        Figure(what=what, unit="requests/s", rounds=[p.per_second for p in measured["page"]]),
    ]


def _changed(measured: dict[str, list[Pace]], what: str, constant: list[float]) -> list[Figure]:
    changed = [pace.cpu_us for pace in measured["changed"]]
    return [
        Figure(
            what=f"{what}, changed since: above constant bytes",
            unit="µs CPU",
            rounds=[a - b for a, b in zip(changed, constant, strict=True)],
        )
    ]


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
