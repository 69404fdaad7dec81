"""Which tasks a list shows, and what a query asks for that finds them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from domain.base import CycleId, LabelId, MilestoneId, TaskId, UserId
from domain.work.task.events import Priority
from projections.engine.query import Entered, Key, Query
from projections.work.task_keys import BLOCKED, TRASHED, UNBLOCKED, facet, field_facet, mark
from projections.work.times.period import Period

Span = tuple[str, str]
"""From a first sort key up to another."""

Compared = tuple[str, tuple[tuple[Key, Key], ...]]
"""A field, and the ranges in one of which it must be."""


def spans_apart(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the same as *spans*, the first one first, of which no two meet."""
    found = list[Span]()
    for low, high in sorted(spans):
        if found and low <= found[-1][1]:
            found[-1] = found[-1][0], max(high, found[-1][1])
        else:
            found.append((low, high))
    return (*found,)


class DueRanges(NamedTuple):
    """When tasks are due: ranges of ``due_order``, the first one first, of which no two meet."""

    ranges: tuple[Span, ...]

    @property
    def low(self) -> str | None:
        """Behind which sort key all of them are; None if that is none."""
        return self.ranges[0][0] or None

    @property
    def high(self) -> str:
        """Before which sort key all of them are."""
        return self.ranges[-1][1]

    @property
    def exact(self) -> bool:
        """Whether all that is between these two is within a range."""
        return len(self.ranges) == 1


class ValueRanges(NamedTuple):
    """What a task has to have in the custom field ``key``: a value between two sort keys of a pair.

    With ``texts``, it may have one of these values instead.
    """

    key: str
    ranges: tuple[Span, ...]
    texts: tuple[str, ...] = ()


class TaskFilter(Struct, frozen=True, kw_only=True):
    """Which tasks to list; several values of one filter are a choice, and none means any.

    None among the assignees finds tasks that are assigned to nobody.
    """

    priorities: tuple[Priority, ...] = ()
    assignees: tuple[UserId | None, ...] = ()
    labels: tuple[LabelId, ...] = ()
    parents: tuple[TaskId, ...] = ()
    watchers: tuple[UserId, ...] = ()
    creators: tuple[UserId, ...] = ()
    cycles: tuple[CycleId, ...] = ()
    milestones: tuple[MilestoneId, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    """Keys of custom fields and texts: several of one field are a choice."""
    ranges: tuple[ValueRanges, ...] = ()
    blocked: bool | None = None
    open: bool | None = None
    due: DueRanges | None = None
    created: Period | None = None
    updated: Period | None = None
    completed: Period | None = None
    lacking: tuple[str, ...] = ()
    """The kinds of things of which to list only tasks that have none; see ``LACKS``."""
    hidden: bool = False
    """Whether to list those that are in the trash, or below what is there, instead of others."""
    trashed: bool = False
    """Whether to list only those that were deleted by themselves, and are not purged."""
    among: Sequence[str] | None = None
    """The ids of the documents to list only; None for all."""


EVERY_TASK = TaskFilter()


class FilterSpan(NamedTuple):
    """A filter that is a part of the order by ``field``: between two of its sort keys.

    ``field_compared`` and ``ranges`` tell of a task whether it is there, in any order. Between the
    sort keys are no others if they are ``exact``.
    """

    field: str
    low: str | None
    high: str | None
    field_compared: str
    ranges: tuple[tuple[Key, Key], ...]
    exact: bool = True


class FacetGroup(NamedTuple):
    """Facets of which a task must have one; if they are ``apart``, none has two of them."""

    facets: tuple[str, ...]
    apart: bool = False


def entered(wanted: TaskFilter) -> list[Entered]:
    """Return what the entries of a task must be."""
    return [
        Entered(
            "ordered",
            each.key,
            each.ranges,
            "facets" if each.texts else "",
            [field_facet(each.key, text) for text in each.texts],
        )
        for each in wanted.ranges
    ]


def spans_asked(wanted: TaskFilter) -> list[FilterSpan]:
    """Return the filters by when something happens to tasks that are parts of orders."""
    spans: list[FilterSpan] = []
    if (due := wanted.due) is not None:
        spans.append(FilterSpan("due_order", due.low, due.high, "due_order", due.ranges, due.exact))
    for field, period in (("created", wanted.created), ("changed", wanted.updated)):
        if period is not None:
            compared = f"{field}_us", (period.microseconds,)
            spans.append(FilterSpan(field, *period.span, *compared))
    return spans


def compared_beside(wanted: TaskFilter, field: str) -> list[Compared]:
    """Return what is compared with tasks that are between the sort keys of the span of *field*."""
    spans = [each for each in spans_asked(wanted) if each.field != field or not each.exact]
    compared = [(each.field_compared, each.ranges) for each in spans]
    return [*compared, *completed_compared(wanted)]


def completed_compared(wanted: TaskFilter) -> list[Compared]:
    """Return what is compared with tasks that are to be completed in a period."""
    period = wanted.completed
    return [] if period is None else [("completed_us", (period.microseconds,))]


def facets_asked(wanted: TaskFilter, statuses: Sequence[str]) -> list[FacetGroup]:
    """Return what the facets of a task must name, what fewest tasks have in common first."""
    groups = [
        FacetGroup(tuple([facet("parent", each) for each in wanted.parents]), apart=True),
        FacetGroup(tuple([facet("label", each) for each in wanted.labels])),
        FacetGroup(tuple([facet("cycle", each) for each in wanted.cycles]), apart=True),
        FacetGroup(tuple([facet("milestone", each) for each in wanted.milestones]), apart=True),
        FacetGroup(tuple([facet("assignee", each) for each in wanted.assignees])),
        FacetGroup(tuple([facet("watcher", each) for each in wanted.watchers])),
    ]
    for key in dict(wanted.values):
        texts = [field_facet(key, text) for own, text in wanted.values if own == key]
        groups.append(FacetGroup(tuple(texts)))
    groups += [
        FacetGroup((TRASHED,) * wanted.trashed),
        FacetGroup(() if wanted.blocked is None else (BLOCKED if wanted.blocked else UNBLOCKED,)),
        FacetGroup(tuple([facet("created_by", each) for each in wanted.creators]), apart=True),
        FacetGroup(tuple([mark("status", each) for each in statuses]), apart=True),
        FacetGroup(tuple([mark("priority", each) for each in wanted.priorities]), apart=True),
    ]
    return [group for group in groups if group.facets]


def told_in_sketches(query: Query) -> Query:
    """Return *query*, which no filter leads, so that it reads sketches if only these tell a filter.

    No other index than that of changes tells when a task was changed last. All tasks have one of
    two facets, and the sketches beside them take a tenth of the time of documents.
    """
    if all(field != "changed_us" for field, _ in query.within):
        return query
    return replace(query, contains=("facets", (UNBLOCKED, BLOCKED)), apart=True)
