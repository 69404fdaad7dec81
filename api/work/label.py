"""HTTP routes of labels."""

from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET, Struct, UnsetType

from api.http.paging import LIMIT_DEFAULT, Paging, one, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, nothing, shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.work.sight import project_here
from commands.work.label import (
    CreateLabel,
    DeleteLabel,
    EditLabel,
    LabelColor,
    LabelCommand,
    RestoreLabel,
)
from domain.base import LabelId, NotFound, ProjectId
from domain.name import Name
from domain.permission import Permission
from domain.work.label import Label, LabelNameTaken
from domain.work.project.errors import ProjectIsArchived
from eventstore.identifiers import new_id
from projections.work.label import LabelView, labels_of, render_label


class NewLabel(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new label; without a project it is the whole organization's."""

    name: Name
    color: LabelColor
    project_id: ProjectId | None = None


class LabelChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; omitted fields stay as they are."""

    name: Name | UnsetType = UNSET
    color: LabelColor | UnsetType = UNSET


def _shown(label_id: UUID, status: int = 200) -> Reply:
    def show(label: Label, version: int, at: datetime) -> bytes:
        return render_label(label_id, label, version, at)

    location = "/api/label/{id}" if status == 201 else ""
    return Reply(stream=label_id, show=show, status=status, location=location)


async def _change(request: ApiRequest, command: LabelCommand) -> ApiResponse:
    return await run_command(request, command, _shown(command.label_id))


class LabelController(Controller):
    """Labels: coloured names for tasks, of the organization or of one project."""

    path = "/api/label"
    tags = ("Labels",)

    @post(
        "/",
        opt=needs(Permission.TASK_EDIT, fails=(LabelNameTaken, NotFound, ProjectIsArchived)),
        responses=shows(LabelView, 201),
    )
    async def create(self, request: ApiRequest, data: JSONBody[NewLabel]) -> ApiResponse:
        """Create a label. Its name must be new in its project or in the organization."""
        label_id = LabelId(new_id())
        command = CreateLabel(
            label_id=label_id, name=data.name, color=data.color, project_id=data.project_id
        )
        return await run_command(request, command, _shown(label_id, 201))

    @get("/", opt=needs(Permission.TASK_READ, fails=(NotFound,)), responses=shows(Page[LabelView]))
    async def list_labels(
        self,
        request: ApiRequest,
        project: FromQuery[
            Annotated[
                UUID | None,
                QueryParameter(name="projectId", description="The labels of this project"),
            ]
        ] = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the labels of the organization, or of one project, sorted by name."""
        project_id = None if project is None else ProjectId(project)
        if project_id is not None:
            await project_here(request, project_id)
        paging = Paging(request, project_id=project)
        after = paging.key(cursor)
        await wait_for_own_writes(request, "labels")
        page = await labels_of(request.api.models, request.organization, project_id, limit, after)
        return paging.answer(page, limit)

    @get("/{label_id:uuid}", opt=needs(Permission.TASK_READ), responses=shows(LabelView))
    async def get_label(self, request: ApiRequest, label_id: FromPath[UUID]) -> ApiResponse:
        """Return a label."""
        found = await request.newest(Label, label_id)
        found.state.refuse_unless_here()
        if found.state.project_id is not None:
            await project_here(request, found.state.project_id)
        return one(request, found, partial(render_label, label_id))

    @patch(
        "/{label_id:uuid}",
        opt=needs(Permission.TASK_EDIT, fails=(LabelNameTaken, ProjectIsArchived)),
        responses=shows(LabelView),
    )
    async def edit(
        self, request: ApiRequest, label_id: FromPath[UUID], data: JSONBody[LabelChange]
    ) -> ApiResponse:
        """Change the name or colour of a label."""
        command = EditLabel(label_id=LabelId(label_id), name=data.name, color=data.color)
        return await _change(request, command)

    @delete(
        "/{label_id:uuid}",
        status_code=200,
        opt=needs(Permission.TASK_EDIT, fails=(ProjectIsArchived,)),
        responses=nothing(),
    )
    async def remove(self, request: ApiRequest, label_id: FromPath[UUID]) -> ApiResponse:
        """Move a label to the trash. Tasks keep it, in case that it is restored."""
        command = DeleteLabel(label_id=LabelId(label_id))
        return await run_command(request, command, Reply(stream=label_id))

    @post(
        "/{label_id:uuid}/restore",
        status_code=200,
        opt=needs(Permission.TASK_EDIT, fails=(LabelNameTaken, ProjectIsArchived)),
        responses=shows(LabelView),
    )
    async def restore(self, request: ApiRequest, label_id: FromPath[UUID]) -> ApiResponse:
        """Restore a label from the trash, unless another has its name by now."""
        return await _change(request, RestoreLabel(label_id=LabelId(label_id)))
