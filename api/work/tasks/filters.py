"""The filters and orders of lists of tasks, as the query string names them."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from litestar.params import FromQuery, Parameter
from msgspec import Struct
from msgspec.structs import asdict, replace

from api.work.tasks.due_days import DAY, TIME, due_ranges, period_of
from api.work.tasks.field_values import asked_values
from api.work.tasks.filter_values import (
    CURRENT,
    FIELD_AND_VALUE,
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
from domain.base import LabelId, MilestoneId, TaskId, UserId
from domain.planning.criteria import PERIOD_FILTERS
from domain.planning.field_value import FIELD_VALUE, split_named
from domain.work.task.events import Priority
from domain.work.workflow.events import StatusGroup
from projections.work.dashboard import Now
from projections.work.field_order.sorting import FieldOrder
from projections.work.task_filter import TaskFilter
from projections.work.task_keys import LACKS
from projections.work.task_query import TaskOrder, TaskSort

_ID = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"


def _several(what: str, pattern: str) -> Any:
    return Parameter(
        description=f"{what}; several joined by commas", schema_extra={"pattern": pattern}
    )


def _ids(what: str, *words: str, alone: str = "") -> Any:
    """Describe ids and *words*, several joined by commas, or a word that stands *alone*."""
    one = "|".join((_ID, *words))
    told = what + "".join(f", or `{word}`" for word in words)
    many = f"({one})(,({one}))*"
    if not alone:
        return _several(told, f"^{many}$")
    return _several(f"{told}, or `{alone}` alone", f"^({alone}|{many})$")


def _choice(what: str, one: str) -> Any:
    """Describe values, several joined by commas, or each with the sign that leaves it out."""
    pattern = f"^(({one})(,({one}))*|!({one})(,!({one}))*)$"
    return _several(f"{what}, or with `!` before each, all others", pattern)


def _kinds(what: str, kind: type[StrEnum]) -> Any:
    return _choice(what, "|".join(each.value for each in kind))


ProjectFilter = FromQuery[
    Annotated[
        str | None, Parameter(description="Ids or keys of projects; several joined by commas")
    ]
]
StatusFilter = FromQuery[Annotated[str | None, _choice("Keys of statuses", "[A-Z][A-Z0-9_]{0,31}")]]
GroupFilter = FromQuery[Annotated[str | None, _kinds("Groups of statuses", StatusGroup)]]
PriorityFilter = FromQuery[Annotated[str | None, _kinds("Priorities", Priority)]]
AssigneeFilter = FromQuery[Annotated[str | None, _ids("Ids of assignees", ME, NONE)]]
LabelFilter = FromQuery[Annotated[str | None, _ids("Ids of labels", alone=NONE)]]
ParentFilter = FromQuery[Annotated[str | None, _ids("Ids of the tasks directly above", alone=NONE)]]
CreatorFilter = FromQuery[Annotated[str | None, _ids("Ids of who created it", ME)]]
WatcherFilter = FromQuery[Annotated[str | None, _ids("Ids of who watches it", ME)]]
CycleFilter = FromQuery[Annotated[str | None, _ids("Ids of cycles", CURRENT, alone=NONE)]]
MilestoneFilter = FromQuery[Annotated[str | None, _ids("Ids of milestones", alone=NONE)]]
FieldFilter = FromQuery[
    Annotated[
        str | None,
        _several(
            "Values in custom fields, such as size:s, or ranges, such as cost:2..8. One with a"
            ' comma is quoted: note:"ready, set", with a backslash before each quotation mark and'
            " backslash",
            f"^{FIELD_VALUE}(,{FIELD_VALUE})*$",
        ),
    ]
]
BlockedFilter = FromQuery[
    Annotated[bool | None, Parameter(description="Whether an open task blocks it")]
]
OverdueFilter = FromQuery[
    Annotated[Literal["true"] | None, Parameter(description="Only what should be finished by now")]
]
DeletedFilter = FromQuery[
    Annotated[
        bool | None,
        Parameter(description="Only what is in the trash, as far as the caller sees it there"),
    ]
]
WordFilter = FromQuery[
    Annotated[
        str | None,
        Parameter(
            min_length=1,
            max_length=200,
            description="Words that key, title and description have, 10 at most; the last may only"
            " begin",
        ),
    ]
]
DueFilter = FromQuery[
    Annotated[
        str | None,
        Parameter(
            description="Due from a day to a day, 2026-01-01..2026-01-31; one may be missing. Or"
            " `none`: never due",
            schema_extra={"pattern": rf"^({DAY}\.\.({DAY})?|\.\.{DAY}|{NONE})$"},
        ),
    ]
]


def _period(what: str) -> Any:
    one = f"({DAY}|{TIME})"
    return Parameter(
        description=f"{what} from a day to a day, 2026-01-01..2026-01-31, in the time zone of the"
        " organization, or from a time to a time, 2026-01-01T08:00:00Z..; one may be missing",
        schema_extra={"pattern": rf"^({one}\.\.{one}?|\.\.{one})$"},
    )


CreatedFilter = FromQuery[Annotated[str | None, _period("Created")]]
UpdatedFilter = FromQuery[Annotated[str | None, _period("Changed last")]]
CompletedFilter = FromQuery[Annotated[str | None, _period("Completed")]]
_ORDERS = "|".join(each.value for each in TaskSort)
_BY_FIELD = re.compile(r"-?field:([a-z][a-z0-9_]{0,31})")
Sort = FromQuery[
    Annotated[
        str | None,
        Parameter(
            description="Order of the list, or `field:` and the key of a custom field; `-` before"
            " it turns it round. Default: newest",
            schema_extra={"pattern": f"^-?({_ORDERS}|field:[a-z][a-z0-9_]{{0,31}})$"},
        ),
    ]
]


class Parsed(Struct, frozen=True, kw_only=True):
    """What the filters and the order of a request mean; no statuses and no groups mean any.

    ``told`` are those that the request names.
    ``wanted`` are the filters that mean the same on any day; ``due`` and ``overdue`` do not.
    ``periods`` depend on the time zone: the filters by when something happened to tasks.
    ``current`` asks for the cycles that run on the day, beside those that are ``wanted``.
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
        told = {
            name: ",".join(str(user_id) if each == ME else each for each in text.split(","))
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
def _parsed_once(asked: AskedTasks) -> Parsed:
    values = asked_values(filter_values("field", asked.field, FIELD_AND_VALUE, split_named))
    statuses = choice("status", asked.status, STATUS_KEY)
    named_cycles, current = cycles(asked.cycle)
    told = {name: value for name, value in asdict(asked).items() if value is not None}
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
        periods={name: told[name] for name in PERIOD_FILTERS if name in told},
        overdue=bool(asked.overdue),
        current=current,
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
