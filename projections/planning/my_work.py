"""Queries of somebody's own work: the open tasks of several projects that concern one person."""

from enum import StrEnum

from domain.base import OrgId, ProjectId, UserId
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice
from projections.work.due_between import WHENEVER
from projections.work.task_filter import TaskFilter
from projections.work.task_list import find_tasks
from projections.work.task_query import TaskOrder, TaskSort, lanes_of


class Concern(StrEnum):
    """Why an open task concerns somebody."""

    ASSIGNED = "assigned"
    CREATED = "created"
    WATCHED = "watched"
    DUE = "due"


_CHANGED_LAST, _DUE_FIRST = TaskOrder(TaskSort.UPDATED), TaskOrder(TaskSort.DUE)


async def work_of(  # noqa: PLR0913, PLR0917 - whose work, where, and the page
    models: ReadModels,
    org_id: OrgId,
    projects: list[ProjectId],
    user_id: UserId,
    concern: Concern,
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
) -> ListSlice:
    """Return open tasks of *projects* that concern somebody, those behind the sort key *after*.

    Those changed last come first. ``DUE`` are the assigned ones that have a date, the first to be
    done first.
    """
    lanes = lanes_of([(each, None) for each in projects])
    order = _DUE_FIRST if concern is Concern.DUE else _CHANGED_LAST
    return await find_tasks(models, org_id, lanes, _filter(concern, user_id), order, limit, after)


def _filter(concern: Concern, user_id: UserId) -> TaskFilter:
    match concern:
        case Concern.ASSIGNED:
            return TaskFilter(assignees=(user_id,), open=True)
        case Concern.CREATED:
            return TaskFilter(creators=(user_id,), open=True)
        case Concern.WATCHED:
            return TaskFilter(watchers=(user_id,), open=True)
        case Concern.DUE:
            return TaskFilter(assignees=(user_id,), open=True, due=WHENEVER)
