"""Lists of tasks in pages: nothing is lost or shown twice, whatever changes in between."""

import json
import random
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pymongo import AsyncMongoClient

from domain.base import CycleId, Event, LabelId, MilestoneId, TaskId
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskLabelled,
    TaskPriorityChanged,
    TaskRanked,
    TaskReparented,
    TaskSchedule,
    TaskScheduled,
    TaskStatus,
)
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.rank import rank_of_number
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from projections.catalog import PROJECTIONS
from projections.engine.find import ReadModels
from projections.engine.mongo.store import MongoReadStore
from projections.engine.projector import Projector
from projections.engine.query import ListSlice, list_slice
from projections.engine.sqlite.store import SQLiteReadStore
from projections.engine.store import ReadStore
from projections.work.task_filter import EVERY_TASK, TaskFilter
from projections.work.task_list import find_tasks, find_tasks_by_key, merged
from projections.work.task_query import Lane, TaskOrder, TaskSort
from tests.commands.acme import comment, task
from tests.domain.spec import ACME, ANA, BEN, DAY, ENG, NOW, TASK, stepped
from tests.projections.engine.test_find import every_query
from tests.projections.spec import a_busy_day, live, models_of, project_all, to_the_end
from tests.projections.task_lists import FILTERS, OPS, ORDERS
from tests.spec import on, opened, record

TASKS = [UUID(int=5_000 + n) for n in range(24)]
LABEL = LabelId(UUID(int=71))
NUMBERS = count(100)
"""Of tasks that are added."""
ALL = [Lane((OPS,), key="OPS"), Lane((ENG,), key="ENG")]


async def create(log: EventLog, stream: UUID, number: int) -> None:
    """Record a new task in one of two projects."""
    project, key = (ENG, "ENG") if number % 3 else (OPS, "OPS")
    made = task(number, project=project, key=key)
    await record(log, on(stream, replace(made, created_at=NOW + number * DAY)))


def something(chance: random.Random) -> Event:
    """Return an event that moves a task about in lists, whatever happened to it before."""
    due = NOW + chance.randrange(-5, 30) * DAY
    planned = (
        TaskSchedule(due_at=due) if chance.random() < 0.5 else TaskSchedule(due_date=due.date())
    )
    return chance.choice(
        [
            TaskPriorityChanged(from_=Priority.LOW, to=chance.choice([*Priority])),
            TaskScheduled(from_=TaskSchedule(), to=planned),
            TaskRanked(from_="", to=rank_of_number(chance.randrange(1, 50))),
            TaskAssigned(user_id=chance.choice([ANA, BEN])),
            TaskLabelled(label_id=LABEL),
            TaskReparented(from_=None, to=TaskId(TASKS[0])),
            TaskCycleChanged(from_=None, to=CycleId(TASK)),
            TaskMilestoneChanged(from_=None, to=MilestoneId(chance.choice([TASK, ENG]))),
            stepped(TaskStatus.TODO, chance.choice([*TaskStatus])),
        ]
    )


async def history(log: EventLog, chance: random.Random, first: int = 1) -> None:
    """Record tasks in two projects, numbered from *first* on, to which something has happened."""
    for number, stream in enumerate(TASKS, first):
        await create(log, stream, number)
    for _ in range(60):
        await record(log, on(chance.choice(TASKS), something(chance)))


async def page(
    models: ReadModels, wanted: TaskFilter, order: TaskOrder, limit: int, after: str | None
) -> ListSlice:
    if order.sort is TaskSort.KEY:
        ordered = sorted(ALL, key=lambda lane: lane.key)
        return await find_tasks_by_key(models, ACME, ordered, wanted, order, limit, after)
    lanes = [Lane((OPS,), ("TODO", "DONE")), Lane((ENG,))] if wanted.open else [Lane((OPS, ENG))]
    return await find_tasks(models, ACME, lanes, wanted, order, limit, after)


def ids_in(found: ListSlice) -> list[str]:
    return [json.loads(item)["id"] for item in found.items]


async def in_pages(models: ReadModels, wanted: TaskFilter, order: TaskOrder) -> list[str]:
    """Return the ids of a list, read seven at a time."""
    found, after = list[str](), None
    for _ in range(len(TASKS) + 1):
        some = await page(models, wanted, order, 7, after)
        found += ids_in(some)
        after = some.next_key
        if after is None:
            return found
    raise AssertionError("the pages do not end")


async def test_pages_together_are_the_list_by_every_filter_and_order(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await history(log, random.Random(1))  # noqa: S311 - the same story each time
        await project_all(log, store)
    models = models_of(store)

    for order in ORDERS:
        for wanted in FILTERS if order is ORDERS[0] else FILTERS[3:4]:
            whole = ids_in(await page(models, wanted, order, 100, None))
            assert await in_pages(models, wanted, order) == whole, (order, wanted)
            turned = TaskOrder(order.sort, not order.turned)
            assert ids_in(await page(models, wanted, turned, 100, None)) == whole[::-1]


async def _while_changing(
    log: EventLog, store: ReadStore, projector: Projector, order: TaskOrder, touched: set[str]
) -> AsyncIterator[str]:
    """Yield the ids of a list, read in pages between which tasks are added and changed."""
    chance = random.Random(order.field)  # noqa: S311 - the same story each time
    models, after = models_of(store), None
    while True:
        some = await page(models, EVERY_TASK, order, 9, after)
        for one in ids_in(some):
            yield one
        after = some.next_key
        if after is None:
            return
        number = next(NUMBERS)
        await create(log, UUID(int=9_000 + number), number)
        changed = chance.choice(TASKS)
        touched.add(str(changed))
        await record(log, on(changed, something(chance)))
        await to_the_end(projector)


async def test_while_tasks_are_added_and_changed_the_others_are_listed_once(
    store: ReadStore,
) -> None:
    chance = random.Random(7)  # noqa: S311 - the same story each time
    async with opened(MemoryStore()) as log:
        await history(log, chance)
        projector = await project_all(log, store)
        for order in ORDERS:
            here = ids_in(await page(models_of(store), EVERY_TASK, order, 900, None))
            touched: set[str] = set()
            found = [some async for some in _while_changing(log, store, projector, order, touched)]

            untouched = [one for one in here if one not in touched]
            assert [found.count(one) for one in untouched] == [1] * len(untouched), order
            if order.sort in (TaskSort.NEWEST, TaskSort.KEY):  # whose keys never change
                assert all(found.count(one) == 1 for one in here), order
                assert len(found) == len(set(found)), order
        await projector.release()


@pytest.mark.servers
async def test_both_adapters_give_equal_bytes_for_every_query_of_every_list(
    mongo_url: str, tmp_path: Path
) -> None:
    name = f"test_{tmp_path.name}"[:50]
    sqlite = SQLiteReadStore(tmp_path / "readmodels.db", timeout_s=5)
    mongo = MongoReadStore(mongo_url, name, timeout_s=10)
    try:
        async with opened(MemoryStore()) as log:
            await a_busy_day(log, seed=3)
            await history(log, random.Random(3), 200)  # noqa: S311 - as above
            await record(log, on(UUID(int=77), comment(task_id=TaskId(TASKS[1]))))
            for store in (mongo, sqlite):
                await (await project_all(log, store)).release()
        models = {projection.name: projection for projection in PROJECTIONS}
        for query in {repr(one): one for one in await every_query(sqlite)}.values():
            model = models[query.model]
            [one] = await mongo.find([(await live(mongo, model), query)])
            [other] = await sqlite.find([(await live(sqlite, model), query)])
            assert one.json == other.json, query
            assert (one.size, one.next_key) == (other.size, other.next_key), query
    finally:
        await sqlite.close()
        await mongo.close()
        async with AsyncMongoClient[dict[str, Any]](mongo_url) as client:
            await client.drop_database(name)


Lists = st.lists(st.lists(st.integers(0, 400), unique=True, max_size=40), min_size=1, max_size=4)


@given(Lists, st.integers(1, 9), st.booleans(), st.randoms(use_true_random=False))
def test_lists_are_merged_whole_however_far_each_was_looked_at(
    lists: list[list[int]], limit: int, descending: bool, chance: random.Random
) -> None:
    lists = [[4 * key + n for key in keys] for n, keys in enumerate(lists)]
    everything = sorted((key for keys in lists for key in keys), reverse=descending)
    found: list[bytes] = []
    after: int | None = None
    for _ in range(len(everything) + 200):
        slices = [_slice(keys, after, chance.randint(1, limit), descending) for keys in lists]
        page = merged(slices, limit, descending)
        items, after = page.items, page.next_key
        assert len(items) <= limit
        found += items
        if after is None:
            break

    assert found == [b"%d" % key for key in everything]


def _slice(keys: list[int], after: int | None, looked_at: int, descending: bool) -> ListSlice:
    """Return a page of *keys* behind *after* of which only some were looked at."""
    ahead = sorted(
        (k for k in keys if after is None or (k < after if descending else k > after)),
        reverse=descending,
    )
    shown = ahead[:looked_at]
    next_key = shown[-1] if len(ahead) > len(shown) else None
    return list_slice([b"%d" % key for key in shown], next_key, shown)
