"""A filter that few of many tasks match looks at those, in every order, and at no others."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from domain.base import ProjectId, UserId
from domain.work.task.events import Priority, TaskSchedule, TaskScheduled, TaskStatus
from eventstore.engine.sqlite.driver import connect
from eventstore.memory import MemoryStore
from projections.engine.find import ReadModels
from projections.engine.progress import Progress
from projections.engine.query import ListSlice
from projections.engine.sqlite.keeping import page_statement
from projections.engine.sqlite.store import SQLiteReadStore
from projections.engine.store import ReadStore
from projections.work.task import Tasks
from projections.work.task_filter import TaskFilter
from projections.work.task_list import find_tasks, find_tasks_by_key
from projections.work.task_query import Lane, TaskOrder, TaskSort
from projections.work.times.period import Period
from tests.commands.acme import task
from tests.domain.spec import ACME, ANA, BEN, DAY, ENG, NOW, stepped
from tests.projections.engine.test_find import Asked
from tests.projections.spec import live, models_of, project_all
from tests.projections.task_lists import ALONE, LATE, ORDERS, ask_by_one_filter
from tests.spec import on, opened, record

RARE = 10
EVERYWHERE = Lane((ENG,))
LONG_AGO = Period(None, NOW + (RARE + 1) * DAY)
SPARSE = {
    "status": (Lane((ENG,), (TaskStatus.IN_PROGRESS, TaskStatus.DONE)), TaskFilter()),
    "priority": (EVERYWHERE, TaskFilter(priorities=(Priority.URGENT, Priority.HIGH))),
    "creator": (EVERYWHERE, TaskFilter(creators=(UserId(BEN),))),
    "overdue": (EVERYWHERE, TaskFilter(open=True, due=LATE)),
    "blocked": (EVERYWHERE, TaskFilter(blocked=True)),
    "common and rare": (
        EVERYWHERE,
        TaskFilter(watchers=(UserId(ANA), UserId(BEN)), priorities=(Priority.URGENT,)),
    ),
    "rare and rare": (
        Lane((ENG,), (TaskStatus.IN_PROGRESS,)),
        TaskFilter(blocked=False, creators=(UserId(BEN),), priorities=(Priority.URGENT,)),
    ),
    "overdue and rare": (EVERYWHERE, TaskFilter(open=True, due=LATE, creators=(UserId(BEN),))),
    "overdue and common": (EVERYWHERE, TaskFilter(open=True, due=LATE, blocked=False)),
    "created": (EVERYWHERE, TaskFilter(created=LONG_AGO)),
    "created and common": (EVERYWHERE, TaskFilter(created=LONG_AGO, blocked=False)),
    "created and rare": (EVERYWHERE, TaskFilter(created=LONG_AGO, creators=(UserId(BEN),))),
    "never due": (EVERYWHERE, TaskFilter(lacking=("due",))),
    "never due and common": (EVERYWHERE, TaskFilter(lacking=("due",), creators=(UserId(ANA),))),
    "without a label and rare": (
        EVERYWHERE,
        TaskFilter(lacking=("label", "cycle"), priorities=(Priority.URGENT,)),
    ),
    "never together": (
        EVERYWHERE,
        TaskFilter(creators=(UserId(ANA),), priorities=(Priority.URGENT,)),
    ),
}
"""Filters that ``RARE`` of the tasks match; those of ``NONE`` match none."""
NONE = ("blocked", "never due", "never due and common", "never together")


async def fill(store: ReadStore, many: int) -> ReadModels:
    """Store *many* tasks, of which the first few are in each way unlike the others."""
    async with opened(MemoryStore()) as log:
        for n in range(1, many + 1):
            made = replace(task(n), created_at=NOW + n * DAY, created_by=ANA)
            if n <= RARE:
                made = replace(made, priority=Priority.URGENT, created_by=BEN)
            due = NOW + (n - 30 if n <= RARE else n) * DAY
            planned = TaskScheduled(from_=TaskSchedule(), to=TaskSchedule(due_date=due.date()))
            moved = [stepped(TaskStatus.TODO, TaskStatus.IN_PROGRESS)] if n <= RARE else []
            await record(log, on(UUID(int=10_000 + n), made, planned, *moved))
        await (await project_all(log, store, [Tasks()])).release()
    return models_of(store, [Tasks()])


async def page(
    models: ReadModels, lanes: list[Lane], wanted: TaskFilter, order: TaskOrder, after: Any = None
) -> ListSlice:
    find: Any = find_tasks_by_key if order.sort is TaskSort.KEY else find_tasks
    found: ListSlice = await find(models, ACME, lanes, wanted, order, 4, after)
    return found


async def test_no_filter_alone_passes_over_tasks_in_any_order(store: ReadStore) -> None:
    await fill(store, 1)
    (models := Asked(store, Progress(store), [Tasks()])).queries = []

    await ask_by_one_filter(models)

    assert len(models.queries) == len(ORDERS) * (len(ALONE) + 2)
    assert not [query for query in models.queries if query.filters]


async def test_what_tasks_lack_is_asked_for_in_many_projects_in_pieces(store: ReadStore) -> None:
    await fill(store, 30)
    (models := Asked(store, Progress(store), [Tasks()])).queries = []
    projects = (*(ProjectId(UUID(int=70_000 + n)) for n in range(300)), ENG)

    found = await page(models, [Lane(projects)], TaskFilter(lacking=("label",)), TaskOrder())
    urgent = TaskFilter(lacking=("label",), priorities=(Priority.MEDIUM,))
    by_priority = await page(models, [Lane(projects)], urgent, TaskOrder(TaskSort.PRIORITY))

    assert found.size == by_priority.size == 4
    assert len(models.queries) > 4
    assert not [query for query in models.queries if query.filters]


async def test_pages_of_a_sparse_filter_are_what_matches_each_once(store: ReadStore) -> None:
    models = await fill(store, 60)

    for name, (lane, wanted) in SPARSE.items():
        for order in ORDERS:
            numbers, after = list[int](), None
            for _ in range(RARE):
                some = await page(models, [lane], wanted, order, after)
                numbers += [json.loads(item)["number"] for item in some.items]
                after = some.next_key
                if after is None:
                    break
            expected = [] if name in NONE else [*range(1, RARE + 1)]
            assert sorted(numbers) == expected, (name, order)


async def test_sqlite_takes_as_many_steps_for_few_of_many_tasks_as_for_few_of_few(
    tmp_path: Path,
) -> None:
    few, many = await _steps(tmp_path / "few.db", 240), await _steps(tmp_path / "many.db", 800)

    assert len(few) == len(SPARSE) * len(ORDERS)
    assert {key: taken for key, taken in many.items() if taken > few[key] + 10} == {}


async def _steps(file: Path, tasks: int) -> dict[tuple[str, TaskOrder], int]:
    """Return how many instructions SQLite runs for each sparse list of that many tasks.

    It takes more than one for every row of an index that is passed over.
    """
    store = SQLiteReadStore(file, timeout_s=5)
    await fill(store, tasks)
    target, found = await live(store, Tasks()), dict[tuple[str, TaskOrder], int]()
    for name, (lane, wanted) in SPARSE.items():
        for order in ORDERS:
            (models := Asked(store, Progress(store), [Tasks()])).queries = []
            await page(models, [lane], wanted, order)
            statements = [page_statement(target, query)[:2] for query in models.queries]
            found[name, order] = sum(_instructions(file, *each) for each in statements)
    await store.close()
    return found


def _instructions(file: Path, statement: str, parameters: list[Any]) -> int:
    counted = 0

    def count() -> bool:
        nonlocal counted
        counted += 1
        return False

    with closing(connect(file)) as connection:
        connection.set_progress_handler(count, 1)
        connection.execute(statement, parameters).fetchall()
    return counted


async def test_a_choice_in_many_projects_is_asked_for_in_pieces_that_an_index_answers(
    store: ReadStore,
) -> None:
    await fill(store, 30)
    (models := Asked(store, Progress(store), [Tasks()])).queries = []
    projects = (*(ProjectId(UUID(int=70_000 + n)) for n in range(300)), ENG)
    wanted = TaskFilter(
        watchers=(*(UserId(UUID(int=n)) for n in (1, 2, 3)), UserId(ANA), UserId(BEN))
    )

    found = await page(models, [Lane(projects)], wanted, TaskOrder())

    assert found.size == 4
    assert len(models.queries) > 1
    assert not [query for query in models.queries if query.filters]
