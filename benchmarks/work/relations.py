"""How usable are 100,000 relations: to load, to keep in memory, to search for a circle?

Half of them make one line in which each task blocks the next, the longest that a search can get;
the others are within groups of ten tasks. A process that loads them, or searches, serves others in
between: the longest step is how long it keeps them waiting.
"""

import asyncio
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from itertools import combinations, islice, pairwise
from typing import NamedTuple

import uvloop

from benchmarks.harness.calm import PYTHON_SPEED, python_speed
from benchmarks.harness.figures import Figure, interleaved
from benchmarks.harness.seeding import Office, open_log
from benchmarks.harness.workplace import workplace
from commands.states import StateCache, States
from commands.work.relation import AddRelation
from domain.base import TaskId
from domain.work.relation import (
    DependencyGraph,
    RelationAdded,
    RelationCycle,
    RelationKind,
    graph_of,
)
from eventstore.append import Append
from eventstore.codec import NOWHERE, encode
from eventstore.identifiers import new_id
from eventstore.recorded import Metadata, microseconds
from eventstore.sqlite import SqliteStore
from runtime.process import spare_the_collector

EDGES, LINE, GROUP = 100_000, 50_000, 10
ROWS_AN_APPEND = 5_000
ROUNDS = 5
STEP_MS = 50
"""As for every wait of another client: see loop-delay."""
MEMORY_MB = 100
BLOCKS = RelationKind.BLOCKS


class Cost(NamedTuple):
    """CPU milliseconds of some work, in all and of the longest step between which others run."""

    cpu_ms: float
    step_ms: float


def measure() -> list[Figure]:
    """Return the cost of loading and searching, and the memory that the relations take."""
    with workplace() as directory, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return _measure(runner, SqliteStore(str(directory / "events.db")))


def _measure(runner: asyncio.Runner, store: SqliteStore) -> list[Figure]:
    log = runner.run(open_log(store))
    office = Office(log)
    first, last = runner.run(_furnish(office))
    graph = graph_of(office.org_id)
    spare_the_collector()  # as the API does

    kept: list[States] = []

    async def load() -> None:
        kept.append(States(log, StateCache()))  # giving its memory back would be a long step
        await kept[-1].load(DependencyGraph, graph, office.org_id)

    async def search() -> None:
        try:
            await office.do(AddRelation(task_id=last, kind=BLOCKS, other_id=first))
        except RelationCycle:
            return
        raise AssertionError("a circle was not found")

    def cell(work: Callable[[], Awaitable[None]]) -> Cost:
        return runner.run(_cost(work))

    cells: dict[str, Callable[[], Cost]] = {
        "load": partial(cell, load),
        "search": partial(cell, search),
        "machine": lambda: Cost(python_speed(), 0),
    }
    measured = interleaved(ROUNDS, cells)
    megabytes = runner.run(_memory(load))
    runner.run(log.close())
    return [*_figures("load them", measured["load"]), *_figures("search", measured["search"]),
        Figure(
            what=f"memory of {EDGES:,} relations", unit="MB", rounds=[megabytes], target=MEMORY_MB,
            at_least=False,
        ),
        Figure(
            what=PYTHON_SPEED, unit="million/s CPU", rounds=[m.cpu_ms for m in measured["machine"]]
        ),
    ]  # fmt: skip


def _figures(what: str, costs: list[Cost]) -> Iterator[Figure]:
    yield Figure(what=f"{what}: in all", unit="ms CPU", rounds=[each.cpu_ms for each in costs])
    yield Figure(
        what=f"{what}: longest step",
        unit="ms CPU",
        rounds=[each.step_ms for each in costs],
        target=STEP_MS,
        at_least=False,
    )


async def _cost(work: Callable[[], Awaitable[None]]) -> Cost:
    """Do *work* beside something else, which measures how long it has to wait."""
    longest, began = 0, time.thread_time_ns()
    doing = asyncio.ensure_future(work())
    at = time.thread_time_ns()
    while not doing.done():
        await asyncio.sleep(0)
        now = time.thread_time_ns()
        longest, at = max(longest, now - at), now
    await doing
    return Cost((time.thread_time_ns() - began) / 1e6, longest / 1e6)


async def _memory(load: Callable[[], Awaitable[None]]) -> float:
    """Return the megabytes that are in use at most while the relations are loaded, and after."""
    tracemalloc.start()
    await load()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


async def _furnish(office: Office) -> tuple[TaskId, TaskId]:
    """Record the relations directly in the log; return the first and last task of the line."""
    await office.furnish()
    first, last = await office.add_tasks(2)
    between = (TaskId(new_id()) for _ in range(LINE - 1))
    pairs = [*pairwise((first, *between, last))]
    while len(pairs) < EDGES:
        group = [TaskId(new_id()) for _ in range(GROUP)]
        pairs += islice(combinations(group, 2), EDGES - len(pairs))
    for at in range(0, EDGES, ROWS_AN_APPEND):
        await _append(office, at, pairs[at : at + ROWS_AN_APPEND])
    return first, last


async def _append(office: Office, version: int, pairs: list[tuple[TaskId, TaskId]]) -> None:
    context, stream = office.context(), graph_of(office.org_id)
    append = Append(rows=[], expects={stream: version}, keys={})
    for number, (one, other) in enumerate(pairs, start=version + 1):
        metadata = Metadata(
            stream=stream,
            version=number,
            at=microseconds(context.now),
            actor=context.actor,
            command="AddRelation",
        )
        event = RelationAdded(kind=BLOCKS, from_=one, to=other)
        append.rows.append(encode(event, metadata, office.org_id, NOWHERE, None))
    await office.log.append(append)
