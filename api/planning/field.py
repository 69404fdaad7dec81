"""HTTP routes of the custom fields of a project."""

from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from api.http.paging import LIMIT_DEFAULT, Paging, one, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, nothing, shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.work.project_key import ProjectRef, project_id_of
from api.work.sight import project_here
from commands.planning.field import (
    CreateField,
    DeleteField,
    EditField,
    FieldCommand,
    RestoreField,
)
from domain.base import FieldId
from domain.identity.plan import PlanLimitReached
from domain.name import Name
from domain.permission import Permission
from domain.planning.field import (
    OPTIONS_MAX,
    Field,
    FieldKeyTaken,
    FieldNameTaken,
    FieldNotValid,
    Option,
)
from domain.work.project.errors import ProjectIsArchived
from domain.work.task.custom_field import FieldKey, FieldType
from projections.planning.field import FieldView, custom_fields_of, render_field


class NewOption(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """An option of a custom field."""

    key: FieldKey
    name: Name


NewOptions = Annotated[tuple[NewOption, ...], Meta(max_length=OPTIONS_MAX)]


class NewField(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new custom field; only the types `select` and `multi_select` take options."""

    key: FieldKey
    name: Name
    type: FieldType
    options: NewOptions = ()


class FieldChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; omitted fields stay as they are. Options that are left out are retired."""

    name: Name | UnsetType = UNSET
    options: NewOptions | UnsetType = UNSET


_FIELD_FAILS = (FieldNameTaken, FieldNotValid, ProjectIsArchived)


def _shown(field_id: UUID, status: int = 200) -> Reply:
    def show(field: Field, version: int, at: datetime) -> bytes:
        return render_field(field_id, field, version, at)

    location = "/api/field/{id}" if status == 201 else ""
    return Reply(stream=field_id, show=show, status=status, location=location)


async def _change(request: ApiRequest, command: FieldCommand) -> ApiResponse:
    return await run_command(request, command, _shown(command.field_id))


def _options(options: NewOptions) -> tuple[Option, ...]:
    return tuple(Option(one.key, one.name) for one in options)


class ProjectFieldController(Controller):
    """The custom fields of one project."""

    path = "/api/project/{project:str}/fields"
    tags = ("Custom fields",)

    @post(
        "/",
        opt=needs(
            Permission.PROJECT_WORKFLOW, fails=(FieldKeyTaken, PlanLimitReached, *_FIELD_FAILS)
        ),
        responses=shows(FieldView, 201),
    )
    async def create(
        self, request: ApiRequest, project: ProjectRef, data: JSONBody[NewField]
    ) -> ApiResponse:
        """Create a custom field for the tasks of a project. Its key and type never change."""
        command = CreateField(
            project_id=await project_id_of(request, project),
            key=data.key,
            name=data.name,
            kind=data.type,
            options=_options(data.options),
        )
        return await run_command(request, command, _shown(command.field_id, 201))

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(Page[FieldView]))
    async def list_fields(
        self,
        request: ApiRequest,
        project: ProjectRef,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the custom fields of a project, sorted by key."""
        project_id = await project_id_of(request, project)
        await project_here(request, project_id)
        paging = Paging(request)
        after = paging.key(cursor)
        await wait_for_own_writes(request, "fields")
        page = await custom_fields_of(
            request.api.models, request.organization, project_id, limit, after
        )
        return paging.answer(page, limit)


class FieldController(Controller):
    """Custom fields."""

    path = "/api/field/{field_id:uuid}"
    tags = ("Custom fields",)

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(FieldView))
    async def get_field(self, request: ApiRequest, field_id: FromPath[UUID]) -> ApiResponse:
        """Return a custom field."""
        found = await request.newest(Field, field_id)
        await project_here(request, found.state.refuse_unless_here())
        return one(request, found, partial(render_field, field_id))

    @patch(
        "/",
        opt=needs(Permission.PROJECT_WORKFLOW, fails=_FIELD_FAILS),
        responses=shows(FieldView),
    )
    async def edit(
        self, request: ApiRequest, field_id: FromPath[UUID], data: JSONBody[FieldChange]
    ) -> ApiResponse:
        """Change the name or the options of a custom field.

        An option that is left out is retired: tasks keep it, and get no new one.
        """
        options = UNSET if data.options is UNSET else _options(data.options)
        command = EditField(field_id=FieldId(field_id), name=data.name, options=options)
        return await _change(request, command)

    @delete(
        "/",
        status_code=200,
        opt=needs(Permission.PROJECT_WORKFLOW, fails=(ProjectIsArchived,)),
        responses=nothing(),
    )
    async def remove(self, request: ApiRequest, field_id: FromPath[UUID]) -> ApiResponse:
        """Move a custom field to the trash. Tasks keep their values, in case it is restored."""
        command = DeleteField(field_id=FieldId(field_id))
        return await run_command(request, command, Reply(stream=field_id))

    @post(
        "/restore",
        status_code=200,
        opt=needs(
            Permission.PROJECT_WORKFLOW, fails=(FieldNameTaken, PlanLimitReached, ProjectIsArchived)
        ),
        responses=shows(FieldView),
    )
    async def restore(self, request: ApiRequest, field_id: FromPath[UUID]) -> ApiResponse:
        """Restore a custom field from the trash, unless another has its name by now."""
        return await _change(request, RestoreField(field_id=FieldId(field_id)))
