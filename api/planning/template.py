"""HTTP routes of task templates."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET, Struct, UnsetType

from api.http.paging import LIMIT_DEFAULT, Paging, one, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, nothing, shows
from api.http.policy import needs
from api.http.problem import FieldError, invalid
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.planning.template_body import Purpose, StartingSubtasks, StartingTask
from api.planning.template_copy import copied_task
from api.work.sight import project_here
from commands.planning.template import (
    CreateTemplate,
    DeleteTemplate,
    EditTemplate,
    RestoreTemplate,
    TemplateCommand,
)
from domain.base import NotFound, ProjectId, TaskId, TemplateId
from domain.name import Name
from domain.permission import Permission
from domain.planning.field import FieldNotInUse
from domain.planning.template.errors import TemplateNameTaken, TemplateTooLarge
from domain.planning.template.state import TaskTemplate
from domain.work.project.errors import ProjectIsArchived
from domain.work.task.custom_field import FieldValueNotValid, UnknownField
from domain.work.task.errors import CannotSeeProject, StartsAfterDue
from domain.work.workflow.errors import UnknownStatus
from eventstore.identifiers import new_id
from projections.planning.template import TemplateView, render_template, templates_of


class NewTemplate(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new template; without a project it is the whole organization's.

    `fromTaskId` is a task whose values and subtasks it takes over, in place of `task` and
    `subtasks`; what a template cannot have there is left out.
    """

    name: Name
    description: Purpose | None = None
    project_id: ProjectId | None = None
    task: StartingTask = StartingTask()
    subtasks: StartingSubtasks = ()
    from_task_id: TaskId | None = None


class TemplateChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; omitted fields stay as they are, and `subtasks` are replaced as a whole."""

    name: Name | UnsetType = UNSET
    description: Purpose | UnsetType | None = UNSET
    task: StartingTask = StartingTask()
    subtasks: StartingSubtasks | UnsetType = UNSET


_FAILS = (
    TemplateNameTaken,
    NotFound,
    ProjectIsArchived,
    CannotSeeProject,
    StartsAfterDue,
    UnknownStatus,
    FieldNotInUse,
    FieldValueNotValid,
    UnknownField,
)


def _shown(template_id: UUID, status: int = 200) -> Reply:
    location = "/api/template/{id}" if status == 201 else ""
    show: Any = partial(render_template, template_id)
    return Reply(stream=template_id, show=show, status=status, location=location)


async def _change(request: ApiRequest, command: TemplateCommand) -> ApiResponse:
    return await run_command(request, command, _shown(command.template_id))


async def _starting(request: ApiRequest, data: NewTemplate) -> dict[str, Any]:
    """Return what a new template lets tasks start with, by the names of the command.

    :raises NotFound: it is to be that of a task that the caller does not see.
    """
    task = data.task
    if data.from_task_id is not None:
        if task != StartingTask() or data.subtasks:
            raise invalid(FieldError("$.fromTaskId", "Expected either this or task and subtasks"))
        copied = await copied_task(request, data.from_task_id)
        return {**copied._asdict(), "fitted": True}
    return {
        "title": None if task.title is UNSET else task.title,
        "text": None if task.description is UNSET else task.description,
        "values": task.values,
        "fields": {key: value for key, value in task.field_values.items() if value is not None},
        "subtasks": tuple(each.subtask for each in data.subtasks),
    }


class TemplateController(Controller):
    """Task templates: what a new task starts with, of the organization or of one project."""

    path = "/api/template"
    tags = ("Templates",)

    @post(
        "/",
        opt=needs(Permission.TASK_EDIT, fails=(*_FAILS, TemplateTooLarge)),
        responses=shows(TemplateView, 201),
    )
    async def create(self, request: ApiRequest, data: JSONBody[NewTemplate]) -> ApiResponse:
        """Create a task template, of a task if wanted. Its name must be new where it belongs."""
        template_id = TemplateId(new_id())
        command = CreateTemplate(
            template_id=template_id,
            project_id=data.project_id,
            name=data.name,
            description=data.description,
            **await _starting(request, data),
        )
        return await run_command(request, command, _shown(template_id, 201))

    @get(
        "/",
        opt=needs(Permission.TASK_READ, fails=(NotFound,)),
        responses=shows(Page[TemplateView]),
    )
    async def list_templates(
        self,
        request: ApiRequest,
        project: FromQuery[
            Annotated[
                UUID | None,
                QueryParameter(name="projectId", description="The templates of this project"),
            ]
        ] = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the templates of the organization, or of one project, sorted by name."""
        project_id = None if project is None else ProjectId(project)
        if project_id is not None:
            await project_here(request, project_id)
        paging = Paging(request, project_id=project)
        after = paging.key(cursor)
        await wait_for_own_writes(request, "templates")
        models, org_id = request.api.models, request.organization
        page = await templates_of(models, org_id, project_id, limit, after)
        return paging.answer(page, limit)

    @get("/{template_id:uuid}", opt=needs(Permission.TASK_READ), responses=shows(TemplateView))
    async def get_template(self, request: ApiRequest, template_id: FromPath[UUID]) -> ApiResponse:
        """Return a template."""
        found = await request.newest(TaskTemplate, template_id)
        found.state.refuse_unless_here()
        if found.state.project_id is not None:
            await project_here(request, found.state.project_id)
        return one(request, found, partial(render_template, template_id))

    @patch(
        "/{template_id:uuid}",
        opt=needs(Permission.TASK_EDIT, fails=_FAILS),
        responses=shows(TemplateView),
    )
    async def edit(
        self, request: ApiRequest, template_id: FromPath[UUID], data: JSONBody[TemplateChange]
    ) -> ApiResponse:
        """Change a template. Tasks that were created from it stay as they are."""
        subtasks = data.subtasks
        command = EditTemplate(
            template_id=TemplateId(template_id),
            name=data.name,
            description=data.description,
            title=data.task.title,
            text=data.task.description,
            values=data.task.change,
            fields=data.task.field_values,
            subtasks=UNSET if subtasks is UNSET else tuple(each.subtask for each in subtasks),
        )
        return await _change(request, command)

    @delete(
        "/{template_id:uuid}",
        status_code=200,
        opt=needs(Permission.TASK_EDIT, fails=(ProjectIsArchived,)),
        responses=nothing(),
    )
    async def remove(self, request: ApiRequest, template_id: FromPath[UUID]) -> ApiResponse:
        """Move a template to the trash. Tasks that were created from it stay as they are."""
        command = DeleteTemplate(template_id=TemplateId(template_id))
        return await run_command(request, command, Reply(stream=template_id))

    @post(
        "/{template_id:uuid}/restore",
        status_code=200,
        opt=needs(Permission.TASK_EDIT, fails=(TemplateNameTaken, ProjectIsArchived)),
        responses=shows(TemplateView),
    )
    async def restore(self, request: ApiRequest, template_id: FromPath[UUID]) -> ApiResponse:
        """Restore a template from the trash, unless another has its name by now."""
        return await _change(request, RestoreTemplate(template_id=TemplateId(template_id)))
