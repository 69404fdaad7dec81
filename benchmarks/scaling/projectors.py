"""How much sooner do several projectors write the read models than one?

The log is in PostgreSQL, with three organizations in partitions of their own, and the read models
are in MongoDB. Measured is the time from the first batch to the last. Each projector needs a core,
and so does the server of the read models: on two cores, three cannot be twice as fast as one.
What they can show there is that the work divides: the CPU time of the busiest one says how fast
three would be if each had a core, and the server, which all share, the same speed.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import uvloop

from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.processes import PROJECTORS, Stack, cpu_clock, cpu_seconds, stack
from benchmarks.harness.seeding import Office, office_in
from benchmarks.harness.workplace import workplace
from projections.engine.mongo.store import MongoReadStore
from projections.engine.store import ReadStoreUnavailable
from runtime.settings import load_settings
from runtime.system import open_system
from workers.projecting import PROJECTOR_CREW

BUSY = (1, 2, 3)
"""The partitions of the organizations; accounts are in the first one."""
TASKS = 500
ROUNDS = 3
GROUP = 3
TARGET = 2.0
LOOK_S = 0.01
SETTLE_S = 2.0
"""Longer than between two heartbeats."""
PATIENCE_S = 300.0
_US = "the benchmark"


class Work(NamedTuple):
    """What a group of projectors did: events a second, and CPU microseconds for each event."""

    per_second: float
    busiest_us: float
    all_us: float
    servers_us: float


def measure() -> list[Figure]:
    """Return how the rates and costs of two and of three projectors compare with that of one."""
    with (
        workplace() as directory,
        stack(directory, mongodb=True, postgresql=len(BUSY) + 1) as processes,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        events = runner.run(_fill(processes))
        cells = {
            str(count): lambda count=count: runner.run(_project(processes, count, events))
            for count in (1, 2, GROUP)
        }
        measured = interleaved(ROUNDS, cells)
    return _figures(measured)


def _figures(measured: Mapping[str, Sequence[Work]]) -> list[Figure]:
    one, two, group = measured["1"], measured["2"], measured[str(GROUP)]
    whole = [each.busiest_us for each in one]

    def against(what: str, over: Sequence[float], under: Sequence[float]) -> Figure:
        return Figure(what=f"{what}, against one", unit="x", rounds=ratios(over, under))

    rates = [each.per_second for each in one]
    return [
        Figure(
            what=f"{GROUP} projectors on {len(BUSY)} partitions, against one",
            unit="x",
            rounds=ratios([each.per_second for each in group], rates),
            target=TARGET,
        ),
        against("2 projectors", [each.per_second for each in two], rates),
        against(f"CPU of the busiest of {GROUP}", [each.busiest_us for each in group], whole),
        against("CPU of the busiest of 2", [each.busiest_us for each in two], whole),
        against(f"CPU of all {GROUP} together", [each.all_us for each in group], whole),
        *(
            figure
            for count, works in measured.items()
            for figure in (
                Figure(
                    what=f"{count} projector(s)",
                    unit="events/s",
                    rounds=[each.per_second for each in works],
                ),
                Figure(
                    what=f"{count} projector(s): the servers, for an event",
                    unit="µs CPU",
                    rounds=[each.servers_us for each in works],
                ),
            )
        ),
        Figure(what="1 projector, for an event", unit="µs CPU", rounds=whole),
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


async def _project(processes: Stack, count: int, events: int) -> Work:
    """Have so many projectors fill an empty database, from the moment that all have started."""
    database = f"bench_{uuid4().hex}"
    store = MongoReadStore(processes.mongodb_uri, database)
    parts = [0, *BUSY]
    await store.lease(_US, PATIENCE_S, parts)  # so that they all wait
    with ExitStack() as running:
        clocks = [
            cpu_clock(
                running.enter_context(processes.running(PROJECTORS, MONGODB_DATABASE=database))
            )
            for _ in range(count)
        ]
        await _until_joined(processes, count)
        before, servers = [cpu_seconds(each) for each in clocks], processes.cpu_seconds()
        await store.release(_US, parts)
        seconds = await _until_filled(store)
        used = [cpu_seconds(each) - was for each, was in zip(clocks, before, strict=True)]
        servers = processes.cpu_seconds() - servers
    await store.close()
    costs = (max(used), sum(used), servers)
    return Work(events / seconds, *(cost / events * 1e6 for cost in costs))


async def _until_joined(processes: Stack, count: int) -> None:
    """Return once so many projectors share the work, and know it."""
    asked = "SELECT count(*) FROM crew_members WHERE crew = %s"
    until = time.perf_counter() + PATIENCE_S
    with psycopg.connect(processes.events_url, autocommit=True) as database:
        while database.execute(asked, [PROJECTOR_CREW]).fetchall() != [(count,)]:
            assert time.perf_counter() < until, "the projectors do not start"
            await asyncio.sleep(LOOK_S)
    await asyncio.sleep(SETTLE_S)


async def _until_filled(store: MongoReadStore) -> float:
    """Return the seconds from the first batch to the last."""
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
            return now - began


async def _looked(store: MongoReadStore) -> Any:
    try:
        return await store.control()
    except ReadStoreUnavailable:
        return None
