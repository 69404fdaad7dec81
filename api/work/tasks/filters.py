"""What the filters and orders of lists of tasks mean, as the query string names them."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Self
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import asdict, replace

from api.work.tasks.due_days import due_ranges, period_of
from api.work.tasks.field_values import asked_values
from api.work.tasks.filter_values import (
    FIELD_AND_VALUE,
    LEFT_OUT,
    ME,
    NONE,
    STATUS_KEY,
    assignees,
    choice,
    cycles,
    filter_values,
    of_kind,
    one_of_kind,
    one_value,
    people,
    things,
)
from api.work.tasks.left_out import LeftOut, told_apart
from domain.base import LabelId, MilestoneId, TaskId, UserId
from domain.planning.criteria import PERIOD_FILTERS
from domain.planning.field_value import split_named
from domain.work.task.events import Priority
from domain.work.workflow.events import StatusGroup
from projections.work.dashboard import Now
from projections.work.field_order.sorting import FieldOrder
from projections.work.task_filter import TaskFilter
from projections.work.task_keys import LACKS
from projections.work.task_query import TaskOrder, TaskSort

_BY_FIELD = re.compile(r"-?field:([a-z][a-z0-9_]{0,31})")


class Parsed(Struct, frozen=True, kw_only=True):
    """What the filters and the order of a request mean; no statuses and no groups mean any.

    ``told`` are those that the request names.
    ``wanted`` are the filters that mean the same on any day; ``due`` and ``overdue`` do not.
    ``periods`` depend on the time zone: the filters by when something happened to tasks.
    ``current`` asks for the cycles that run on the day, beside those that are ``wanted``.
    ``left_out`` is compared with what is found.
    """

    told: Mapping[str, Any]
    order: TaskOrder | FieldOrder
    statuses: tuple[str, ...]
    statuses_left_out: tuple[str, ...]
    groups: tuple[StatusGroup, ...]
    wanted: TaskFilter
    due: str | None
    periods: Mapping[str, str]
    overdue: bool
    current: bool
    left_out: LeftOut

    @property
    def depends_on_time(self) -> bool:
        """Whether other tasks are asked for as time goes by."""
        return self.due is not None or self.overdue or self.current

    def filter(self, at: datetime, zone: ZoneInfo) -> TaskFilter:
        """Return which tasks are asked for, as the day is.

        :raises Problem: 422 if the days are malformed.
        """
        # To the second, in which others ask for the same.
        now, told = Now(at.replace(microsecond=0), zone), dict[str, Any]()
        if self.due is not None or self.overdue:
            told["due"] = due_ranges(self.due, self.overdue, now)
        for name, asked in self.periods.items():
            told[name] = period_of(name, asked, zone)
        return replace(self.wanted, **told) if told else self.wanted


class AskedTasks(Struct, frozen=True, kw_only=True):
    """The filters and the order of a request, as text."""

    status: str | None = None
    group: str | None = None
    priority: str | None = None
    assignee: str | None = None
    label: str | None = None
    parent: str | None = None
    creator: str | None = None
    watcher: str | None = None
    cycle: str | None = None
    milestone: str | None = None
    field: str | None = None
    due: str | None = None
    created: str | None = None
    updated: str | None = None
    completed: str | None = None
    overdue: str | None = None
    blocked: bool | None = None
    deleted: bool | None = None
    q: str | None = None
    sort: str | None = None

    def by(self, user_id: UserId) -> Self:
        """Return the same filters, with who asks in the place of `me`."""
        known = {ME: str(user_id), f"{LEFT_OUT}{ME}": f"{LEFT_OUT}{user_id}"}
        told = {
            name: ",".join(str(known.get(each, each)) for each in text.split(","))
            for name in ("assignee", "creator", "watcher")
            if (text := getattr(self, name)) is not None and ME in text
        }
        return replace(self, **told) if told else self

    def parsed(self) -> Parsed:
        """Return what is asked for, by somebody who is told (see ``by``).

        :raises Problem: 422 if a filter is malformed, or there is no such order.
        """
        return _parsed_once(self)


@lru_cache(1_024)  # most lists are asked for again and again with the same filters
def _parsed_once(whole: AskedTasks) -> Parsed:
    told = {name: value for name, value in asdict(whole).items() if value is not None}
    found, left_out = told_apart(told)
    asked = AskedTasks(**found)
    values = asked_values(filter_values("field", asked.field, FIELD_AND_VALUE, split_named))
    statuses = choice("status", asked.status, STATUS_KEY)
    named_cycles, current = cycles(asked.cycle)
    return Parsed(
        told=told,
        order=_order(asked.sort),
        statuses=statuses.values,
        statuses_left_out=statuses.left_out,
        groups=of_kind("group", asked.group, StatusGroup),
        wanted=TaskFilter(
            priorities=of_kind("priority", asked.priority, Priority),
            assignees=assignees(asked.assignee),
            labels=things("label", asked.label, LabelId),
            parents=things("parent", asked.parent, TaskId),
            watchers=people("watcher", asked.watcher),
            creators=people("creator", asked.creator),
            cycles=named_cycles,
            milestones=things("milestone", asked.milestone, MilestoneId),
            values=values.equal,
            ranges=values.ranges,
            blocked=asked.blocked,
            open=True if asked.overdue else None,
            lacking=tuple([each for each in LACKS if getattr(asked, each) == NONE]),
            hidden=bool(asked.deleted),
            trashed=bool(asked.deleted),
        ),
        due=None if asked.due == NONE else asked.due,
        periods={name: found[name] for name in PERIOD_FILTERS if name in found},
        overdue=bool(asked.overdue),
        current=current,
        left_out=left_out,
    )


def _order(asked: str | None) -> TaskOrder | FieldOrder:
    """Return the order of a name.

    :raises Problem: 422 if there is none.
    """
    if asked is None:
        return TaskOrder()
    by_field = _BY_FIELD.fullmatch(asked)
    if by_field is not None:
        return FieldOrder(by_field[1], turned=asked.startswith("-"))
    sort = one_value("sort", asked.removeprefix("-"), one_of_kind(TaskSort))
    return TaskOrder(sort, turned=asked.startswith("-"))


FILTERS = frozenset(AskedTasks.__struct_fields__)
"""The names of the filters and of the order."""
