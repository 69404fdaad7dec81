"""What the read models are asked for a list of tasks: one query for each lane."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from domain.base import OrgId, ProjectId, UserId
from projections.base import text_of
from projections.engine.query import EITHER_MAX, Query
from projections.shape import Value
from projections.work.task_filter import (
    FacetGroup,
    FilterSpan,
    TaskFilter,
    compared_beside,
    completed_compared,
    entered,
    facets_asked,
    spans_asked,
    told_in_sketches,
)
from projections.work.task_keys import lacking, mark, urgent
from projections.work.times.period import COMPLETED


class TaskSort(StrEnum):
    """What a list of tasks is sorted by; a ``-`` before it turns the order round."""

    NEWEST = "newest"
    UPDATED = "updated"
    PRIORITY = "priority"
    DUE = "due"
    RANK = "rank"
    KEY = "key"


_SORTED_BY = {
    TaskSort.NEWEST: ("created", True),
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


def nearest(order: TaskOrder, wanted: TaskFilter) -> TaskOrder:
    """Return the order that is the same for *wanted* tasks, and has fewest others between them.

    In that of priorities, the tasks with one priority stand together in the order of creation.
    """
    is_part = order.sort is TaskSort.NEWEST and len(wanted.priorities) == 1
    return order._replace(sort=TaskSort.PRIORITY) if is_part else order


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
    return query if after is None else query.behind(after)


class Gathered(NamedTuple):
    """A query that puts tasks in order of what one group of facets finds within a span.

    ``found`` is the same without what is compared beside.
    """

    query: Query
    found: Query


class Plans(Struct, frozen=True, eq=False):
    """Queries that all find the same tasks, in the same order.

    Each of ``walks`` lets the index answer another one of the filters, and compares the others.
    ``short`` are the same for an index that is known to find few tasks. ``gathered`` put in order
    what each of these indexes finds within a span of times or priorities. Each of ``spanned`` puts
    those in order that are within a span of another order of times; they are not compared with what
    they lack or with ranges. Each of ``ranged`` puts those in order whose values in one custom
    field are within ranges, or that were completed in a period.
    """

    walks: Sequence[Query]
    short: Sequence[Query]
    gathered: Sequence[Sequence[Gathered]]
    spanned: Sequence[Query] = ()
    ranged: Sequence[Query] = ()


def task_plans(
    org_id: OrgId, lane: Lane, wanted: TaskFilter, order: TaskOrder, limit: int
) -> Plans:
    """Return the queries of which one is asked for the tasks of one lane."""
    made = _planned if wanted.among is None else _planned.__wrapped__  # it may name thousands
    return made(org_id, lane, wanted, order, limit)


@lru_cache(4_096)  # most lists are asked for again and again
def _planned(org_id: OrgId, lane: Lane, wanted: TaskFilter, order: TaskOrder, limit: int) -> Plans:
    projects = [text_of(each) for each in lane.projects]
    where: dict[str, Value] = {"org": text_of(org_id), "deleted": wanted.hidden}
    residual: dict[str, Value] = {} if wanted.open is None else {"open": wanted.open}
    order = nearest(order, wanted)
    low, high, compared = _bounded(wanted, order)
    groups = groups_of(compared, lane)
    lacks = lacking(wanted.lacking) if wanted.lacking else []
    several = len(projects) > 1
    if wanted.among is not None:
        residual |= {"project_id": projects} | ({"lacks": lacks} if lacks else {})
    elif not several:
        where["project_id"] = projects[0]
    bounded = wanted.due is not None and order.sort is TaskSort.DUE
    alone = not (groups or lacks or wanted.ranges) and wanted.among is None
    if bounded and {*residual} == {"open"} and alone:
        where["open"] = residual.pop("open")
    query = Query(
        model="tasks",
        where=where,
        either=("project_id", projects) if several and wanted.among is None else None,
        sort=order.field,
        descending=order.descending,
        limit=limit,
        above=low,
        below=high,
        residual=residual,
        holding=[("facets", group.facets) for group in groups],
        within=compared_beside(compared, order.field),
        entered=entered(wanted),
        among=wanted.among,
    )
    if wanted.among is not None:  # the index of ids answers
        return Plans([query], [query], [[]])
    alone = not (lacks or wanted.ranges)
    spanned = [*_spanning(query, compared)] if alone else []
    walks = _walks(query, groups, lacks)
    short = [replace(walk, few=True) for walk in walks]
    gathered = [[*map(_as_gathered, _gathering(walk, compared))] for walk in walks]
    return Plans(walks, short, gathered, spanned, [*_ranged(query, wanted, lacks)])


def _as_gathered(query: Query) -> Gathered:
    return Gathered(query, replace(query, residual={}, holding=(), within=(), entered=()))


def _ranged(query: Query, wanted: TaskFilter, lacks: Sequence[str]) -> Iterator[Query]:
    """Yield *query* as one of each name whose entries an index answers, the others compared."""
    if lacks:
        query = replace(query, residual={**query.residual, "lacks": [*lacks]})
    for at, each in enumerate(query.entered):
        if not each.texts:
            rest = [*query.entered[:at], *query.entered[at + 1 :]]
            found = replace(query, contains=(each.field, each.name), entered=rest)
            yield replace(found, between=each.ranges)
    if (period := wanted.completed) is not None:
        told = completed_compared(wanted)
        within = [each for each in query.within if each not in told]
        found = replace(query, contains=("ordered", COMPLETED), within=within)
        yield replace(found, between=[period.entries])


def _walks(query: Query, groups: Sequence[FacetGroup], lacks: Sequence[str]) -> list[Query]:
    """Return *query* led by each of the groups and by what tasks lack, the others compared."""
    if not lacks:
        led = [_led_by(query, groups, at) for at in range(len(groups))]
        return led or [told_in_sketches(query)]
    compared = replace(query, residual={**query.residual, "lacks": [*lacks]})
    last = FacetGroup(tuple([mark("lacks", each) for each in lacks]), apart=True)
    led = [_led_by(compared, groups, at) for at in range(len(groups))]
    return [*led, _led_by(query, [*groups, last], len(groups))]


def _bounded(wanted: TaskFilter, order: TaskOrder) -> tuple[str | None, str | None, TaskFilter]:
    """Return between which sort keys all *wanted* tasks are, and what is compared beside.

    None: there is no end.
    """
    for each in spans_asked(wanted):
        if each.field == order.field:
            return each.low, each.high, wanted
    ends = urgent(wanted.priorities) if order.sort is TaskSort.PRIORITY else None
    if ends is None:
        return None, None, wanted
    (low, high), compared = ends, replace(wanted, priorities=())
    if wanted.created is not None and len(wanted.priorities) == 1:
        begin, end = wanted.created.span
        low, high = f"{low}{begin or ''}", high if end is None else f"{low}{end}"
        compared = replace(compared, created=None)
    return low, high, compared


def _led_by(query: Query, groups: Sequence[FacetGroup], at: int) -> Query:
    """Return *query* with one of the groups answered by the index, and the others compared."""
    first, others = groups[at], [*groups[:at], *groups[at + 1 :]]
    texts = first.facets[0] if len(first.facets) == 1 else first.facets
    return replace(
        query,
        contains=("facets", texts),
        apart=first.apart,
        holding=[("facets", group.facets) for group in others],
    )


def _gathering(walk: Query, wanted: TaskFilter) -> Iterator[Query]:
    """Yield *walk* in the other orders of which a filter is a span, to be put in its own again."""
    if walk.contains is None or not walk.finds_once:
        return
    for each in spans_asked(wanted):
        if each.field != walk.sort:
            yield _within_span(walk, each)
    ends = urgent(wanted.priorities)
    told = ("facets", tuple([mark("priority", each) for each in wanted.priorities]))
    if ends is not None and told in walk.holding:
        others = [each for each in walk.holding if each != told]
        yield replace(walk, span=("urgency", *ends), holding=others)


def _spanning(query: Query, wanted: TaskFilter) -> Iterator[Query]:
    """Yield *query* as one of the tasks within each span of another order.

    Only by when they are due has an index which of them are open.
    """
    for each in spans_asked(wanted):
        if each.field == query.sort or (query.residual and each.field != "due_order"):
            continue
        where = {**query.where, **query.residual}
        yield _within_span(replace(query, where=where, residual={}), each)


def _within_span(query: Query, span: FilterSpan) -> Query:
    """Return *query* as one that a span of another order answers, with the rest compared."""
    answered = (span.field_compared, span.ranges) if span.exact else None
    return replace(
        query,
        span=(span.field, span.low, span.high),
        within=[each for each in query.within if each != answered],
    )


def groups_of(wanted: TaskFilter, lane: Lane) -> list[FacetGroup]:
    """Return the facets that tasks of one lane must have."""
    creators = wanted.creators if lane.creator is None else (lane.creator,)
    return facets_asked(replace(wanted, creators=creators), lane.statuses or ())
