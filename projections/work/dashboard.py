"""Queries of a dashboard: the tasks of several projects that matter most to one person now."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from domain.base import OrgId, ProjectId, UserId
from projections.base import exact_time, text_of
from projections.engine.find import ReadModels
from projections.engine.query import EITHER_MAX, ListSlice, Query
from projections.shape import Value
from projections.work.due_between import due_between
from projections.work.task_filter import DueRanges, TaskFilter
from projections.work.task_keys import DUE_AT, DUE_ON
from projections.work.task_list import find_tasks
from projections.work.task_query import TaskOrder, TaskSort, lanes_of

TASKS_SHOWN_MAX = 10
"""How many tasks each part of a dashboard shows."""
SOON = timedelta(days=7)
"""How many days after today a task is due soon."""


class Now(NamedTuple):
    """A moment and the time zone in which days begin and end."""

    at: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The day that it is in the zone."""
        return self.at.astimezone(self.zone).date()

    def end_of(self, day: date) -> datetime:
        """Return when *day* ends; of the last day of the calendar, the last moment there is."""
        if day == date.max:
            return datetime.max.replace(tzinfo=self.at.tzinfo)
        return datetime.combine(day + timedelta(days=1), time(), self.zone).astimezone(
            self.at.tzinfo
        )


class TaskOverview(NamedTuple):
    """The JSON of tasks: due soon, changed last, and open tasks of one person."""

    due_soon: list[bytes]
    recent: list[bytes]
    mine: list[bytes]


async def overview_of(
    models: ReadModels, org_id: OrgId, projects: Sequence[ProjectId], user_id: UserId, now: Now
) -> TaskOverview:
    """Return the tasks of *projects* to show *user_id*, at most ``TASKS_SHOWN_MAX`` of each kind.

    What is due soon, and what is assigned, is found across all projects, of which those that are
    not asked for are left out; what was changed last is read of each project. More projects than
    one query can choose from are asked about by several.
    """
    if not projects:
        return TaskOverview([], [], [])
    due = [await models.page(query) for query in _due_queries(org_id, projects, now)]
    mine = await models.page(_assigned(org_id, projects, user_id))
    recent = await models.pages(*_recent_queries(org_id, projects))
    return TaskOverview(
        [item for _, item in sorted(_due(due, now))[:TASKS_SHOWN_MAX]],
        _newest(recent),
        _newest([mine]),
    )


async def due_soon_of(
    models: ReadModels, org_id: OrgId, projects: Sequence[ProjectId], user_id: UserId, now: Now
) -> list[bytes]:
    """Return open tasks of *projects*, assigned to somebody, due today or within ``SOON``.

    The next one first, at most ``TASKS_SHOWN_MAX``.
    """
    wanted = TaskFilter(assignees=(user_id,), open=True, due=_soon(now))
    order, lanes = TaskOrder(TaskSort.DUE), lanes_of([(each, None) for each in projects])
    found = await find_tasks(models, org_id, lanes, wanted, order, TASKS_SHOWN_MAX)
    return found.items


def _soon(now: Now) -> DueRanges:
    """Return what is due from now on, or on a day from today on, within ``SOON``."""
    last = now.today + SOON
    after, at, end = last + timedelta(days=1), exact_time(now.at), exact_time(now.end_of(last))
    return due_between(now.today, after, at, end)


def _unfinished(org_id: OrgId, projects: Sequence[ProjectId], sort: str) -> Query:
    """Return the query of the open tasks of *projects*, of which others are left out."""
    return Query(
        model="tasks",
        where={"org": text_of(org_id), "deleted": False, "open": True},
        residual={"project_id": [text_of(each) for each in projects]},
        sort=sort,
        limit=TASKS_SHOWN_MAX,
        keyed=True,
    )


def _due_queries(org_id: OrgId, projects: Sequence[ProjectId], now: Now) -> Iterator[Query]:
    """Yield the queries of the tasks due soon: on a day, and at a time."""
    due, last = _unfinished(org_id, projects, "due"), now.today + SOON
    yield replace(due, above=f"{DUE_ON}{now.today}", below=f"{DUE_ON}{last + timedelta(days=1)}")
    end = exact_time(now.end_of(last))
    yield replace(due, above=f"{DUE_AT}{exact_time(now.at)}", below=f"{DUE_AT}{end}")


def _assigned(org_id: OrgId, projects: Sequence[ProjectId], user_id: UserId) -> Query:
    """Return the query of the open tasks of somebody, those changed last first."""
    mine = _unfinished(org_id, projects, "changed")
    return replace(mine, contains=("assignees", text_of(user_id)), descending=True)


def _recent_queries(org_id: OrgId, projects: Sequence[ProjectId]) -> Iterator[Query]:
    """Yield the queries of the tasks changed last."""
    for at in range(0, len(projects), EITHER_MAX):
        some = projects[at : at + EITHER_MAX]
        where: dict[str, Value] = {"org": text_of(org_id), "deleted": False}
        yield Query(
            model="tasks",
            where=where,
            either=("project_id", [text_of(each) for each in some]),
            sort="changed",
            descending=True,
            limit=TASKS_SHOWN_MAX,
            keyed=True,
        )


def _due(found: Sequence[ListSlice], now: Now) -> Iterator[tuple[Any, bytes]]:
    """Yield tasks with the moment at which each is due: on a day means until it ends."""
    for page in found:
        for key, item in zip(page.keys, page.items, strict=True):
            when, _, task = key[1:].partition("!")
            is_day = key.startswith(DUE_ON)
            due = now.end_of(date.fromisoformat(when)) if is_day else datetime.fromisoformat(when)
            yield (due, task), item


def _newest(found: Sequence[ListSlice]) -> list[bytes]:
    keyed = [each for page in found for each in zip(page.keys, page.items, strict=True)]
    return [item for _, item in sorted(keyed, reverse=True)[:TASKS_SHOWN_MAX]]
