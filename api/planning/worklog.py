"""HTTP routes of the time that is logged on a task."""

import datetime
from functools import partial
from uuid import UUID

from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Struct, UnsetType

from api.http.paging import LIMIT_DEFAULT, Paging, one, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, nothing, shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.work.task_key import TaskRef, task_here, task_id_of
from commands.planning.worklog import (
    ChangeWorklog,
    DeleteWorklog,
    LogTime,
    Minutes,
    Note,
    RestoreWorklog,
)
from domain.base import NotFound, TaskId, UserId, WorklogId
from domain.permission import Permission
from domain.planning.worklog import DayOutOfRange, TooManyWorklogs, Worklog
from domain.work.project.errors import ProjectIsArchived
from domain.work.task.errors import CannotSeeProject, ParentInTrash
from eventstore.identifiers import new_id
from projections.planning.worklog import WorklogView, render_worklog, worklogs_of


class NewWorklog(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new entry: how long, on which day (today if it is omitted), and what was done.

    `userId` is whose time it is, if it is not yours.
    """

    minutes: Minutes
    date: datetime.date | None = None
    note: Note | None = None
    user_id: UserId | None = None


class WorklogChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; omitted fields stay as they are."""

    minutes: Minutes | UnsetType = UNSET
    date: datetime.date | UnsetType = UNSET
    note: Note | UnsetType | None = UNSET


def _shown(task_id: TaskId, worklog_id: UUID, status: int = 200) -> Reply:
    location = f"/api/task/{task_id}/worklogs/{{id}}" if status == 201 else ""
    show = partial(render_worklog, worklog_id)
    return Reply(stream=worklog_id, show=show, status=status, location=location)


class WorklogController(Controller):
    """The time that is logged on a task."""

    path = "/api/task/{task:str}/worklogs"
    tags = ("Time",)

    @post(
        "/",
        opt=needs(
            Permission.WORKLOG_LOG,
            fails=(CannotSeeProject, DayOutOfRange, ProjectIsArchived, TooManyWorklogs),
        ),
        responses=shows(WorklogView, 201),
    )
    async def create(
        self, request: ApiRequest, task: TaskRef, data: JSONBody[NewWorklog]
    ) -> ApiResponse:
        """Log time that you spent on a task or, if your role allows it, that another member did."""
        task_id, worklog_id = await task_id_of(request, task), WorklogId(new_id())
        command = LogTime(
            worklog_id=worklog_id,
            task_id=task_id,
            minutes=data.minutes,
            day=data.date,
            note=data.note,
            user_id=data.user_id,
        )
        return await run_command(request, command, _shown(task_id, worklog_id, 201))

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(Page[WorklogView]))
    async def list_worklogs(
        self,
        request: ApiRequest,
        task: TaskRef,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the time that was logged on a task, the latest day first."""
        task_id = await task_id_of(request, task)
        await task_here(request, task_id)
        paging = Paging(request)
        before = paging.key(cursor)
        await wait_for_own_writes(request, "worklogs")
        page = await worklogs_of(request.api.models, request.organization, task_id, limit, before)
        return paging.answer(page, limit)

    @get("/{worklog_id:uuid}", opt=needs(Permission.TASK_READ), responses=shows(WorklogView))
    async def get_worklog(
        self, request: ApiRequest, task: TaskRef, worklog_id: FromPath[UUID]
    ) -> ApiResponse:
        """Return an entry of time."""
        task_id = await task_id_of(request, task)
        await task_here(request, task_id)
        found = await request.newest(Worklog, worklog_id)
        if found.state.refuse_unless_here() != task_id:
            raise NotFound
        return one(request, found, partial(render_worklog, worklog_id))

    @patch(
        "/{worklog_id:uuid}",
        opt=needs(Permission.WORKLOG_LOG, fails=(DayOutOfRange, ProjectIsArchived)),
        responses=shows(WorklogView),
    )
    async def change(
        self,
        request: ApiRequest,
        task: TaskRef,
        worklog_id: FromPath[UUID],
        data: JSONBody[WorklogChange],
    ) -> ApiResponse:
        """Change an entry of time: your own or, if your role allows it, anybody's."""
        task_id = await task_id_of(request, task)
        command = ChangeWorklog(
            task_id=task_id,
            worklog_id=WorklogId(worklog_id),
            minutes=data.minutes,
            day=data.date,
            note=data.note,
        )
        return await run_command(request, command, _shown(task_id, worklog_id))

    @delete(
        "/{worklog_id:uuid}",
        status_code=200,
        opt=needs(Permission.WORKLOG_LOG, fails=(ProjectIsArchived,)),
        responses=nothing(),
    )
    async def remove(
        self, request: ApiRequest, task: TaskRef, worklog_id: FromPath[UUID]
    ) -> ApiResponse:
        """Move an entry of time to the trash: your own or, if your role allows it, anybody's."""
        task_id = await task_id_of(request, task)
        command = DeleteWorklog(task_id=task_id, worklog_id=WorklogId(worklog_id))
        return await run_command(request, command, Reply(stream=worklog_id))

    @post(
        "/{worklog_id:uuid}/restore",
        status_code=200,
        opt=needs(
            Permission.WORKLOG_LOG, fails=(ParentInTrash, ProjectIsArchived, TooManyWorklogs)
        ),
        responses=shows(WorklogView),
    )
    async def restore(
        self, request: ApiRequest, task: TaskRef, worklog_id: FromPath[UUID]
    ) -> ApiResponse:
        """Restore an entry of time from the trash: what you deleted, or anybody's if you may."""
        task_id = await task_id_of(request, task)
        command = RestoreWorklog(task_id=task_id, worklog_id=WorklogId(worklog_id))
        return await run_command(request, command, _shown(task_id, worklog_id))
