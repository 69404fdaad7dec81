"""HTTP routes of timesheets: logged time across tasks, listed, added up, and as a table."""

import csv
import datetime
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream

from api.http.paging import LIMIT_DEFAULT, Paging, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, shows, shows_file
from api.http.policy import needs
from api.http.problem import FieldError, invalid
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from api.work.sight import project_here, projects_seen
from domain.base import PLATFORM, NotFound, ProjectId, UserId
from domain.permission import Permission
from domain.planning.worklog import TooMuchTime
from projections.base import View, document_id
from projections.identity.user import UserView
from projections.planning.timesheet import (
    ENTRIES_MAX,
    SUMS_MAX,
    SpentOn,
    TimeEntry,
    TimeFilter,
    TimeGrouping,
    Timesheet,
    TimeTotal,
)
from security.spreadsheet import plain_text

TIMESHEET_DAYS_MAX = 366
"""How many days a timesheet covers: a year, whichever it is."""

FirstDay = FromQuery[
    Annotated[datetime.date, QueryParameter(name="from", description="First day, YYYY-MM-DD")]
]
LastDay = FromQuery[
    Annotated[
        datetime.date,
        QueryParameter(name="to", description="Last day, at most 366 days with the first one"),
    ]
]
OfUser = FromQuery[
    Annotated[
        UUID | None, QueryParameter(name="userId", description="Only the time of this person")
    ]
]
OfProject = FromQuery[
    Annotated[
        UUID | None,
        QueryParameter(name="projectId", description="Only on tasks that are in this project now"),
    ]
]
Grouping = FromQuery[
    Annotated[
        TimeGrouping, QueryParameter(name="groupBy", description="What the time is added up by")
    ]
]
TABLE_OF_TIME = (
    "date",
    "minutes",
    "userId",
    "user",
    "project",
    "task",
    "title",
    "note",
    "id",
)

_user = msgspec.json.Decoder(UserView).decode


class TimesheetView(View, frozen=True, kw_only=True):
    """Logged time, added up: days in order, anything else with what took longest first.

    ``minutes`` and ``entries`` are those of all groups together.
    """

    minutes: int
    entries: int
    groups: list[TimeTotal]


class _Asked(NamedTuple):
    """Which entries are asked for, and in which project, if in one."""

    wanted: TimeFilter
    project_id: ProjectId | None


class TimesheetController(Controller):
    """Logged time across tasks."""

    path = "/api"
    tags = ("Time",)

    @get(
        "/worklogs",
        opt=needs(Permission.TASK_READ, fails=(NotFound,)),
        responses=shows(Page[TimeEntry]),
    )
    async def list_time(  # noqa: PLR0913, PLR0917 - the list, its filters and its page
        self,
        request: ApiRequest,
        first: FirstDay,
        last: LastDay,
        user: OfUser = None,
        project: OfProject = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the time that was logged on tasks that you see now, the earliest day first."""
        days: dict[str, Any] = {"from": first, "to": last}
        paging = Paging(request, user_id=user, project_id=project, **days)
        after = paging.key(cursor)
        sheet = await _sheet(request, _asked(first, last, user, project))
        return paging.answer(await sheet.page(limit, after), limit)

    @get(
        "/worklogs/export",
        opt=needs(Permission.TASK_READ, fails=(NotFound,), sends=("Content-Disposition",)),
        responses=shows_file("The entries", "text/csv"),
    )
    async def export_time(
        self,
        request: ApiRequest,
        first: FirstDay,
        last: LastDay,
        user: OfUser = None,
        project: OfProject = None,
    ) -> Stream:
        """Export the time that was logged on tasks that you see now, as a table (CSV, RFC 4180)."""
        asked = _asked(first, last, user, project)
        await _sheet(request, asked)  # so that it is refused before the answer begins
        content = _nothing() if request.client_info.head_only else _table(request, asked)
        disposition = f'attachment; filename="time-{first}-{last}.csv"'
        return Stream(content, media_type="text/csv", headers={"content-disposition": disposition})

    @get(
        "/timesheet",
        opt=needs(Permission.TASK_READ, fails=(NotFound, TooMuchTime)),
        responses=shows(TimesheetView),
    )
    async def add_up(  # noqa: PLR0913, PLR0917 - the sums and their filters
        self,
        request: ApiRequest,
        first: FirstDay,
        last: LastDay,
        by: Grouping = TimeGrouping.USER,
        user: OfUser = None,
        project: OfProject = None,
    ) -> ApiResponse:
        """Add up the time that was logged on tasks that you see now."""
        totals = await (await _sheet(request, _asked(first, last, user, project))).totals(by)
        if totals is None:
            raise TooMuchTime(entries=ENTRIES_MAX, sums=SUMS_MAX)
        return json_response(
            TimesheetView(
                minutes=sum(each.minutes for each in totals),
                entries=sum(each.entries for each in totals),
                groups=totals,
            )
        )


def _asked(
    first: datetime.date, last: datetime.date, user: UUID | None, project: UUID | None
) -> _Asked:
    """Return which entries are asked for.

    :raises Problem: 422 if there are no such days, or too many.
    """
    if first > last:
        raise invalid(FieldError("from", "Expected at most `to`"))
    if (last - first).days >= TIMESHEET_DAYS_MAX:
        raise invalid(
            FieldError("to", f"Expected at most {TIMESHEET_DAYS_MAX} days from `from` on")
        )
    wanted = TimeFilter(first=first, last=last, user_id=None if user is None else UserId(user))
    return _Asked(wanted, None if project is None else ProjectId(project))


async def _sheet(request: ApiRequest, asked: _Asked) -> Timesheet:
    """Return the entries that are asked for, on tasks that the caller sees now.

    :raises NotFound: the caller does not see the project.
    """
    await wait_for_own_writes(request, "worklogs", "tasks", "projects")
    if asked.project_id is None:
        projects = {each: one.key for each, one in (await projects_seen(request)).items()}
    else:
        project = await project_here(request, asked.project_id)
        projects = {asked.project_id: project.state.key}
    return Timesheet(request.api.models, request.organization, projects, asked.wanted)


async def _table(request: ApiRequest, asked: _Asked) -> AsyncIterator[bytes]:
    """Yield the table in UTF-8, in chunks of whole rows, after a row of names.

    What the caller may see is asked for each chunk again.
    """
    yield _written([TABLE_OF_TIME])
    after: str | None = None
    while True:
        some = await (await _sheet(request, asked)).slice(after)
        people = await _names(request, (one.spent.user_id for one in some.entries))
        yield _written(_row(one, people) for one in some.entries)
        after = some.next_key
        if after is None:
            return
        await request.identify(fresh=True)


async def _names(request: ApiRequest, people: Iterable[UserId | None]) -> dict[UserId, str]:
    ids = {document_id(PLATFORM, each): each for each in people if each is not None}
    found = await request.api.models.many("users", [*ids])
    return {ids[key]: _user(user).name for key, user in found.items()}


def _row(one: SpentOn, people: Mapping[UserId, str]) -> tuple[str, ...]:
    spent = one.spent
    project = one.task_key.rpartition("-")[0]
    return (
        str(spent.date),
        str(spent.minutes),
        "" if spent.user_id is None else str(spent.user_id),
        "" if spent.user_id is None else plain_text(people.get(spent.user_id, "")),
        project,
        one.task_key,
        plain_text(one.task.title),
        plain_text(spent.note or ""),
        str(spent.id),
    )


def _written(rows: Iterable[Iterable[str]]) -> bytes:
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator="\r\n").writerows(rows)
    return table.getvalue().encode()


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield
