"""A filter by what a list is sorted by is a part of the order, and finds what the filter says."""

import json
from collections.abc import Sequence
from itertools import combinations
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from domain.base import UserId
from domain.work.task.events import Priority, TaskAssigned
from eventstore.memory import MemoryStore
from projections.engine.find import ReadModels
from projections.engine.query import ListSlice
from projections.engine.store import ReadStore
from projections.work.task import Tasks
from projections.work.task_filter import EVERY_TASK, TaskFilter
from projections.work.task_list import find_tasks
from projections.work.task_query import Lane, TaskOrder, TaskSort, task_plans
from tests.commands.acme import task
from tests.domain.spec import ACME, ANA, DAY, ENG, NOW
from tests.projections.spec import models_of, project_all
from tests.projections.task_lists import OPS
from tests.spec import on, opened, record

LANES = ([Lane((ENG,))], [Lane((ENG, OPS))], [Lane((ENG,), ("TODO",)), Lane((OPS,))])
SORTS = TaskSort.PRIORITY, TaskSort.NEWEST
ORDERS = [TaskOrder(sort, turned) for sort in SORTS for turned in (False, True)]
CHOICES = [c for size in range(1, 5) for c in combinations(Priority, size)]
PAGE = 3
LAST = 24


async def filled(store: ReadStore) -> ReadModels:
    """Store tasks of two projects: of each priority, each time of creation twice."""
    async with opened(MemoryStore()) as log:
        for n in range(LAST):
            project, key = (ENG, "ENG") if n % 3 else (OPS, "OPS")
            made = task(n + 1, project=project, key=key)
            priority = [*Priority][n * 7 % 4]
            made = replace(made, created_at=NOW + n // 2 * DAY, priority=priority)
            more = [TaskAssigned(user_id=ANA)] if n % 2 else []
            await record(log, on(UUID(int=8_000 + n), made, *more))
        await (await project_all(log, store, [Tasks()])).release()
    return models_of(store, [Tasks()])


async def in_pages(
    models: ReadModels, lanes: Sequence[Lane], wanted: TaskFilter, order: TaskOrder
) -> list[bytes]:
    """Return the items of a list, page by page, of which only the last one may be short."""
    found, after = list[bytes](), None
    while True:
        some: ListSlice = await find_tasks(models, ACME, lanes, wanted, order, PAGE, after)
        found += some.items
        after = some.next_key
        if after is None:
            return found
        assert some.size == PAGE


async def test_tasks_of_some_priorities_are_those_of_all_in_the_order_of_the_list(
    store: ReadStore,
) -> None:
    models = await filled(store)

    for lanes in LANES:
        for order in ORDERS:
            every = await in_pages(models, lanes, EVERY_TASK, order)
            about: list[dict[str, Any]] = [json.loads(one) for one in every]
            for chosen in CHOICES:
                asked = TaskFilter(priorities=chosen)
                expected = [
                    one
                    for one, told in zip(every, about, strict=True)
                    if told["priority"] in chosen
                ]
                assert await in_pages(models, lanes, asked, order) == expected, (order, chosen)
                mine = replace(asked, assignees=(UserId(ANA),))
                expected = [one for one in expected if json.loads(one)["assignees"]]
                assert await in_pages(models, lanes, mine, order) == expected, (order, chosen)


def test_priorities_next_to_each_other_are_bounds_of_their_order() -> None:
    order = TaskOrder(TaskSort.PRIORITY)
    for chosen, bounded in (
        ((Priority.LOW,), True),
        ((Priority.URGENT, Priority.HIGH), True),
        ((Priority.LOW, Priority.HIGH), False),
        ((), False),
    ):
        wanted = TaskFilter(priorities=chosen)
        [query] = task_plans(ACME, Lane((ENG,)), wanted, order, PAGE).walks

        assert (query.above is not None) is bounded
        assert query.filters is False
        assert (query.contains is None) is (bounded or not chosen)


def test_tasks_with_one_priority_are_listed_by_creation_in_the_order_of_priorities() -> None:
    for chosen, sort in (
        ((Priority.HIGH,), "urgency"),
        ((Priority.HIGH, Priority.URGENT), "created"),
        ((), "created"),
    ):
        wanted = TaskFilter(priorities=chosen, assignees=(UserId(ANA),))
        [query, *others] = task_plans(ACME, Lane((ENG,)), wanted, TaskOrder(), PAGE).walks

        assert query.sort == sort
        assert (others == []) is (len(chosen) < 2)
