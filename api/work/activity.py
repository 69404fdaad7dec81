"""HTTP routes of what happened to a task or a project, for everybody who may see it."""

from uuid import UUID

from litestar import Controller, get

from api.http.paging import LIMIT_DEFAULT, Paging, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.work.project_key import ProjectRef, project_id_of
from api.work.sight import hidden_from, project_here
from api.work.task_key import TaskRef, task_here, task_id_of
from deliveries.event_projects import about_projects
from domain.permission import Permission
from projections.engine.query import ListSlice, list_slice
from projections.work.activity import ActivityView, activity_of, told_of


class TaskActivityController(Controller):
    """What happened to a task."""

    path = "/api/task/{task:str}/activity"
    tags = ("Tasks",)

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(Page[ActivityView]))
    async def list_task_activity(
        self,
        request: ApiRequest,
        task: TaskRef,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List who did what to a task, its comments and its files, newest first."""
        task_id = await task_id_of(request, task)
        await task_here(request, task_id)
        return await activity_page(request, task_id, limit, cursor)


class ProjectActivityController(Controller):
    """What happened to a project."""

    path = "/api/project/{project:str}/activity"
    tags = ("Projects",)

    @get("/", opt=needs(Permission.PROJECT_READ), responses=shows(Page[ActivityView]))
    async def list_project_activity(
        self,
        request: ApiRequest,
        project: ProjectRef,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List who did what to a project, and which tasks came and went, newest first."""
        project_id = await project_id_of(request, project)
        await project_here(request, project_id)
        return await activity_page(request, project_id, limit, cursor)


async def activity_page(
    request: ApiRequest, thing: UUID, limit: int, cursor: str | None
) -> ApiResponse:
    """Return a page of what happened to a thing that the caller sees."""
    paging = Paging(request)
    below = paging.key(cursor)
    await wait_for_own_writes(request, "activity")
    page = await activity_of(request.api.models, request.organization, thing, limit, below)
    return paging.answer(await _told(request, page), limit)


async def _told(request: ApiRequest, page: ListSlice) -> ListSlice:
    """Return the events of *page* as the log has them, the newest first.

    Without those that name a project, or its task, that the caller cannot see, such as the move of
    a task out of it.
    """
    system, org_id = request.api.system, request.organization
    rows = await system.log.organization_at(org_id, page.keys)
    hidden = await about_projects(
        system.log, system.commands.states, rows, await hidden_from(request)
    )
    events = await system.log.decoded([row for row in rows if row.org_seq not in hidden])
    return list_slice([told_of(each) for each in reversed(events)], page.next_key)
