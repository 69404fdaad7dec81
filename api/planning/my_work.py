"""HTTP routes of the caller's own work: what concerns them in all projects that they see."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.params import FromPath, Parameter

from api.http.paging import LIMIT_DEFAULT, Paging, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from api.work.sight import projects_seen
from api.work.tasks.detail import TaskDetail, tasks_in_full, viewer_of
from domain.base import NotFound, ProjectId
from domain.permission import Permission
from domain.work.project.events import ProjectStatus
from domain.work.project.state import Project
from projections.base import View
from projections.engine.query import ListSlice
from projections.planning.my_work import Concern, work_of


class MyTasks(View, frozen=True, kw_only=True):
    """A page of tasks; `nextCursor` leads to the next one, in the list of this kind alone."""

    items: list[TaskDetail]
    next_cursor: str | None


class MyWork(View, frozen=True, kw_only=True):
    """The open tasks that concern the caller, in projects that they see and that are not archived.

    `assigned`, `created` and `watched`: those changed last come first. `due`: the assigned ones
    that have a date or a time, the first to be done first.
    """

    assigned: MyTasks
    created: MyTasks
    watched: MyTasks
    due: MyTasks


class _MyTasks(View, frozen=True, kw_only=True):
    """``MyTasks`` that are JSON already."""

    items: msgspec.Raw
    next_cursor: str | None


_CONCERNS = "|".join(Concern)
OneConcern = FromPath[
    Annotated[
        str,
        Parameter(
            description="Which of the lists: assigned, created, watched or due",
            schema_extra={"pattern": f"^({_CONCERNS})$"},
        ),
    ]
]


class MyWorkController(Controller):
    """The caller's own work."""

    path = "/api/my-work"
    tags = ("My work",)

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(MyWork))
    async def show(self, request: ApiRequest, limit: Limit = LIMIT_DEFAULT) -> ApiResponse:
        """Return the first page of each list of open tasks that concern the caller."""
        projects = await _projects(request)
        found: dict[str, _MyTasks] = {}
        for concern in Concern:
            page = await _page(request, projects, concern, limit, None)
            cursor = Paging(request, path=f"/api/my-work/{concern}").cursor(page)
            found[concern] = _MyTasks(items=msgspec.Raw(b"[%b]" % page.json), next_cursor=cursor)
        return json_response(found)

    @get(
        "/{concern:str}",
        opt=needs(Permission.TASK_READ),
        responses=shows(Page[TaskDetail]),
    )
    async def list_my_tasks(
        self,
        request: ApiRequest,
        concern: OneConcern,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the open tasks that are assigned to the caller, or concern them otherwise."""
        if concern not in [*Concern]:
            raise NotFound
        paging = Paging(request)
        after = paging.key(cursor)
        page = await _page(request, await _projects(request), Concern(concern), limit, after)
        return paging.answer(page, limit)


async def _projects(request: ApiRequest) -> dict[ProjectId, Project]:
    await wait_for_own_writes(request, "projects", "tasks")
    return {
        each: project
        for each, project in (await projects_seen(request)).items()
        if project.status is not ProjectStatus.ARCHIVED
    }


async def _page(
    request: ApiRequest,
    projects: Mapping[ProjectId, Project],
    concern: Concern,
    limit: int,
    after: str | None,
) -> ListSlice:
    user_id = request.caller.user_id
    page = await work_of(
        request.api.models, request.organization, [*projects], user_id, concern, limit, after
    )
    return await tasks_in_full(request, await viewer_of(request), page, projects)
