"""Lists of tasks: of one project or several, filtered, in any of their orders."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from msgspec.structs import replace

from domain.base import OrgId, ProjectId, UserId
from projections.base import text_of
from projections.engine.find import PAGE_DEFAULT, SLICES_MAX, ReadModels
from projections.engine.query import EITHER_MAX, LOOKUPS_MAX, ListSlice, Query, list_slice
from projections.shape import Value
from projections.work.task_filter import EVERY_TASK, TaskFilter, facets_asked, values_asked

LANES_MAX = 50
"""Projects that one page by key looks into; if most are empty, it is shorter and yet has a next."""


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


async def find_tasks(  # noqa: PLR0913, PLR0917 - the list, its filter and its page
    models: ReadModels,
    org_id: OrgId,
    lanes: Sequence[Lane],
    wanted: TaskFilter = EVERY_TASK,
    order: TaskOrder = NEWEST_FIRST,
    limit: int = PAGE_DEFAULT,
    after: Any = None,
) -> ListSlice:
    """Return tasks of all *lanes* in one order, those behind the sort key *after*."""
    queries = [_query(org_id, lane, wanted, order, limit) for lane in lanes]
    if len(queries) == 1:
        return await models.page(_behind(queries[0], after))
    items: list[bytes] = []
    for _ in range(SLICES_MAX):
        if not queries:
            break
        asked = [_behind(query, after, limit - len(items)) for query in queries]
        found, after = merged(await models.pages(*asked), limit - len(items), order.descending)
        items += found
        if after is None or len(items) == limit:
            break
    return list_slice(items, after)


async def find_tasks_by_key(  # noqa: PLR0913, PLR0917 - the list, its filter and its page
    models: ReadModels,
    org_id: OrgId,
    lanes: Sequence[Lane],
    wanted: TaskFilter = EVERY_TASK,
    order: TaskOrder = BY_KEY,
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
) -> ListSlice:
    """Return tasks in the order of their keys, those behind *after*.

    Each lane is one project, in the order of their keys. The sort key names a project and a number
    in it, because a project's key may change.
    """
    rows: list[tuple[str, bytes]] = []
    next_key: str | None = None
    ahead = _lanes_behind(lanes, order, after)
    for lane, number in islice(ahead, LANES_MAX):
        query = _query(org_id, lane, wanted, order, limit + 1 - len(rows))
        found = await models.page(replace(_behind(query, number), keyed=True))
        keys = [_key_in(lane, each) for each in found.keys]
        rows += zip(keys, found.items, strict=True)
        if found.next_key is not None or len(rows) > limit:
            next_key = _key_in(lane, found.next_key)
            break
    else:
        beyond = next(ahead, None)
        next_key = None if beyond is None else _key_in(beyond[0], None)
    if len(rows) > limit:
        next_key = rows[limit - 1][0]
    return list_slice([item for _, item in rows[:limit]], next_key)


async def tasks_of_project(  # noqa: PLR0913, PLR0917 - the list, its filter and its page
    models: ReadModels,
    org_id: OrgId,
    project_id: ProjectId,
    wanted: TaskFilter = EVERY_TASK,
    limit: int = PAGE_DEFAULT,
    below: int | None = None,
) -> ListSlice:
    """Return tasks of a project with numbers below *below*, the highest first."""
    order = TaskOrder(TaskSort.KEY, turned=True)
    return await models.page(
        _behind(_query(org_id, Lane((project_id,)), wanted, order, limit), below)
    )


def _lanes_behind(
    lanes: Sequence[Lane], order: TaskOrder, after: str | None
) -> Iterator[tuple[Lane, int | None]]:
    """Yield the lanes behind *after*, each with the number in it to continue after."""
    ordered = [*reversed(lanes)] if order.turned else [*lanes]
    if after is None:
        yield from ((lane, None) for lane in ordered)
        return
    number, key, project = after.split(":")
    here = next((n for n, lane in enumerate(ordered) if text_of(lane.projects[0]) == project), None)
    if here is not None:
        yield ordered[here], int(number) if number else None
        yield from ((lane, None) for lane in ordered[here + 1 :])
        return
    # The project is gone meanwhile, or no longer visible.
    behind = (lane for lane in ordered if (lane.key < key if order.turned else lane.key > key))
    yield from ((lane, None) for lane in behind)


def _key_in(lane: Lane, number: int | None) -> str:
    """Return the sort key of a task by its number in the project of a lane; None: of its first."""
    return f"{'' if number is None else number}:{lane.key}:{text_of(lane.projects[0])}"


def merged(pages: Sequence[ListSlice], limit: int, descending: bool) -> tuple[list[bytes], Any]:
    """Return the first items of all *pages* and the sort key behind which there are more.

    A page that has a next key says nothing of what is behind it.
    """
    ends = [page.next_key for page in pages if page.next_key is not None]
    end = (max if descending else min)(ends) if ends else None
    rows = [
        (key, item)
        for page in pages
        for key, item in zip(page.keys, page.items, strict=True)
        if end is None or (key >= end if descending else key <= end)
    ]
    rows.sort(reverse=descending)
    if len(rows) > limit:
        end = rows[limit - 1][0]
    return [item for _, item in rows[:limit]], end


def _behind(query: Query, after: Any, limit: int = 0) -> Query:
    """Return *query* for what comes behind a sort key; with *limit*, a page to be merged."""
    if limit:
        query = replace(query, limit=limit, keyed=True)
    if after is None:
        return query
    return replace(query, **{"below" if query.descending else "above": after})


def _query(org_id: OrgId, lane: Lane, wanted: TaskFilter, order: TaskOrder, limit: int) -> Query:
    """Return the query of the tasks of one lane."""
    made = _planned if wanted.among is None else _planned.__wrapped__  # it may name thousands
    return made(org_id, lane, wanted, order, limit)


@lru_cache(4_096)  # most lists are asked for again and again
def _planned(org_id: OrgId, lane: Lane, wanted: TaskFilter, order: TaskOrder, limit: int) -> Query:
    projects = [text_of(each) for each in lane.projects]
    where: dict[str, Value] = {"org": text_of(org_id), "deleted": wanted.hidden}
    residual = dict(values_asked(_of_lane(wanted, lane), lane.statuses or ()))
    groups = [group for group in facets_asked(wanted) if group]
    # The index answers one choice of facets; other filters are applied to its rows.
    few = (group for group in groups if len(group) * len(projects) <= LOOKUPS_MAX)
    first = min(few, key=len, default=None)
    several = len(projects) > 1
    if wanted.among is not None:  # which the index of ids answers
        first = None
        residual["project_id"] = projects
    elif not several:
        where["project_id"] = projects[0]
    due = wanted.due
    bounded = due is not None and order.sort is TaskSort.DUE
    return Query(
        model="tasks",
        where=where,
        either=("project_id", projects) if several and wanted.among is None else None,
        contains=None if first is None else ("facets", first[0] if len(first) == 1 else first),
        sort=order.field,
        descending=order.descending,
        limit=limit,
        above=due.low if bounded and due else None,
        below=due.high if bounded and due else None,
        residual=residual,
        holding=[("facets", group) for group in groups if group is not first],
        within=None if due is None else ("due", due.ranges),
        among=wanted.among,
    )


def _of_lane(wanted: TaskFilter, lane: Lane) -> TaskFilter:
    """Return *wanted* of the tasks of one lane."""
    return wanted if lane.creator is None else replace(wanted, creators=(lane.creator,))
