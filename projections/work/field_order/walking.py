"""Lists of any length in the order of a custom field, which an index tells.

A list is walked in spans: the tasks with each option, in the order in which options are offered;
those with another value; and those without one, in the order of their keys.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from domain.base import OrgId, ProjectId
from projections.engine.find import ReadModels, full_page
from projections.engine.query import LIMIT_MAX, ListSlice, Query, list_slice
from projections.work.field_order.entries import BEHIND_VALUES, option_ends
from projections.work.field_order.sorting import FieldOrder
from projections.work.task_filter import TaskFilter
from projections.work.task_list import find_tasks_by_key, merged
from projections.work.task_query import Lane, TaskOrder, TaskSort, behind, task_plans

WALKED = "~"
"""How the sort keys of this order begin."""
_SPANS_AT_ONCE = 50
"""How many spans a page looks at, of which most can be empty."""
_WITHOUT = "none"
_OTHERS = "value"
OfferedOptions = Mapping[ProjectId, Sequence[str]]
"""By project, if its field has options: their keys, as they are offered."""


class _Part(NamedTuple):
    """The tasks of a lane whose sort keys are between two."""

    lane: Lane
    low: str
    high: str


class _Span(NamedTuple):
    """What comes together; ``parts`` is None for the tasks without a value."""

    name: str
    parts: Sequence[_Part] | None


class FieldWalk(NamedTuple):
    """Which tasks are listed, in which order.

    ``alone`` are the lanes once more, each of one project, in the order of their keys.
    """

    lanes: Sequence[Lane]
    alone: Sequence[Lane]
    wanted: TaskFilter
    order: FieldOrder
    options: OfferedOptions


async def tasks_in_field_order(
    models: ReadModels, org_id: OrgId, walk: FieldWalk, limit: int, after: str | None
) -> ListSlice:
    """Return a page of tasks in the order of a custom field, with the sort key of each."""
    turned = walk.order.turned

    async def find(some: int, after: Any) -> ListSlice:
        items, keys = list[bytes](), list[str]()
        ahead = _spans_behind(_spans(walk), after)
        for span, key in islice(ahead, _SPANS_AT_ONCE):
            if span.parts is None:
                found = await _without_value(models, org_id, walk, some - len(items), key)
            else:
                queries = [_query(org_id, walk, part, some - len(items)) for part in span.parts]
                pages = await models.pages(*(behind(each, key) for each in queries))
                found = merged(pages, some - len(items), turned)
            items += found.items
            keys += [_key_in(span, each) for each in found.keys]
            if found.next_key is not None:
                return list_slice(items, _key_in(span, found.next_key), keys)
            if len(items) == some:
                break
        beyond = next(ahead, None)
        return list_slice(items, None if beyond is None else _key_in(beyond[0], None), keys)

    return await full_page(find, limit, after)


def _spans(walk: FieldWalk) -> list[_Span]:
    """Return the spans of a list in order."""
    options, wanted, key = walk.options, walk.wanted, walk.order.key
    ranges = [each.ranges for each in wanted.ranges if each.key == key and not each.texts]
    if ranges:  # nothing else is asked for
        low, high = max(map(min, ranges))[0], min(max(high for _, high in each) for each in ranges)
        return [_Span(_OTHERS, [_Part(lane, low, high) for lane in walk.lanes])]
    most = max(map(len, options.values()), default=0)
    spans = [_Span(str(rank), [*_chosen(walk, rank)]) for rank in range(most)]
    others = [_without_options(each, options) for each in walk.lanes]
    valued = [_Part(lane, "", BEHIND_VALUES) for lane in others if lane.projects]
    spans.append(_Span(_OTHERS, valued))
    if not any(each[0] == key for each in (*wanted.values, *wanted.ranges)):
        spans.append(_Span(_WITHOUT, None))
    return [*reversed(spans)] if walk.order.turned else spans


def _without_options(lane: Lane, options: OfferedOptions) -> Lane:
    """Return what of a lane is in projects whose field has no options."""
    return lane._replace(projects=tuple(each for each in lane.projects if each not in options))


def _chosen(walk: FieldWalk, rank: int) -> Iterator[_Part]:
    """Yield the tasks of each lane with the option that is offered at a rank of its project."""
    for lane in walk.lanes:
        alike: dict[str, list[ProjectId]] = {}
        for each in lane.projects:
            if rank < len(offered := walk.options.get(each, ())):
                alike.setdefault(offered[rank], []).append(each)
        for option, projects in alike.items():
            yield _Part(lane._replace(projects=tuple(projects)), *option_ends(option))


def _query(org_id: OrgId, walk: FieldWalk, part: _Part, limit: int) -> Query:
    """Return the query for some tasks of a part, behind no sort key yet."""
    # In the order of ranks, no filter is two ends of the order, which are those of the part here.
    by_rank = TaskOrder(TaskSort.RANK)
    query = task_plans(org_id, part.lane, walk.wanted, by_rank, limit).walks[0]
    holding = [*query.holding]
    if query.contains is not None:
        field, texts = query.contains
        holding.append((field, [texts] if isinstance(texts, str) else texts))
    return replace(
        query,
        sort="ordered",
        contains=("ordered", walk.order.key),
        apart=False,
        holding=holding,
        descending=walk.order.turned,
        above=part.low,
        below=part.high,
        keyed=True,
    )


async def _without_value(
    models: ReadModels, org_id: OrgId, walk: FieldWalk, limit: int, after: str | None
) -> ListSlice:
    """Return tasks without a value, by their keys: of some at a time, those that have none."""
    order = TaskOrder(TaskSort.KEY, walk.order.turned)
    found = await find_tasks_by_key(
        models, org_id, walk.alone, walk.wanted, order, LIMIT_MAX // 2, after, keyed=True
    )
    rows = [
        (key, item)
        for key, item in zip(found.keys, found.items, strict=True)
        if walk.order.key not in _fields(item).fields
    ]
    end = rows[limit - 1][0] if len(rows) > limit else found.next_key
    shown = rows[:limit]
    return list_slice([item for _, item in shown], end, [key for key, _ in shown])


class _Fields(msgspec.Struct, frozen=True):
    fields: dict[str, msgspec.Raw]


_fields = msgspec.json.Decoder(_Fields).decode


def _spans_behind(spans: Sequence[_Span], after: str | None) -> Iterator[tuple[_Span, str | None]]:
    """Yield the spans behind *after*, each with the sort key in it to continue after."""
    at, key = 0, None
    if after is not None:
        name, _, key = after.removeprefix(WALKED).partition(":")
        at = next((n for n, span in enumerate(spans) if span.name == name), len(spans))
    for span in spans[at:]:
        if span.parts is None or span.parts:
            yield span, key or None
        key = None


def _key_in(span: _Span, key: str | None) -> str:
    """Return the sort key of a task by that within its span; None: of its first."""
    return f"{WALKED}{span.name}:{key or ''}"
