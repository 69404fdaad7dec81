"""How much sooner do several projectors write the read models than one?

The log is in PostgreSQL, with three organizations in partitions of their own, and the read models
are in MongoDB. Measured is the time from the first batch to the last. Each projector needs a core,
and so does the server of the read models: on two cores, three cannot be twice as fast as one.
"""

import asyncio
import time
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import uvloop

from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.processes import PROJECTORS, Stack, stack
from benchmarks.harness.seeding import Office, office_in
from benchmarks.harness.workplace import workplace
from projections.engine.mongo.store import MongoReadStore
from projections.engine.store import ReadStoreUnavailable
from runtime.settings import load_settings
from runtime.system import open_system

BUSY = (1, 2, 3)
"""The partitions of the organizations; accounts are in the first one."""
TASKS = 500
ROUNDS = 3
GROUP = 3
TARGET = 2.0
LOOK_S = 0.01
PATIENCE_S = 300.0


def measure() -> list[Figure]:
    """Return how the rates of two and of three projectors compare with that of one."""
    with (
        workplace() as directory,
        stack(directory, mongodb=True, postgresql=len(BUSY) + 1) as processes,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        events = runner.run(_fill(processes))
        cells = {
            str(count): lambda count=count: events / runner.run(_project(processes, count))
            for count in (1, 2, GROUP)
        }
        measured = interleaved(ROUNDS, cells)
    return [
        Figure(
            what=f"{GROUP} projectors on {len(BUSY)} partitions, against one",
            unit="x",
            rounds=ratios(measured[str(GROUP)], measured["1"]),
            target=TARGET,
        ),
        Figure(
            what="2 projectors, against one", unit="x", rounds=ratios(measured["2"], measured["1"])
        ),
        *(
            Figure(what=f"{count} projector(s)", unit="events/s", rounds=rates)
            for count, rates in measured.items()
        ),
    ]


async def _fill(processes: Stack) -> int:
    """Record tasks in three organizations; return how many events there are."""
    async with open_system(load_settings(processes.environment)) as system:
        offices = [office_in(part, system.log) for part in BUSY]
        await asyncio.gather(*(_work(office) for office in offices))
        return sum([await system.log.last_position(part) for part in range(system.log.parts)])


async def _work(office: Office) -> None:
    await office.furnish()
    numbers = iter(range(TASKS))

    async def add() -> None:
        for number in numbers:
            await office.add_task(number)

    await asyncio.gather(*(add() for _ in range(8)))


async def _project(processes: Stack, count: int) -> float:
    """Return in how many seconds so many projectors fill an empty database."""
    database = f"bench_{uuid4().hex}"
    store = MongoReadStore(processes.mongodb_uri, database)
    with ExitStack() as running:
        for _ in range(count):
            running.enter_context(processes.running(PROJECTORS, MONGODB_DATABASE=database))
        began = 0.0
        until = time.perf_counter() + PATIENCE_S
        while True:
            await asyncio.sleep(LOOK_S)
            found = await _looked(store)
            now = time.perf_counter()
            assert now < until, "the projectors do not get to the end"
            if found is not None and found.head and not began:
                began = now
            if found is not None and found.serving:
                break
    await store.close()
    return now - began


async def _looked(store: MongoReadStore) -> Any:
    try:
        return await store.control()
    except ReadStoreUnavailable:
        return None
