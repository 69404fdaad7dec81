"""Lists of tasks: of one project or several, filtered, in any of their orders."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

from domain.base import OrgId, ProjectId
from projections.base import text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels, full_page
from projections.engine.query import (
    EITHER_MAX,
    LOOKUPS_MAX,
    RESIDUAL_ROWS_MAX,
    ListSlice,
    Query,
    list_slice,
)
from projections.engine.sizes import SIZE_MAX
from projections.work.task_filter import EVERY_TASK, TaskFilter
from projections.work.task_keys import lacking
from projections.work.task_query import (
    BY_KEY,
    NEWEST_FIRST,
    Gathered,
    Lane,
    Plans,
    TaskOrder,
    TaskSort,
    behind,
    groups_of,
    task_plans,
)

LANES_MAX = 50
"""Into how many projects a page by key looks at a time."""

SPAN_MAX = 1_000
"""How many tasks that are due within a span are put in another order: it takes 0.2 ms."""
WALK_MAX = 20_000
"""Of how many tasks all are walked until a page is full, if their index tells what is compared."""
GATHERED_FROM = 200
"""Of how many tasks another order is asked for: fewer are looked at in their own."""


async def find_tasks(  # noqa: PLR0913, PLR0917 - the list, its filter and its page
    models: ReadModels,
    org_id: OrgId,
    lanes: Sequence[Lane],
    wanted: TaskFilter = EVERY_TASK,
    order: TaskOrder = NEWEST_FIRST,
    limit: int = PAGE_DEFAULT,
    after: Any = None,
    *,
    keyed: bool = False,
) -> ListSlice:
    """Return tasks of all *lanes* in one order, those behind the sort key *after*.

    If they are *keyed*, the sort key of each is told.
    """
    plans = [task_plans(org_id, lane, wanted, order, limit) for lane in narrowed(lanes, wanted)]
    queries = [await _chosen(models, each) for each in plans]
    if len(queries) == 1:
        return await _page(models, plans[0], behind(queries[0], None, limit * keyed), after)

    async def find(some: int, after: Any) -> ListSlice:
        asked = [behind(query, after, some) for query in queries]
        return merged(await models.pages(*asked), some, order.descending)

    return await full_page(find, limit, after) if queries else list_slice([])


async def find_columns(  # noqa: PLR0913, PLR0917 - the columns, their filter and their pages
    models: ReadModels,
    org_id: OrgId,
    lanes: Sequence[Lane],
    wanted: TaskFilter,
    order: TaskOrder,
    limit: int,
    after: Any,
) -> list[ListSlice]:
    """Return tasks of each of *lanes*, those behind the sort key *after*.

    All are read at once; only what filters leave of a column is filled up by itself.
    """
    plans = [task_plans(org_id, lane, wanted, order, limit) for lane in lanes]
    queries = [behind(await _chosen(models, each), after) for each in plans]
    return await models.full_pages(*queries)


async def _chosen(models: ReadModels, plans: Plans) -> Query:
    """Return the query that has to look at the fewest tasks, as of the last seconds."""
    query = plans.walks[0]
    if not (plans.spanned or plans.ranged or (query.contains and query.filters) or _told(query)):
        return query
    return await models.remembered(plans, partial(_least_work, models, plans))


def _told(query: Query) -> bool:
    """Return whether something is compared, and all of that is told by the index of *query*."""
    is_found = query.contains is None and query.among is None
    return is_found and query.filters and not query.entered


async def _least_work(models: ReadModels, plans: Plans) -> Query:
    """Return the query that has to look at the fewest tasks.

    To put a task in order takes as long as to look at two that are, also of those within a span. To
    compare one with a range takes as long as to put it in order.
    """
    gathered: Sequence[Gathered] = ()
    query, size = plans.walks[0], SIZE_MAX
    if query.contains is not None and query.filters:
        sizes = await models.sizes(plans.walks)
        size = min(sizes)
        at = sizes.index(size)
        query = (plans.short if size < SIZE_MAX else plans.walks)[at]
        gathered = plans.gathered[at] if size > GATHERED_FROM else ()
    if _told(query) and max(await models.sizes(plans.walks, WALK_MAX)) < WALK_MAX:
        query = plans.short[0]
    if plans.ranged:
        sizes = await models.sizes(plans.ranged)
        if min(sizes) < size:
            return plans.ranged[sizes.index(min(sizes))]
    looked_at = SIZE_MAX
    spanned = await models.sizes(plans.spanned)
    if spanned and min(spanned) <= min(SPAN_MAX, size // 2):
        query = plans.spanned[spanned.index(min(spanned))]
        looked_at = 2 * min(spanned)
    for each in gathered:
        found, left = await models.sizes([each.found, each.query])
        if found + 2 * left < min(looked_at, walked(size, left, query.limit)):
            return each.query
    return query


async def _page(models: ReadModels, plans: Plans, query: Query, after: Any) -> ListSlice:
    """Return the page of a chosen *query* behind a sort key.

    If what matches comes late in the order of the list, as what was changed last does in that of
    ranks, it is put in order instead, and so it is when this page is asked for again.
    """
    walk, place = behind(query, after), (plans, after)
    if not (plans.spanned and walk.sifted):
        return await models.page(walk)
    chosen = models.chosen(place)
    if chosen is None:
        [begun] = await models.pages(walk)
        is_short = begun.size < walk.limit and begun.next_key is not None
        sizes = await models.sizes(plans.spanned, WALK_MAX) if is_short else [WALK_MAX]
        size = min(sizes)
        # A task in a slice takes as long as two that are put in order.
        if size == WALK_MAX or size * begun.size > 2 * RESIDUAL_ROWS_MAX * walk.limit:
            return await models.filled(walk, begun)
        chosen = plans.spanned[sizes.index(size)]
        models.choose(place, chosen)
    return await models.page(behind(chosen, after, walk.limit * walk.keyed))


def walked(size: int, left: int, limit: int) -> int:
    """Return how many of *size* tasks are looked at until a page of those that are *left* ends."""
    return min(size, size * limit // max(left, 1))


async def find_tasks_by_key(  # noqa: PLR0913, PLR0917 - the list, its filter and its page
    models: ReadModels,
    org_id: OrgId,
    lanes: Sequence[Lane],
    wanted: TaskFilter = EVERY_TASK,
    order: TaskOrder = BY_KEY,
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
    *,
    keyed: bool = False,
) -> ListSlice:
    """Return tasks in the order of their keys, those behind *after*.

    Each lane is one project, in the order of their keys. The sort key names a project and a number
    in it, because a project's key may change. If they are *keyed*, that of each task is told.
    """
    if len(lanes) == 1:
        plans = task_plans(org_id, lanes[0], wanted, order, limit)
        query = behind(await _chosen(models, plans), None, limit * keyed)
        return await _page_by_key(models, plans, query, lanes[0], after)

    async def find(some: int, after: Any) -> ListSlice:
        items, keys = list[bytes](), list[str]()
        ahead = _lanes_behind(lanes, order, after)
        for lane, number in islice(ahead, LANES_MAX):
            plans = task_plans(org_id, lane, wanted, order, limit)
            query = behind(await _chosen(models, plans), number, some - len(items))
            found = await models.page(query)
            items += found.items
            keys += [_key_in(lane, each) for each in found.keys]
            if found.next_key is not None:
                return list_slice(items, _key_in(lane, found.next_key), keys)
            if len(items) == some:
                break
        beyond = next(ahead, None)
        return list_slice(items, None if beyond is None else _key_in(beyond[0], None), keys)

    return await full_page(find, limit, after)


def narrowed(lanes: Sequence[Lane], wanted: TaskFilter) -> Iterator[Lane]:
    """Yield *lanes* divided into such that a query of each begins at few enough places."""
    for lane in lanes:
        if len(lane.projects) == 1:  # there is nothing to divide
            yield lane
            continue
        lacks = len(lacking(wanted.lacking)) if wanted.lacking else 0
        ranges = max((len(each.ranges) for each in wanted.ranges), default=0)
        places = max(sum(len(group.facets) for group in groups_of(wanted, lane)), lacks, ranges)
        many = max(min(EITHER_MAX, LOOKUPS_MAX // max(places, 1)), 1)
        for at in range(0, len(lane.projects), many):
            yield lane._replace(projects=lane.projects[at : at + many])


async def _page_by_key(
    models: ReadModels, plans: Plans, query: Query, lane: Lane, after: str | None
) -> ListSlice:
    """Return tasks of one project in the order of their keys."""
    for _, number in _lanes_behind([lane], TaskOrder(TaskSort.KEY, query.descending), after):
        found = await _page(models, plans, query, number)
        next_key = None if found.next_key is None else _key_in(lane, found.next_key)
        keys = [_key_in(lane, each) for each in found.keys] if query.keyed else ()
        return found._replace(next_key=next_key, keys=keys)
    return list_slice([])


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
    plans = task_plans(org_id, Lane((project_id,)), wanted, order, limit)
    return await models.page(behind(await _chosen(models, plans), below))


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


def merged(pages: Sequence[ListSlice], limit: int, descending: bool) -> ListSlice:
    """Return the first items of all *pages*, with the sort key of each.

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
    shown = rows[:limit]
    return list_slice([item for _, item in shown], end, [key for key, _ in shown])
