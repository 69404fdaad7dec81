"""What the read models are asked for a list of tasks: one query for each lane."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec.structs import replace

from domain.base import OrgId, ProjectId, UserId
from projections.base import text_of
from projections.engine.query import EITHER_MAX, LOOKUPS_MAX, Query
from projections.shape import Value
from projections.work.task_filter import (
    DueRanges,
    TaskFilter,
    facets_asked,
    marks_asked,
    values_asked,
)


class TaskSort(StrEnum):
    """What a list of tasks is sorted by; a ``-`` before it turns the order round."""

    NEWEST = "newest"
    UPDATED = "updated"
    PRIORITY = "priority"
    DUE = "due"
    RANK = "rank"
    KEY = "key"


_SORTED_BY = {
    TaskSort.NEWEST: ("id", True),
    TaskSort.UPDATED: ("changed", True),
    TaskSort.PRIORITY: ("urgency", True),
    TaskSort.DUE: ("due_order", False),
    TaskSort.RANK: ("place", False),
    TaskSort.KEY: ("number", False),
}
"""The sort key of each order, and whether it descends."""


class TaskOrder(NamedTuple):
    """The order of a list: newest, changed last, most urgent, due first, first rank or key first.

    Tasks of one priority come with the newest first, and those that are never due at the end. If
    it is ``turned``, all that is the other way round.
    """

    sort: TaskSort = TaskSort.NEWEST
    turned: bool = False

    @property
    def field(self) -> str:
        """The field with the sort key."""
        return _SORTED_BY[self.sort][0]

    @property
    def descending(self) -> bool:
        """Whether the highest sort key comes first."""
        return _SORTED_BY[self.sort][1] is not self.turned


NEWEST_FIRST, BY_KEY = TaskOrder(), TaskOrder(TaskSort.KEY)


class Lane(NamedTuple):
    """Projects and the statuses to list of them; None means any. ``key`` is that of the first.

    With a ``creator``, only what they created is listed.
    """

    projects: tuple[ProjectId, ...]
    statuses: tuple[str, ...] | None = None
    key: str = ""
    creator: UserId | None = None


def lanes_of(wanted: Sequence[tuple[ProjectId, tuple[str, ...] | None]]) -> list[Lane]:
    """Return the lanes of projects, given with the statuses to list of each: as few as can be."""
    if len(wanted) == 1:
        [(project, within)] = wanted
        return [Lane((project,), within)]
    alike: dict[tuple[str, ...] | None, list[ProjectId]] = {}
    for project_id, statuses in wanted:
        alike.setdefault(statuses, []).append(project_id)
    return [
        Lane(tuple(projects[at : at + EITHER_MAX]), statuses)
        for statuses, projects in alike.items()
        for at in range(0, len(projects), EITHER_MAX)
    ]


def behind(query: Query, after: Any, limit: int = 0) -> Query:
    """Return *query* for what comes behind a sort key; with *limit*, a page to be merged."""
    if limit:
        query = replace(query, limit=limit, keyed=True)
    if after is None:
        return query
    return replace(query, **{"below" if query.descending else "above": after})


def task_query(
    org_id: OrgId, lane: Lane, wanted: TaskFilter, order: TaskOrder, limit: int
) -> Query:
    """Return the query of the tasks of one lane."""
    made = _planned if wanted.among is None else _planned.__wrapped__  # it may name thousands
    return made(org_id, lane, wanted, order, limit)


@lru_cache(4_096)  # most lists are asked for again and again
def _planned(org_id: OrgId, lane: Lane, wanted: TaskFilter, order: TaskOrder, limit: int) -> Query:
    projects = [text_of(each) for each in lane.projects]
    where: dict[str, Value] = {"org": text_of(org_id), "deleted": wanted.hidden}
    divided = _divided(_of_lane(wanted, lane), lane.statuses or ())
    residual, first = dict(divided.residual), divided.indexed
    several = len(projects) > 1
    if wanted.among is not None:
        residual["project_id"] = projects
    elif not several:
        where["project_id"] = projects[0]
    due = wanted.due
    bounded = due is not None and order.sort is TaskSort.DUE
    if bounded and {*residual} == {"open"} and not first and wanted.among is None:
        where["open"] = residual.pop("open")
    return Query(
        model="tasks",
        where=where,
        either=("project_id", projects) if several and wanted.among is None else None,
        contains=None if not first else ("facets", first[0] if len(first) == 1 else first),
        apart=divided.apart,
        sort=order.field,
        descending=order.descending,
        limit=limit,
        above=due.low if bounded and due else None,
        below=due.high if bounded and due else None,
        residual=residual,
        holding=[("facets", group) for group in divided.others],
        within=None if due is None else ("due", due.ranges),
        among=wanted.among,
    )


class _Divided(NamedTuple):
    """A filter as the query says it: what the index answers, and by what its rows are filtered."""

    indexed: list[str]
    """Facets, of which a task has one."""
    apart: bool
    """Whether no task has two of those."""
    residual: Mapping[str, Value]
    others: list[list[str]]
    """Facets, of each of which a task has one."""


def _divided(wanted: TaskFilter, statuses: Sequence[str]) -> _Divided:
    """Return *wanted* divided: the index answers one filter, if there is one that it can.

    Rather whom or what a task names than what it is, which more tasks have in common.
    """
    residual = dict(values_asked(wanted, statuses))
    groups = [group for group in facets_asked(wanted) if group]
    if wanted.among is not None:  # which the index of ids answers
        return _Divided([], apart=False, residual=residual, others=groups)
    if groups and not wanted.trashed:
        first = min(groups, key=len)
        others = [group for group in groups if group is not first]
        return _Divided(first, apart=False, residual=residual, others=others)
    marked = {field: marks_asked(field, value) for field, value in residual.items()}
    field = min(
        (each for each in marked if marked[each]), key=lambda each: len(marked[each]), default=""
    )
    residual.pop(field, None)
    if field == "trashed":
        del residual["purged"]
    return _Divided(marked.get(field, []), apart=True, residual=residual, others=groups)


def spanning(query: Query, due: DueRanges | None) -> Query | None:
    """Return *query* as one of the tasks that are due within a span, put in the order of the list.

    None if tasks are not asked for by when they are due alone, or in that order.
    """
    if due is None or query.sort == "due_order" or query.among is not None:
        return None
    if query.contains or query.holding or {*query.residual} - {"open"}:
        return None
    where = {**query.where, **query.residual}
    return replace(query, where=where, residual={}, span=("due_order", due.low, due.high))


def narrowed(lanes: Sequence[Lane], wanted: TaskFilter) -> Iterator[Lane]:
    """Yield *lanes* divided into such that a query of each begins at few enough places."""
    for lane in lanes:
        if len(lane.projects) == 1:  # there is nothing to divide
            yield lane
            continue
        places = len(_divided(_of_lane(wanted, lane), lane.statuses or ()).indexed)
        many = min(EITHER_MAX, LOOKUPS_MAX // max(places, 1))
        for at in range(0, len(lane.projects), many):
            yield lane._replace(projects=lane.projects[at : at + many])


def _of_lane(wanted: TaskFilter, lane: Lane) -> TaskFilter:
    """Return *wanted* of the tasks of one lane."""
    return wanted if lane.creator is None else replace(wanted, creators=(lane.creator,))
