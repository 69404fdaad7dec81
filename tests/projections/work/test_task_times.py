"""Lists by when something happened to tasks are what filters leave of all, in every order."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.base import TaskId, UserId
from domain.work.relation import RelationAdded, RelationKind, graph_of
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskPriorityChanged,
    TaskSchedule,
    TaskScheduled,
    TaskStatus,
)
from eventstore.memory import MemoryStore
from projections.engine.progress import Progress
from projections.engine.query import Query
from projections.engine.store import ReadStore
from projections.work import task_list
from projections.work.task import Tasks
from projections.work.task_filter import EVERY_TASK, DueRanges, TaskFilter
from projections.work.task_list import find_tasks, find_tasks_by_key
from projections.work.task_query import Lane, TaskOrder, TaskSort, task_plans
from projections.work.times.period import Period
from tests.commands.acme import task
from tests.domain.spec import ACME, ANA, BEN, DAY, ENG, NOW, stepped
from tests.projections.engine.test_find import Asked
from tests.projections.spec import live, project_all
from tests.projections.task_lists import OPS, ORDERS
from tests.spec import on, opened, record

LAST, PAGE = 40, 4
MOMENTS = [NOW + n * DAY for n in range(12)]
LATE = [NOW + (4 + n * 8 // (2 * LAST)) * DAY for n in range(2 * LAST)]
"""When something happens to tasks, one thing after the other."""
IN_MARCH = DueRanges((("2026-03-03", "2026-03-09"),))
Told = Mapping[str, Any]


async def filled(store: ReadStore) -> Asked:
    """Store tasks of two projects that were created at one of some moments, and changed later."""
    chance, clock = random.Random(5), iter(LATE)  # noqa: S311 - the same story each time
    async with opened(MemoryStore()) as log:
        for n in range(1, LAST + 1):
            project, key = (ENG, "ENG") if n % 4 else (OPS, "OPS")
            made = task(n, project=project, key=key)
            made = replace(made, created_at=chance.choice(MOMENTS[:8]))
            await record(log, on(UUID(int=8_000 + n), made), at=next(clock))
        for n in chance.sample(range(1, LAST + 1), LAST * 3 // 4):
            due, at = TaskSchedule(due_date=chance.choice(MOMENTS).date()), next(clock)
            events = [
                TaskAssigned(user_id=chance.choice([ANA, BEN])),
                TaskPriorityChanged(from_=Priority.LOW, to=chance.choice([*Priority])),
                TaskScheduled(from_=TaskSchedule(), to=due),
                stepped(TaskStatus.IN_PROGRESS, chance.choice([*TaskStatus]), at=at),
            ]
            some = chance.sample(events, chance.randint(1, 3))
            await record(log, on(UUID(int=8_000 + n), *some), at=at)
        for n in range(5, LAST, 5):
            first, second = TaskId(UUID(int=8_000 + n)), TaskId(UUID(int=8_001 + n))
            blocks = RelationAdded(kind=RelationKind.BLOCKS, from_=first, to=second, open=True)
            await record(log, on(graph_of(ACME), blocks))
        await (await project_all(log, store, [Tasks()])).release()
    models = Asked(store, Progress(store), [Tasks()])
    models.queries = []
    return models


MEMBERS = {"created": "createdAt", "updated": "updatedAt", "completed": "completedAt"}
PERIODS = {
    "some days": Period(MOMENTS[3], MOMENTS[6]),
    "from a day": Period(MOMENTS[5]),
    "until a day": Period(None, MOMENTS[5]),
    "never": Period(MOMENTS[6], MOMENTS[3]),
}
BESIDE: dict[str, tuple[TaskFilter, Callable[[Told], bool]]] = {
    "alone": (EVERY_TASK, lambda told: True),
    "assigned": (TaskFilter(assignees=(UserId(ANA),)), lambda told: str(ANA) in told["assignees"]),
    "open": (
        TaskFilter(open=True),
        lambda told: told["group"] not in {"DONE", "CANCELLED"},
    ),
    "medium": (
        TaskFilter(priorities=(Priority.MEDIUM,)),
        lambda told: told["priority"] == "MEDIUM",
    ),
    "due and of a priority": (
        TaskFilter(due=IN_MARCH, priorities=(Priority.LOW, Priority.MEDIUM)),
        lambda told: (
            told["priority"] in {"LOW", "MEDIUM"}
            and "2026-03-03" <= (told["dueDate"] or "") < "2026-03-09"
        ),
    ),
    "without a label": (TaskFilter(lacking=("label",)), lambda told: True),
}
LANES = {
    "one project": [Lane((ENG,), key="ENG")],
    "two projects": [Lane((ENG, OPS), key="ENG")],
    "some statuses": [Lane((ENG,), ("TODO", "DONE"), key="ENG")],
}


def is_within(period: Period | None, told: str | None) -> bool:
    """Return whether a time that a task shows is in a period; None: in any."""
    if period is None:
        return True
    if told is None:
        return False
    at = datetime.fromisoformat(told)
    return (period.begin is None or period.begin <= at) and (period.end is None or at < period.end)


def asked_times(period: Period) -> list[TaskFilter]:
    """Return filters by when tasks were created, changed or completed."""
    return [
        TaskFilter(created=period),
        TaskFilter(updated=period),
        TaskFilter(completed=period),
        TaskFilter(created=Period(MOMENTS[2]), updated=period),
        TaskFilter(completed=period, updated=Period(MOMENTS[4])),
    ]


async def in_pages(
    models: Asked, lanes: Sequence[Lane], wanted: TaskFilter, order: TaskOrder
) -> list[Told]:
    """Return the tasks of a list, page by page, of which only the last one may be short."""
    if order.sort is TaskSort.KEY:
        lanes = [Lane((each,), one.statuses) for one in lanes for each in one.projects]
        keys = {ENG: "ENG", OPS: "OPS"}
        lanes = [one._replace(key=keys[one.projects[0]]) for one in lanes]
    find: Any = find_tasks_by_key if order.sort is TaskSort.KEY else find_tasks
    found, after = list[Told](), None
    while True:
        some = await find(models, ACME, lanes, wanted, order, PAGE, after)
        found += [json.loads(item) for item in some.items]
        after = some.next_key
        if after is None:
            return found
        assert some.size == PAGE


def nothing_else(query: Query) -> bool:
    """Return whether a query takes all that its index finds."""
    return not query.filters


def look_at_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a slice of a list end behind two rows that filters have looked at."""
    for module in ("engine.query", "engine.sqlite.pages", "engine.mongo.store", "work.task_list"):
        monkeypatch.setattr(f"projections.{module}.RESIDUAL_ROWS_MAX", 2)


@pytest.mark.parametrize("way", ["walked", "sliced", "late", "spanned", "gathered"])
async def test_lists_by_time_are_what_the_filters_leave_of_all_in_order(
    store: ReadStore, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(task_list, "SPAN_MAX", 1_000 if way == "spanned" else -1)
    monkeypatch.setattr(task_list, "SIZE_MAX", -1 if way in {"walked", "sliced", "late"} else 2_000)
    monkeypatch.setattr(task_list, "WALK_MAX", 0 if way == "sliced" else 20_000)
    if way == "late":
        look_at_few_rows(monkeypatch)
    if way == "gathered":
        monkeypatch.setattr(task_list, "GATHERED_FROM", 0)
        monkeypatch.setattr(task_list, "walked", lambda *_: 1_000)
    models = await filled(store)
    target = await live(store, Tasks())
    chance = random.Random(way)  # noqa: S311 - the same choice each time
    for order in ORDERS:
        lanes = chance.choice([*LANES.values()])
        every = await in_pages(models, lanes, EVERY_TASK, order)
        for period in PERIODS.values():
            name, (beside, fits) = chance.choice([*BESIDE.items()])
            for asked in asked_times(period):
                times = {name: getattr(asked, name) for name in MEMBERS}
                models.queries.clear()

                found = await in_pages(models, lanes, replace(beside, **times), order)

                assert [one["key"] for one in found] == [
                    one["key"]
                    for one in every
                    if fits(one)
                    and all(is_within(times[name], one[told]) for name, told in MEMBERS.items())
                ], (order, lanes, name, asked)
                for query in models.queries[:1]:
                    assert "SCAN d" not in await store.explain(target, query)


@pytest.mark.parametrize("turned", [False, True])
async def test_in_the_order_of_a_time_a_period_is_two_ends_of_it(
    store: ReadStore, turned: bool
) -> None:
    models = await filled(store)
    period = PERIODS["some days"]
    for sort, wanted in (
        (TaskSort.NEWEST, TaskFilter(created=period)),
        (TaskSort.UPDATED, TaskFilter(updated=period)),
        (TaskSort.NEWEST, TaskFilter(created=period, priorities=(Priority.MEDIUM,))),
        (TaskSort.PRIORITY, TaskFilter(created=period, priorities=(Priority.MEDIUM,))),
    ):
        for lanes in LANES.values():
            models.queries.clear()

            found = await in_pages(models, lanes, wanted, TaskOrder(sort, turned))

            assert found
            assert all(map(nothing_else, models.queries))
            assert all(query.above and query.below for query in models.queries)


@pytest.mark.parametrize("opened_stores", ["sqlite"], indirect=True)
async def test_in_other_orders_the_index_of_a_time_tells_them_without_documents(
    store: ReadStore,
) -> None:
    await filled(store)
    target, period = await live(store, Tasks()), PERIODS["some days"]
    for order in ORDERS:
        for wanted in (TaskFilter(created=period), TaskFilter(updated=period)):
            plans = task_plans(ACME, Lane((ENG,)), wanted, order, PAGE)

            for query in plans.spanned:
                assert "USING COVERING INDEX" in await store.explain(target, query)


async def test_few_within_a_period_are_gathered_though_few_others_are_within_it(
    store: ReadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = await filled(store)
    wanted = TaskFilter(updated=Period(LATE[0]), assignees=(UserId(ANA),))

    async def sizes(queries: Sequence[Query]) -> list[int]:
        return [10 if each.gathers else 500 if each.span else 2_000 for each in queries]

    monkeypatch.setattr(models, "sizes", sizes)
    assert await in_pages(models, LANES["one project"], wanted, TaskOrder(TaskSort.RANK))

    assert models.queries
    assert all(query.gathers for query in models.queries)


@pytest.mark.parametrize(("most", "at_once"), [(LAST + 1, True), (5, False)])
async def test_not_too_many_tasks_are_walked_at_once_if_their_index_tells_what_is_compared(
    store: ReadStore, monkeypatch: pytest.MonkeyPatch, most: int, at_once: bool
) -> None:
    monkeypatch.setattr(task_list, "SPAN_MAX", -1)
    monkeypatch.setattr(task_list, "WALK_MAX", most)
    models = await filled(store)
    wanted = TaskFilter(created=PERIODS["from a day"], open=True)

    for lanes in (LANES["one project"], LANES["two projects"]):
        models.queries.clear()
        assert await in_pages(models, lanes, wanted, TaskOrder(TaskSort.RANK))

        assert {query.few for query in models.queries} == {at_once}


@pytest.mark.parametrize("order", [TaskOrder(TaskSort.RANK), TaskOrder(TaskSort.KEY)])
async def test_what_comes_late_in_an_order_is_put_in_order_also_when_it_is_asked_for_again(
    store: ReadStore, monkeypatch: pytest.MonkeyPatch, order: TaskOrder
) -> None:
    monkeypatch.setattr(task_list, "SPAN_MAX", -1)
    monkeypatch.setattr(task_list, "SIZE_MAX", -1)
    look_at_few_rows(monkeypatch)
    models, lane = await filled(store), Lane((ENG,), key="ENG")
    wanted = TaskFilter(updated=Period(LATE[LAST]))
    find: Any = find_tasks_by_key if order.sort is TaskSort.KEY else find_tasks
    asked = list[list[bool]]()
    for _ in range(2):
        models.queries.clear()
        page = await find(models, ACME, [lane], wanted, order, 20)
        asked.append([query.put_in_order for query in models.queries])
    monkeypatch.setattr(task_list, "WALK_MAX", 5)
    models.queries.clear()
    other = await find(models, ACME, [lane], replace(wanted, open=True), order, 20)

    assert page.size > PAGE
    assert asked == [[False, True], [True]]
    assert other.size > 0
    assert not any(query.put_in_order for query in models.queries)
