"""Criteria: which tasks a saved view shows, and how it shows them."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from domain.base import CycleId, LabelId, MilestoneId, TaskId, UserId
from domain.work.task.events import Priority
from domain.work.workflow.events import StatusGroup

CRITERIA_VALUES_MAX = 50
"""How many values one filter of a view has, and how many columns a view."""
_some = Meta(max_length=CRITERIA_VALUES_MAX)
FieldValue = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}:[^,]{1,100}$")]
"""The key of a custom field and a value, such as `size:s`."""
FieldValues = Annotated[tuple[FieldValue, ...], _some]
ViewSort = Annotated[str, Meta(pattern=r"^-?[a-z][a-z0-9_:]{0,63}$")]
"""The order of a list of tasks; a ``-`` before it turns it round."""
Column = Annotated[str, Meta(pattern=r"^([a-z][A-Za-z]{0,31}|field:[a-z][a-z0-9_]{0,31})$")]
"""A member of a task, such as `dueDate`, or the value of one custom field, such as `field:size`."""
Columns = Annotated[tuple[Column, ...], _some]
LONE_FILTERS = frozenset({"due", "overdue", "blocked"})
"""The filters that have one value."""
_VALUES = ","
"""Between the values of custom fields in an event; no such value has a comma."""


class Criteria(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Which tasks a view shows: each member is the filter of that name of a list of tasks.

    Several values of one filter are a choice, and none means any. What is filtered by custom
    fields stands beside it, because it is free text.
    """

    status: tuple[str, ...] = ()
    group: tuple[StatusGroup, ...] = ()
    priority: tuple[Priority, ...] = ()
    assignee: tuple[UserId, ...] = ()
    label: tuple[LabelId, ...] = ()
    parent: tuple[TaskId, ...] = ()
    creator: tuple[UserId, ...] = ()
    watcher: tuple[UserId, ...] = ()
    cycle: tuple[CycleId, ...] = ()
    milestone: tuple[MilestoneId, ...] = ()
    due: str | None = None
    overdue: bool = False
    blocked: bool | None = None


NO_CRITERIA = Criteria()


def criteria_texts(criteria: Criteria) -> tuple[str, ...]:
    """Return criteria as texts ``filter:value``."""
    told: dict[str, Any] = msgspec.to_builtins(criteria)
    found: list[str] = []
    for name, value in told.items():
        many: Sequence[Any] = [value] if name in LONE_FILTERS else value
        found += (f"{name}:{each if isinstance(each, str) else str(each).lower()}" for each in many)
    return tuple(found)


def joined_values(values: tuple[str, ...]) -> str | None:
    """Return values of custom fields as an event holds them."""
    return _VALUES.join(values) or None


def split_values(values: str | None) -> tuple[str, ...]:
    """Return the values that an event holds."""
    return () if values is None else tuple(values.split(_VALUES))
