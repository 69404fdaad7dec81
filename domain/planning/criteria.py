"""Criteria: which tasks a saved view shows, and how it shows them."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from domain.patterned import patterned
from domain.planning.field_value import FIELD_VALUE, split_named
from domain.work.task.events import Priority
from domain.work.workflow.events import StatusGroup

CRITERIA_VALUES_MAX = 50
"""How many values one filter of a view has, and how many columns a view."""
_some = Meta(max_length=CRITERIA_VALUES_MAX)
FieldValue = Annotated[
    str, patterned(f"^{FIELD_VALUE}$", "the key of a custom field and a value, such as size:s")
]
"""The key of a custom field and a value, such as `size:s`, or `note:"ready, set"` with a comma."""
FieldValues = Annotated[tuple[FieldValue, ...], _some]
ViewSort = Annotated[str, patterned(r"^-?[a-z][a-z0-9_:]{0,63}$", "an order such as -updated")]
"""The order of a list of tasks; a ``-`` before it turns it round."""
Column = Annotated[
    str,
    patterned(
        r"^([a-z][A-Za-z]{0,31}|field:[a-z][a-z0-9_]{0,31})$",
        "a column such as dueDate or field:size",
    ),
]
"""A member of a task, such as `dueDate`, or the value of one custom field, such as `field:size`."""
Columns = Annotated[tuple[Column, ...], _some]
_ID = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
NamedThing = Annotated[str, patterned(f"^({_ID}|none)$", "an id or none")]
"""The id of what a task has of a kind; `none`, alone, finds tasks that have nothing of the kind."""
NamedCycle = Annotated[str, patterned(f"^({_ID}|current|none)$", "an id, current or none")]
"""The id of a cycle, `current` for those that run on the day, or `none`, alone, for no cycle."""
NamedLabel = Annotated[str, patterned(f"^!?({_ID}|none)$", "an id or none, or ! and one")]
"""The id of a label, or `none`, alone, for tasks without any; one with `!` is left out."""
NamedPerson = Annotated[str, patterned(f"^!?({_ID}|me)$", "an id or me, or ! and one")]
"""The id of a user; `me` is whoever looks at the view. One with `!` is left out."""
NamedAssignee = Annotated[str, patterned(f"^!?({_ID}|me|none)$", "an id, me or none, or ! and one")]
"""The id of an assignee, `me`, or `none` for nobody; one with `!` is left out."""
NamedStatus = Annotated[
    str, patterned(r"^!?[A-Z][A-Z0-9_]{0,31}$", "the key of a status, or ! and one")
]
"""The key of a status; with `!` before each, all others."""
NamedGroup = Annotated[
    str,
    patterned(f"^!?({'|'.join(StatusGroup)})$", f"one of {', '.join(StatusGroup)}, or ! and one"),
]
"""A group of statuses; with `!` before each, all others."""
NamedPriority = Annotated[
    str, patterned(f"^!?({'|'.join(Priority)})$", f"one of {', '.join(Priority)}, or ! and one")
]
"""A priority; with `!` before each, all others."""
NAMING_FILTERS = ("assignee", "label", "parent", "creator", "watcher", "cycle", "milestone")
"""The filters whose values are ids, or words that stand for such."""
_TRUTHS = frozenset({"overdue", "blocked"})
PERIOD_FILTERS = ("created", "updated", "completed")
"""The filters by when something happened to tasks."""
LONE_FILTERS = frozenset({"due", *PERIOD_FILTERS}) | _TRUTHS
"""The filters that have one value."""
_VALUES = ","
"""Between the values of custom fields in an event; of those with a comma, each is quoted."""


class Criteria(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Which tasks a view shows: each member is the filter of that name of a list of tasks.

    Several values of one filter are a choice, and none means any. What is filtered by custom
    fields stands beside it, because it is free text. Events were stored whose statuses are texts of
    any form.
    """

    status: tuple[str, ...] = ()
    group: tuple[NamedGroup, ...] = ()
    priority: tuple[NamedPriority, ...] = ()
    assignee: tuple[NamedAssignee, ...] = ()
    label: tuple[NamedLabel, ...] = ()
    parent: tuple[NamedThing, ...] = ()
    creator: tuple[NamedPerson, ...] = ()
    watcher: tuple[NamedPerson, ...] = ()
    cycle: tuple[NamedCycle, ...] = ()
    milestone: tuple[NamedThing, ...] = ()
    due: str | None = None
    created: str | None = None
    updated: str | None = None
    completed: str | None = None
    overdue: bool = False
    blocked: bool | None = None


NO_CRITERIA = Criteria()


def ids_in(named: Sequence[str]) -> list[UUID]:
    """Return the ids among the values of a filter, without the words that stand for others."""
    told = (each.removeprefix("!") for each in named)
    return [UUID(each) for each in told if each not in {"me", "none", "current"}]


def criteria_texts(criteria: Criteria) -> tuple[str, ...]:
    """Return criteria as texts ``filter:value``."""
    told: dict[str, Any] = msgspec.to_builtins(criteria)
    found: list[str] = []
    for name, value in told.items():
        many: Sequence[Any] = [value] if name in LONE_FILTERS else value
        texts = (each if isinstance(each, str) else str(each) for each in many)
        # An id is the same in capitals, and so is a truth.
        plain = name in NAMING_FILTERS or name in _TRUTHS
        found += (f"{name}:{each.lower() if plain else each}" for each in texts)
    return tuple(found)


def criteria_from(texts: Sequence[str]) -> Criteria:
    """Return the criteria that ``criteria_texts`` returned as *texts*."""
    told: dict[str, Any] = {}
    for name, _, value in (each.partition(":") for each in texts):
        if name in _TRUTHS:
            told[name] = value == "true"
        elif name in LONE_FILTERS:
            told[name] = value
        else:
            told.setdefault(name, []).append(value)
    return msgspec.convert(told, Criteria)


def joined_values(values: tuple[str, ...]) -> str | None:
    """Return values of custom fields as an event holds them."""
    return _VALUES.join(values) or None


def split_values(values: str | None) -> tuple[str, ...]:
    """Return the values that an event holds."""
    return () if values is None else tuple(split_named(values))
