"""HTTP routes of projects."""

from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, patch, post
from litestar.params import FromQuery, JSONBody, Parameter
from msgspec import UNSET, Struct, UnsetType

from api.http.paging import LIMIT_DEFAULT, Paging, one, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, nothing, shows
from api.http.policy import needs
from api.http.request import ApiRequest, uuid_or_none
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.past.as_of import AskedMoment
from api.work.past.project import ProjectThen, project_as_of
from api.work.project_key import ProjectRef, project_id_of
from api.work.sight import hidden_from, project_here
from commands.work.project import (
    ArchiveProject,
    CreateProject,
    DeleteProject,
    EditProject,
    HoldProject,
    ProjectCommand,
    ProjectDescription,
    ProjectKey,
    Reason,
    RestoreProject,
    ResumeProject,
    UnarchiveProject,
)
from domain.base import NotFound, ProjectId, TeamId, UserId
from domain.claim import ProjectKeyTaken
from domain.identity.plan import PlanLimitReached
from domain.name import Name
from domain.permission import Permission
from domain.work.project.errors import (
    ProjectIsArchived,
)
from domain.work.project.events import ProjectStatus, Visibility
from domain.work.project.state import Project
from domain.work.workflow.events import Preset
from eventstore.identifiers import new_id
from projections.work.project import ProjectView, projects_of, render_project


class NewProject(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new project."""

    key: ProjectKey
    name: Name
    description: ProjectDescription | None = None
    lead_id: UserId | None = None
    team_id: TeamId | None = None
    visibility: Visibility = Visibility.ORGANIZATION
    preset: Preset = Preset.STANDARD


class ProjectChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; omitted fields stay as they are."""

    key: ProjectKey | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    description: ProjectDescription | UnsetType | None = UNSET
    lead_id: UserId | UnsetType | None = UNSET
    team_id: TeamId | UnsetType | None = UNSET
    visibility: Visibility | UnsetType = UNSET


class Hold(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a hold."""

    reason: Reason | None = None


def _shown(project_id: UUID, status: int = 200) -> Reply:
    def show(project: Project, version: int, at: datetime) -> bytes:
        return render_project(project_id, project, version, at)

    location = "/api/project/{id}" if status == 201 else ""
    return Reply(stream=project_id, show=show, status=status, location=location)


async def _change(request: ApiRequest, command: ProjectCommand) -> ApiResponse:
    return await run_command(request, command, _shown(command.project_id))


_EDIT_FAILS = (NotFound, ProjectKeyTaken)


class ProjectController(Controller):
    """Projects: sets of tasks, numbered under the project's key."""

    path = "/api/project"
    tags = ("Projects",)

    @post(
        "/",
        opt=needs(
            Permission.PROJECT_CREATE,
            fails=(NotFound, PlanLimitReached, ProjectKeyTaken),
        ),
        responses=shows(ProjectView, 201),
    )
    async def create(self, request: ApiRequest, data: JSONBody[NewProject]) -> ApiResponse:
        """Create a project. Its key must be new in the organization."""
        project_id = ProjectId(new_id())
        command = CreateProject(
            project_id=project_id,
            key=data.key,
            name=data.name,
            description=data.description,
            lead_id=data.lead_id,
            team_id=data.team_id,
            visibility=data.visibility,
            preset=data.preset,
        )
        return await run_command(request, command, _shown(project_id, 201))

    @get("/", opt=needs(Permission.PROJECT_READ), responses=shows(Page[ProjectView]))
    async def list_projects(
        self,
        request: ApiRequest,
        status: FromQuery[
            Annotated[ProjectStatus | None, Parameter(description="Filter by status")]
        ] = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the projects of the organization, sorted by key."""
        paging = Paging(request, status=status)
        after = paging.key(cursor)
        await wait_for_own_writes(request, "projects")
        hidden = await hidden_from(request)
        page = await projects_of(
            request.api.models, request.organization, status, limit, after, hidden
        )
        return paging.answer(page, limit)

    @get(
        "/{project:str}",
        opt=needs(Permission.PROJECT_READ, fails=(PlanLimitReached,), sends=("Content-Location",)),
        responses=shows(ProjectView | ProjectThen),
    )
    async def get_project(
        self, request: ApiRequest, project: ProjectRef, as_of: AskedMoment = None
    ) -> ApiResponse:
        """Return a project, or with `as_of` what it was at a moment."""
        if as_of is not None:
            return await project_as_of(request, project, as_of)
        project_id = await project_id_of(request, project)
        found = await project_here(request, project_id)
        answer = one(request, found, partial(render_project, project_id), derived=True)
        if uuid_or_none(project) is None and project.upper() != found.state.key:
            answer.with_header(b"content-location", f"/api/project/{found.state.key}".encode())
        return answer

    @patch(
        "/{project:str}",
        opt=needs(Permission.PROJECT_EDIT, fails=(*_EDIT_FAILS, ProjectIsArchived)),
        responses=shows(ProjectView),
    )
    async def edit(
        self, request: ApiRequest, project: ProjectRef, data: JSONBody[ProjectChange]
    ) -> ApiResponse:
        """Change fields of a project. After a new key, the old one still leads to it."""
        command = EditProject(
            project_id=await project_id_of(request, project),
            key=data.key,
            name=data.name,
            description=data.description,
            lead_id=data.lead_id,
            team_id=data.team_id,
            visibility=data.visibility,
        )
        return await _change(request, command)

    @delete(
        "/{project:str}",
        status_code=200,
        opt=needs(Permission.PROJECT_DELETE),
        responses=nothing(),
    )
    async def remove(self, request: ApiRequest, project: ProjectRef) -> ApiResponse:
        """Move a project to the trash with all of its tasks."""
        project_id = await project_id_of(request, project)
        command = DeleteProject(project_id=project_id)
        return await run_command(request, command, Reply(stream=project_id))

    @post(
        "/{project:str}/archive",
        status_code=200,
        opt=needs(Permission.PROJECT_ARCHIVE),
        responses=shows(ProjectView),
    )
    async def archive(self, request: ApiRequest, project: ProjectRef) -> ApiResponse:
        """Archive a project. It stays readable but can no longer be changed."""
        return await _change(
            request, ArchiveProject(project_id=await project_id_of(request, project))
        )

    @post(
        "/{project:str}/unarchive",
        status_code=200,
        opt=needs(Permission.PROJECT_ARCHIVE),
        responses=shows(ProjectView),
    )
    async def unarchive(self, request: ApiRequest, project: ProjectRef) -> ApiResponse:
        """Unarchive a project."""
        return await _change(
            request, UnarchiveProject(project_id=await project_id_of(request, project))
        )

    @post(
        "/{project:str}/hold",
        status_code=200,
        opt=needs(Permission.PROJECT_HOLD, fails=(ProjectIsArchived,)),
        responses=shows(ProjectView),
    )
    async def hold(
        self, request: ApiRequest, project: ProjectRef, data: JSONBody[Hold | None] = None
    ) -> ApiResponse:
        """Put a project on hold: no tasks can be created or started in it."""
        reason = None if data is None else data.reason
        return await _change(
            request, HoldProject(project_id=await project_id_of(request, project), reason=reason)
        )

    @post(
        "/{project:str}/resume",
        status_code=200,
        opt=needs(Permission.PROJECT_HOLD, fails=(ProjectIsArchived,)),
        responses=shows(ProjectView),
    )
    async def resume(self, request: ApiRequest, project: ProjectRef) -> ApiResponse:
        """Resume a project that is on hold."""
        return await _change(
            request, ResumeProject(project_id=await project_id_of(request, project))
        )

    @post(
        "/{project:str}/restore",
        status_code=200,
        opt=needs(Permission.PROJECT_DELETE, fails=(PlanLimitReached,)),
        responses=shows(ProjectView),
    )
    async def restore(self, request: ApiRequest, project: ProjectRef) -> ApiResponse:
        """Restore a project and its tasks from the trash."""
        return await _change(
            request, RestoreProject(project_id=await project_id_of(request, project))
        )
