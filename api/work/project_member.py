"""HTTP routes of the members of a project, who see it if it is private."""

from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.http.paging import list_json
from api.http.parameters import Page, nothing, shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.work.project_key import ProjectRef, project_id_of
from api.work.sight import project_here
from commands.work.project_member import AddProjectMember, RemoveProjectMember
from domain.base import NotFound, UserId
from domain.permission import Permission
from domain.work.project.errors import ProjectIsArchived, TooManyProjectMembers

_encode = msgspec.json.Encoder().encode


class ProjectMemberView(Struct, frozen=True, rename="camel"):
    """Somebody who is a member of a project."""

    user_id: UserId


class NewProjectMember(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body that makes somebody a member of a project."""

    user_id: UserId


class ProjectMemberController(Controller):
    """Who is a member of a project; its lead and its team see it anyway."""

    path = "/api/project/{project:str}/members"
    tags = ("Projects",)

    @get("/", opt=needs(Permission.PROJECT_READ), responses=shows(Page[ProjectMemberView]))
    async def list_project_members(self, request: ApiRequest, project: ProjectRef) -> ApiResponse:
        """List the members of a project in the order in which they were added, at most 500."""
        found = await project_here(request, await project_id_of(request, project))
        items = [_encode(ProjectMemberView(user_id)) for user_id in found.state.members]
        return ApiResponse(list_json(b",".join(items), None))

    @post(
        "/",
        status_code=200,
        opt=needs(
            Permission.PROJECT_EDIT, fails=(NotFound, ProjectIsArchived, TooManyProjectMembers)
        ),
        responses=nothing(),
    )
    async def add_project_member(
        self, request: ApiRequest, project: ProjectRef, data: JSONBody[NewProjectMember]
    ) -> ApiResponse:
        """Make an active member of the organization a member of a project."""
        project_id = await project_id_of(request, project)
        command = AddProjectMember(project_id=project_id, user_id=data.user_id)
        return await run_command(request, command, Reply(stream=project_id))

    @delete(
        "/{user_id:uuid}",
        status_code=200,
        opt=needs(Permission.PROJECT_EDIT),
        responses=nothing(),
    )
    async def remove_project_member(
        self, request: ApiRequest, project: ProjectRef, user_id: FromPath[UUID]
    ) -> ApiResponse:
        """Remove somebody from the members of a project; everybody may leave by themselves."""
        project_id = await project_id_of(request, project)
        command = RemoveProjectMember(project_id=project_id, user_id=UserId(user_id))
        return await run_command(request, command, Reply(stream=project_id))
