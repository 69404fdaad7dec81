"""The parameters of lists of tasks, as the description of the API shows them."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from litestar.params import FromQuery, Parameter

from api.work.tasks.due_days import DAY, TIME
from api.work.tasks.filter_values import CURRENT, ME, NONE
from domain.planning.field_value import FIELD_VALUE
from domain.work.task.events import Priority
from domain.work.workflow.events import StatusGroup
from projections.work.task_query import TaskSort

_ID = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"


def _several(what: str, pattern: str) -> Any:
    return Parameter(
        description=f"{what}; several joined by commas", schema_extra={"pattern": pattern}
    )


def _ids(what: str, *words: str, alone: str = "", sign: str = "") -> Any:
    """Describe ids and *words*, several joined by commas, or a word that stands *alone*.

    With *sign*, a `!` before one leaves it out.
    """
    one = "|".join((_ID, *words))
    told = what + "".join(f", or `{word}`" for word in words)
    each = f"{sign}({one})" + (f"|!{alone}" if alone and sign else "")
    many = f"({each})(,({each}))*" if sign else f"({one})(,({one}))*"
    if alone:
        told, many = f"{told}, or `{alone}` alone", f"({alone}|{many})"
    return _several(f"{told}; a `!` before one leaves it out" if sign else told, f"^{many}$")


def _left_out_too(what: str, *words: str, alone: str = "") -> Any:
    return _ids(what, *words, alone=alone, sign="!?")


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
AssigneeFilter = FromQuery[Annotated[str | None, _left_out_too("Ids of assignees", ME, NONE)]]
LabelFilter = FromQuery[Annotated[str | None, _left_out_too("Ids of labels", alone=NONE)]]
ParentFilter = FromQuery[Annotated[str | None, _ids("Ids of the tasks directly above", alone=NONE)]]
CreatorFilter = FromQuery[Annotated[str | None, _left_out_too("Ids of who created it", ME)]]
WatcherFilter = FromQuery[Annotated[str | None, _left_out_too("Ids of who watches it", ME)]]
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


def _period(what: str, never: str = "") -> Any:
    """Describe a period, or the word *never*."""
    one, alone = f"({DAY}|{TIME})", f"|{never}" if never else ""
    told = f". Or `{never}`: never {what.lower()}" if never else ""
    return Parameter(
        description=f"{what} from a day to a day, 2026-01-01..2026-01-31, in the time zone of the"
        " organization, or from a time to a time, 2026-01-01T08:00:00Z..; one may be missing"
        + told,
        schema_extra={"pattern": rf"^({one}\.\.{one}?|\.\.{one}{alone})$"},
    )


CreatedFilter = FromQuery[Annotated[str | None, _period("Created")]]
UpdatedFilter = FromQuery[Annotated[str | None, _period("Changed last")]]
CompletedFilter = FromQuery[Annotated[str | None, _period("Completed", NONE)]]
_ORDERS = "|".join(each.value for each in TaskSort)
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
