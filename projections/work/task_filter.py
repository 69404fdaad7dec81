"""Which tasks a list shows, and what a query asks for that finds them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from domain.base import CycleId, LabelId, MilestoneId, TaskId, UserId
from domain.work.task.events import Priority
from projections.base import text_of
from projections.shape import Value
from projections.work.task_keys import BLOCKED, TRASHED, facet, field_facet, mark


class DueRanges(NamedTuple):
    """When tasks are due: ranges of ``due_key``, and the ends of ``due_order`` around them."""

    ranges: tuple[tuple[str, str], ...]
    low: str | None
    high: str | None


class TaskFilter(Struct, frozen=True, kw_only=True):
    """Which tasks to list; several values of one filter are a choice, and none means any."""

    priorities: tuple[Priority, ...] = ()
    assignees: tuple[UserId, ...] = ()
    labels: tuple[LabelId, ...] = ()
    parents: tuple[TaskId, ...] = ()
    watchers: tuple[UserId, ...] = ()
    creators: tuple[UserId, ...] = ()
    cycles: tuple[CycleId, ...] = ()
    milestones: tuple[MilestoneId, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    """Keys of custom fields and texts: several of one field are a choice."""
    blocked: bool | None = None
    open: bool | None = None
    due: DueRanges | None = None
    hidden: bool = False
    """Whether to list those that are in the trash, or below what is there, instead of others."""
    trashed: bool = False
    """Whether to list only those that were deleted by themselves, and are not purged."""
    among: Sequence[str] | None = None
    """The ids of the documents to list only; None for all."""


_MARKED = ("created_by", "status", "priority")
"""The fields of a task of which the values are among its facets."""
_MARKED_IF_TRUE = {"trashed": TRASHED, "blocked": BLOCKED}
EVERY_TASK = TaskFilter()


def facets_asked(wanted: TaskFilter) -> Iterator[list[str]]:
    """Yield what the facets of a task must name, what fewest tasks have in common first."""
    yield [facet("parent", each) for each in wanted.parents]
    yield [facet("label", each) for each in wanted.labels]
    yield [facet("cycle", each) for each in wanted.cycles]
    yield [facet("milestone", each) for each in wanted.milestones]
    yield [facet("assignee", each) for each in wanted.assignees]
    yield [facet("watcher", each) for each in wanted.watchers]
    for key in dict(wanted.values):
        yield [field_facet(key, text) for own, text in wanted.values if own == key]


def values_asked(wanted: TaskFilter, statuses: Sequence[str]) -> Iterator[tuple[str, Value]]:
    """Yield the fields of a task that are compared, each with its value or a choice of values."""
    if wanted.trashed:  # fewer than are hidden: what is purged is not among them
        yield "trashed", True
        yield "purged", False
    if wanted.blocked is not None:
        yield "blocked", wanted.blocked
    choices: list[tuple[str, list[str]]] = [
        ("created_by", [text_of(each) for each in wanted.creators]),
        ("status", [*statuses]),
        ("priority", [each.value for each in wanted.priorities]),
    ]
    for field, values in choices:
        if values:
            yield field, values[0] if len(values) == 1 else values
    if wanted.open is not None:
        yield "open", wanted.open


def marks_asked(field: str, value: Value) -> list[str]:
    """Return what the facets of a task must have one of whose *field* has a value, or one of some.

    Nothing if they do not say.
    """
    if field in _MARKED_IF_TRUE:
        return [_MARKED_IF_TRUE[field]] if value else []
    if field in _MARKED:
        return [mark(field, each) for each in (value if isinstance(value, list) else [str(value)])]
    return []
