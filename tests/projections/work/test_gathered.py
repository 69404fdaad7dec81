"""What a filter finds within a span of another order is put in the order of the list again."""

import json
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.base import UserId
from domain.work.task.events import Priority, TaskAssigned, TaskSchedule, TaskScheduled, TaskStatus
from eventstore.memory import MemoryStore
from projections.engine.progress import Progress
from projections.engine.store import ReadStore
from projections.work import task_list
from projections.work.task import Tasks
from projections.work.task_filter import EVERY_TASK, TaskFilter
from projections.work.task_list import find_tasks, find_tasks_by_key
from projections.work.task_query import Lane, TaskOrder, TaskSort
from tests.commands.acme import task
from tests.domain.spec import ACME, ANA, DAY, ENG, NOW, stepped
from tests.projections.engine.test_find import Asked
from tests.projections.spec import live, project_all
from tests.projections.task_lists import DUE, ORDERS
from tests.spec import on, opened, record

LAST, PAGE = 36, 4
IN_MARCH, LATE = DUE
URGENT = TaskFilter(priorities=(Priority.HIGH, Priority.URGENT), assignees=(UserId(ANA),))
WANTED = {
    "late": replace(LATE, assignees=(UserId(ANA),)),
    "late and in progress": replace(LATE, assignees=(UserId(ANA),)),
    "in March": replace(IN_MARCH, assignees=(UserId(ANA),)),
    "urgent and in progress": URGENT,
    "urgent, in March": replace(URGENT, due=IN_MARCH.due),
}


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it always be less work to put few tasks in order, and never what is due of all."""
    monkeypatch.setattr(task_list, "GATHERED_FROM", 0)
    monkeypatch.setattr(task_list, "SPAN_MAX", 0)
    monkeypatch.setattr(task_list, "walked", lambda *_: 1_000)


async def filled(store: ReadStore) -> Asked:
    """Store tasks that are due on many days, half of them Ana's."""
    async with opened(MemoryStore()) as log:
        for n in range(1, LAST + 1):
            made = replace(task(n), created_at=NOW + n * 7 % LAST * DAY)
            made = replace(made, priority=[*Priority][n % 4])
            when = TaskSchedule(due_date=(NOW + (n * 5 % LAST - 8) * DAY).date())
            more: list[Any] = [TaskScheduled(from_=TaskSchedule(), to=when)] if n % 5 else []
            more += [TaskAssigned(user_id=ANA)] if n % 2 else []
            more += [stepped(TaskStatus.TODO, TaskStatus.IN_PROGRESS)] if n % 3 else []
            await record(log, on(UUID(int=8_000 + n), made, *more))
        await (await project_all(log, store, [Tasks()])).release()
    models = Asked(store, Progress(store), [Tasks()])
    models.queries = []
    return models


async def in_pages(models: Asked, lane: Lane, wanted: TaskFilter, order: TaskOrder) -> list[int]:
    """Return the numbers of a list, page by page, of which only the last one may be short."""
    find: Any = find_tasks_by_key if order.sort is TaskSort.KEY else find_tasks
    numbers, after = list[int](), None
    while True:
        some = await find(models, ACME, [lane], wanted, order, PAGE, after)
        numbers += [json.loads(item)["number"] for item in some.items]
        after = some.next_key
        if after is None:
            return numbers
        assert some.size == PAGE


async def test_what_is_gathered_is_what_the_filters_leave_of_all_in_order(store: ReadStore) -> None:
    models = await filled(store)
    target = await live(store, Tasks())

    for order in ORDERS:
        every = await in_pages(models, Lane((ENG,), key="ENG"), EVERY_TASK, order)
        for name, wanted in WANTED.items():
            statuses = ("IN_PROGRESS",) if "progress" in name else None
            lane = Lane((ENG,), statuses, key="ENG")
            alone = set[int]()
            for few in (replace(wanted, assignees=()), replace(wanted, due=None, priorities=())):
                found = {*await in_pages(models, lane, few, order)}
                alone = alone & found if alone else found
            models.queries.clear()
            found_now = await in_pages(models, lane, wanted, order)

            assert found_now == [n for n in every if n in alone], (name, order)
            gathered = [query for query in models.queries if query.gathers]
            spans = {"due_order": wanted.due, "urgency": wanted.priorities}
            possible = [field for field, asked in spans.items() if asked and field != order.field]
            assert bool(gathered) is bool(possible), (name, order)
            for query in gathered:
                plan = await store.explain(target, query)
                assert query.span is not None
                assert f"facets_{query.span[0]}" in plan
                assert "SCAN d" not in plan
