"""A page of tasks is full however few of many match, and has a next one only if there is more."""

import json
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.base import ProjectId, UserId
from domain.work.task.events import Priority
from eventstore.memory import MemoryStore
from projections.engine.find import ReadModels, full_page
from projections.engine.query import ListSlice, list_slice
from projections.engine.store import ReadStore
from projections.work.task import Tasks
from projections.work.task_filter import TaskFilter
from projections.work.task_list import find_tasks, find_tasks_by_key
from projections.work.task_query import Lane, TaskOrder, TaskSort
from tests.commands.acme import OPS, task
from tests.domain.spec import ACME, ANA, BEN, DAY, ENG, NOW
from tests.projections.spec import models_of, project_all
from tests.spec import on, opened, record

NUMBERS, EVERY = range(1_001, 1_220), 50
RARE = [n for n in NUMBERS if n % EVERY == 0]
URGENT_OF_ANA = TaskFilter(creators=(UserId(ANA),), priorities=(Priority.URGENT,))
"""What hundreds of tasks are, each by itself, and ``RARE`` alone both."""


async def filled(store: ReadStore) -> ReadModels:
    """Store many tasks, of which half are urgent and half are Ana's; few are both."""
    async with opened(MemoryStore()) as log:
        for n in NUMBERS:
            made = replace(task(n), created_at=NOW + n * DAY, created_by=ANA)
            if n % 2:
                made = replace(made, created_by=BEN)
            if n % 2 or n % EVERY == 0:
                made = replace(made, priority=Priority.URGENT)
            await record(log, on(UUID(int=10_000 + n), made))
        await (await project_all(log, store, [Tasks()])).release()
    return models_of(store, [Tasks()])


@pytest.fixture
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let filters look at few rows at a time, so that most of them hold nothing."""
    for module in ("query", "sqlite.pages", "mongo.store"):
        monkeypatch.setattr(f"projections.engine.{module}.RESIDUAL_ROWS_MAX", 2)
    monkeypatch.setattr("projections.engine.find.FILLING_MAX_S", 60.0)
    monkeypatch.setattr("projections.work.task_list.SIZE_MAX", 50)  # of more, there are slices


async def in_pages(
    models: ReadModels, lanes: list[Lane], order: TaskOrder, limit: int
) -> list[list[int]]:
    """Return the numbers of the tasks on each page."""
    find: Any = find_tasks_by_key if order.sort is TaskSort.KEY else find_tasks
    found, after = list[list[int]](), None
    for _ in range(len(RARE) + 1):
        page = await find(models, ACME, lanes, URGENT_OF_ANA, order, limit, after, keyed=True)
        assert len(page.keys) == page.size
        found.append([json.loads(item)["number"] for item in page.items])
        after = page.next_key
        if after is None:
            return found
    raise AssertionError("the pages do not end")


@pytest.mark.usefixtures("short_slices")
async def test_hundreds_that_do_not_match_leave_no_page_short(store: ReadStore) -> None:
    models = await filled(store)
    alone, both = Lane((ENG,), key="ENG"), Lane((OPS,), ("TODO",), key="OPS")

    for order, lanes in (
        (TaskOrder(), [alone]),
        (TaskOrder(TaskSort.UPDATED, turned=True), [alone, both]),
        (TaskOrder(TaskSort.KEY), [alone, both]),
    ):
        expected = [*reversed(RARE)] if order.descending else RARE
        pages = await in_pages(models, lanes, order, 2)
        assert pages == [expected[:2], expected[2:]], order


async def test_a_page_by_key_is_full_behind_any_number_of_empty_projects(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, on(UUID(int=10_001), replace(task(1), project_id=ENG)))
        await (await project_all(log, store, [Tasks()])).release()
    empty = [Lane((ProjectId(UUID(int=70_000 + n)),), key=f"A{n:04}") for n in range(1, 131)]

    page = await find_tasks_by_key(
        models_of(store, [Tasks()]), ACME, [*empty, Lane((ENG,), key="ENG")], limit=1
    )

    assert (page.size, page.next_key) == (1, None)


async def test_looking_for_what_fills_a_page_ends_once_it_takes_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = list[int]()

    async def find(limit: int, after: Any) -> ListSlice:
        asked.append(limit)
        at = 1 + (after or 0)
        return list_slice([b"%d" % at] * (at % 3 == 0), at, [at] * (at % 3 == 0))

    full = await full_page(find, 2)
    monkeypatch.setattr("projections.engine.find.FILLING_MAX_S", -1.0)
    short = await full_page(find, 2, 6)

    assert (full.items, full.next_key, asked[:9]) == ([b"3", b"6"], 6, [3, 3, 3, 2, 2, 2, 1, 1, 1])
    assert (short.size, short.next_key) == (0, 7)
