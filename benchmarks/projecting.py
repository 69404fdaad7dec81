"""What does the projector cost compared with writing the same documents without it?"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvloop
from pymongo import AsyncMongoClient, ReplaceOne

from benchmarks.harness.calm import PYTHON_SPEED, python_speed
from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.seeding import DESCRIPTION, ROUND_TRIP, Office, open_log
from benchmarks.harness.workplace import workplace
from commands.work.task import AssignTask, EditTask
from devstack.mongo import mongo
from domain.work.task.events import Priority
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from projections.base import Projection
from projections.catalog import PROJECTIONS
from projections.engine.control import Control
from projections.engine.mongo.documents import stored
from projections.engine.mongo.store import MongoReadStore
from projections.engine.projector import Projector
from projections.engine.sqlite.store import SQLiteReadStore
from projections.engine.store import Batch, ReadStore, Written

TASKS = 1_000
ROUNDS = 5
TARGET_SQLITE, TARGET_MONGODB = 2.0, 0.5
BATCH = 200
"""Events per batch, as for a projector that keeps up."""

Cell = Callable[[], float]


class Recording(SQLiteReadStore):
    """A store that keeps what the projector writes to it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.batches: list[list[Written]] = []

    async def write(self, batch: Batch) -> Control:
        self.batches.append(list(batch.written))
        return await super().write(batch)


def measure() -> list[Figure]:
    """Return the cost of projecting, as a multiple of raw writes, on both engines."""
    with workplace() as directory, ExitStack() as things:
        server = things.enter_context(mongo(directory / "mongo"))
        runner = things.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        log = runner.run(history())
        events = runner.run(log.last_position())
        batches = runner.run(_recorded(log, directory))

        def cell(work: Callable[[], Awaitable[float]]) -> Cell:
            return lambda: runner.run(_seconds(work))

        async def into_sqlite() -> float:
            store = SQLiteReadStore(directory / f"{uuid4().hex}.db")
            return await project(log, store, time.process_time)

        async def raw_sqlite() -> float:
            return await _write(batches, SQLiteReadStore(directory / f"{uuid4().hex}.db"))

        async def into_mongodb() -> float:
            store = MongoReadStore(server.url, uuid4().hex, timeout_s=30)
            return await project(log, store, time.perf_counter)

        async def raw_mongodb() -> float:
            return await _bulk_write(batches, server.url)

        cells: dict[str, Cell] = {
            "into SQLite": cell(into_sqlite),
            "raw SQLite": cell(raw_sqlite),
            "into MongoDB": cell(into_mongodb),
            "raw MongoDB": cell(raw_mongodb),
            "machine": python_speed,
        }
        measured = interleaved(ROUNDS, cells)
        runner.run(log.close())
    return _figures(measured, events)


async def _seconds(work: Callable[[], Awaitable[float]]) -> float:
    return await work()


async def history() -> EventLog:
    """Return a log of typical tasks: created, moved, some of them edited."""
    log = await open_log(MemoryStore())
    office = Office(log)
    await office.furnish()
    for number, task in enumerate(await office.add_tasks(TASKS)):
        if number % 10 < 8:
            await office.do(AssignTask(task_id=task, user_id=office.user_id))
        await office.move(task, ROUND_TRIP[: number % 5])
        if number % 5 == 0:
            await office.do(EditTask(task_id=task, title=f"Task {number}, better said"))
        if number % 4 == 0:
            await office.do(EditTask(task_id=task, priority=Priority.HIGH))
        if number % 10 == 0:
            await office.do(EditTask(task_id=task, description=DESCRIPTION))
    return log


def _projector(
    log: EventLog, store: ReadStore, projections: Sequence[Projection[Any]] = PROJECTIONS
) -> Projector:
    projector = Projector(projections, log, store, asyncio.sleep)
    projector.catch_up_max = BATCH
    return projector


async def _recorded(log: EventLog, directory: Path) -> list[list[Written]]:
    """Return what a projector writes, batch by batch."""
    store = Recording(directory / "recorded.db")
    projector = _projector(log, store)
    while await projector.step():
        pass
    await store.close()
    return store.batches


async def project(
    log: EventLog,
    store: ReadStore,
    clock: Callable[[], float],
    projections: Sequence[Projection[Any]] = PROJECTIONS,
) -> float:
    """Return the seconds of *clock* in which *projections* get to the end of the log."""
    projector = _projector(log, store, projections)
    await projector.step()  # creating tables and indexes is not counted
    began = clock()
    while await projector.step():
        pass
    seconds = clock() - began
    await store.close()
    return seconds


async def _write(batches: list[list[Written]], store: SQLiteReadStore) -> float:
    """Write the same rows in the same transactions, with bare SQL statements."""
    first, *rest = [batch for batch in batches if batch]
    written_to = {written.target.collection: written.target for b in batches for written in b}
    for target in written_to.values():
        await store.create(target)
    control = await store.write(Batch(control=Control(), written=first))
    began = time.process_time()
    for written in rest:
        control = await store.write(Batch(control=control, written=written))
    seconds = time.process_time() - began
    await store.close()
    return seconds


async def _bulk_write(batches: list[list[Written]], url: str) -> float:
    """Write the same documents with one bulk write per batch and collection, no transactions."""
    async with AsyncMongoClient[dict[str, object]](url) as client:
        database = client[uuid4().hex]
        first, *rest = [batch for batch in batches if batch]
        store = MongoReadStore(url, database.name, timeout_s=30)
        for batch in batches:
            for one in batch:
                await store.create(one.target)
        await store.close()
        began = 0.0
        for batch in (first, *rest):
            for (collection, _), documents, new in batch:
                if inserts := [stored(d) for d in documents if d.id in new]:
                    await database[collection].insert_many(inserts)
                others = [d for d in documents if d.id not in new]
                if writes := [ReplaceOne({"_id": d.id}, stored(d), upsert=True) for d in others]:
                    await database[collection].bulk_write(writes, ordered=True)
            began = began or time.perf_counter()
        seconds = time.perf_counter() - began
        await client.drop_database(database)
    return seconds


def _figures(measured: dict[str, list[float]], events: int) -> list[Figure]:
    projected = events - BATCH
    figures = [
        Figure(
            what="projecting into SQLite, against writing the same rows",
            unit="x",
            rounds=ratios(measured["into SQLite"], measured["raw SQLite"]),
            target=TARGET_SQLITE,
            at_least=False,
        ),
        Figure(
            what="projecting into MongoDB, rate against bulk writes of the same documents",
            unit="x",
            rounds=ratios(measured["raw MongoDB"], measured["into MongoDB"]),
            target=TARGET_MONGODB,
        ),
    ]
    figures += [
        Figure(what=what, unit="events/s CPU", rounds=[projected / s for s in measured[what]])
        for what in ("into SQLite", "raw SQLite")
    ]
    figures += [
        Figure(what=what, unit="events/s", rounds=[projected / s for s in measured[what]])
        for what in ("into MongoDB", "raw MongoDB")
    ]
    speed = Figure(what=PYTHON_SPEED, unit="million/s CPU", rounds=measured["machine"])
    return [*figures, speed]
