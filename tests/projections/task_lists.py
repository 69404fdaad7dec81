"""Every query of the lists of tasks: each filter, each order, one project or several."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from domain.base import CycleId, LabelId, MilestoneId, ProjectId, TaskId, UserId
from domain.work.task.events import Priority
from projections.base import document_id
from projections.engine.find import ReadModels
from projections.work.task_filter import DueRanges, TaskFilter
from projections.work.task_list import find_tasks, find_tasks_by_key
from projections.work.task_query import NEWEST_FIRST, Lane, TaskOrder, TaskSort
from projections.work.times.period import Period
from tests.domain.spec import ACME, ANA, BEN, DAY, ENG, NOW, TASK

OPS = ProjectId(UUID(int=22))
FILTERS = (
    TaskFilter(),
    TaskFilter(priorities=(Priority.LOW,)),
    TaskFilter(priorities=(Priority.LOW, Priority.MEDIUM)),
    TaskFilter(assignees=(UserId(ANA),)),
    TaskFilter(assignees=(UserId(ANA), UserId(BEN))),
    TaskFilter(labels=(LabelId(TASK),), assignees=(UserId(BEN),)),
    TaskFilter(parents=(TaskId(TASK),)),
    TaskFilter(lacking=("parent", "due"), assignees=(None, UserId(BEN))),
    TaskFilter(lacking=("cycle",)),
    TaskFilter(watchers=(UserId(BEN),), priorities=(Priority.MEDIUM,)),
    TaskFilter(creators=(UserId(ANA),)),
    TaskFilter(cycles=(CycleId(TASK),)),
    TaskFilter(cycles=(CycleId(TASK),), milestones=(MilestoneId(TASK), MilestoneId(ENG))),
    TaskFilter(watchers=(UserId(ANA), UserId(BEN)), labels=(LabelId(TASK), LabelId(ENG))),
    TaskFilter(blocked=True),
    TaskFilter(blocked=False, open=True),
    TaskFilter(hidden=True),
    TaskFilter(hidden=True, trashed=True, creators=(UserId(ANA),), labels=(LabelId(TASK),)),
    TaskFilter(among=[document_id(ACME, UUID(int=5_000 + n)) for n in range(0, 24, 3)]),
    TaskFilter(among=[document_id(ACME, TASK)], assignees=(UserId(ANA), UserId(BEN)), blocked=True),
    TaskFilter(among=()),
)
IN_MARCH = DueRanges((("2026-03-01", "2026-03-08"), ("2026-03-09T24", "2026-03-09T25")))
LATE = DueRanges((("", "2026-03-01"),))
ALONE = (
    TaskFilter(),
    TaskFilter(priorities=(Priority.LOW,)),
    TaskFilter(priorities=(Priority.LOW, Priority.MEDIUM)),
    TaskFilter(assignees=(UserId(BEN),)),
    TaskFilter(labels=(LabelId(TASK),)),
    TaskFilter(parents=(TaskId(TASK),)),
    TaskFilter(watchers=(UserId(ANA),)),
    TaskFilter(creators=(UserId(ANA),)),
    TaskFilter(cycles=(CycleId(TASK),)),
    TaskFilter(milestones=(MilestoneId(TASK),)),
    TaskFilter(assignees=(None,)),
    TaskFilter(lacking=("label",)),
    TaskFilter(blocked=True),
    TaskFilter(hidden=True, trashed=True),
)
"""One filter each that compares equal values; by statuses, lanes do."""
DUE = (TaskFilter(due=IN_MARCH), TaskFilter(due=LATE, open=True))
"""Filters by when tasks are due: in another order, the few that are due are put in it."""
TIMES = (
    TaskFilter(created=Period(NOW + 3 * DAY, NOW + 9 * DAY), updated=Period(NOW - DAY, NOW)),
    TaskFilter(created=Period(None, NOW + 9 * DAY), open=True, labels=(LabelId(TASK),)),
    TaskFilter(updated=Period(NOW, None), due=IN_MARCH, assignees=(UserId(BEN),)),
    TaskFilter(completed=Period(NOW - DAY, NOW + DAY)),
    TaskFilter(completed=Period(NOW - DAY, None), lacking=("label",), updated=Period(NOW, None)),
)
"""Filters by when something happened to tasks."""
LANES = (
    [Lane((ENG,))],
    [Lane((ENG,), ("TODO",))],
    [Lane((ENG, OPS), ("TODO", "DONE"))],
    [Lane((ENG,), ("TODO",)), Lane((OPS,), ("DONE",), creator=UserId(ANA))],
)
SOONEST = TaskOrder(TaskSort.DUE)
ORDERS = [TaskOrder(sort, turned) for sort in TaskSort for turned in (False, True)]


def behind(order: TaskOrder) -> Iterator[Any]:
    """Yield no sort key, and one of the field that a list is sorted by."""
    yield None
    yield 20 if order.field == "number" else "2026"


async def ask_task_lists(models: ReadModels) -> None:
    """Send every query, for a first page and for a later one.

    Each filter in one order, and each that is alone in every order.
    """
    await ask_by_one_filter(models)
    asked = [(order, wanted) for order in ORDERS for wanted in (FILTERS[0], FILTERS[3])]
    asked += [(order, wanted) for order in ORDERS for wanted in DUE]
    asked += [(order, TIMES[n % len(TIMES)]) for n, order in enumerate(ORDERS)]
    asked += [(NEWEST_FIRST, wanted) for wanted in FILTERS]
    asked.append((SOONEST, FILTERS[-5]))
    for order, wanted in asked:
        for lanes in LANES:
            if order.sort is TaskSort.KEY:
                alone = [Lane((each,)) for lane in lanes for each in lane.projects]
                await find_tasks_by_key(models, ACME, alone, wanted, order, 3)
                continue
            for after in behind(order):
                await find_tasks(models, ACME, lanes, wanted, order, 3, after)


async def ask_by_one_filter(models: ReadModels) -> None:
    """Send the queries of one project's tasks by each filter alone, in every order."""
    for order in ORDERS:
        find: Any = find_tasks_by_key if order.sort is TaskSort.KEY else find_tasks
        for wanted in ALONE:
            await find(models, ACME, LANES[0], wanted, order, 3)
        for statuses in (("TODO",), ("TODO", "DONE")):
            await find(models, ACME, [Lane((ENG,), statuses)], TaskFilter(), order, 3)
