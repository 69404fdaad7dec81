"""HTTP routes of the workflow of a project."""

from typing import Annotated

from litestar import Controller, get, put
from litestar.params import JSONBody
from msgspec import Meta, Struct, field
from msgspec.structs import replace

from api.http.paging import one
from api.http.parameters import shows, unchanged
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.work.project_key import ProjectRef, project_id_of
from api.work.sight import project_here
from commands.work.workflow import DefineWorkflow
from domain.identity.plan import PlanLimitReached
from domain.name import Name
from domain.permission import Permission
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.state import Project
from domain.work.workflow.errors import StatusInUse, WorkflowNotValid
from domain.work.workflow.events import Guard, StatusGroup, StatusKey, Transition
from domain.work.workflow.state import MOVED_MAX, STATUSES_MAX, TRANSITIONS_MAX, Status
from projections.work.workflow import WorkflowView, render_workflow

WipLimit = Annotated[int, Meta(ge=1, le=10_000)]


class NewStatus(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A status; ``wipLimit`` is how many tasks a board should show in it at most."""

    key: StatusKey
    name: Name
    group: StatusGroup
    wip_limit: WipLimit | None = None


class NewTransition(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A step that tasks may take, and what it requires of them."""

    from_: StatusKey = field(name="from")
    to: StatusKey
    guards: Annotated[tuple[Guard, ...], Meta(max_length=len(Guard))] = ()


class NewWorkflow(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a workflow.

    Tasks begin in the first status of the group TODO. ``moved`` names, for a status that goes, the
    one that its tasks have then.
    """

    statuses: Annotated[tuple[NewStatus, ...], Meta(min_length=1, max_length=STATUSES_MAX)]
    transitions: Annotated[tuple[NewTransition, ...], Meta(max_length=TRANSITIONS_MAX)]
    moved: Annotated[dict[StatusKey, StatusKey], Meta(max_length=MOVED_MAX)] = {}


class WorkflowController(Controller):
    """The statuses of a project's tasks, and the steps between them."""

    path = "/api/project/{project:str}/workflow"
    tags = ("Projects",)

    @get(
        "/",
        opt=needs(Permission.PROJECT_READ),
        responses=shows(WorkflowView) | unchanged(),
    )
    async def get_workflow(self, request: ApiRequest, project: ProjectRef) -> ApiResponse:
        """Return the workflow of a project."""
        found = await project_here(request, await project_id_of(request, project))
        return one(request, replace(found, version=found.state.workflow.version), render_workflow)

    @put(
        "/",
        opt=needs(
            Permission.PROJECT_WORKFLOW,
            fails=(PlanLimitReached, ProjectIsArchived, StatusInUse, WorkflowNotValid),
        ),
        responses=shows(WorkflowView),
    )
    async def define_workflow(
        self, request: ApiRequest, project: ProjectRef, data: JSONBody[NewWorkflow]
    ) -> ApiResponse:
        """Replace the workflow of a project. Plans from BASIC on have workflows of their own.

        A status that tasks have can go if `moved` names another one for them.
        """
        project_id = await project_id_of(request, project)
        command = DefineWorkflow(
            project_id=project_id,
            statuses=tuple(
                Status(key=s.key, name=s.name, group=s.group, wip_limit=s.wip_limit)
                for s in data.statuses
            ),
            transitions=tuple(
                Transition(from_=t.from_, to=t.to, guards=t.guards) for t in data.transitions
            ),
            moved=data.moved,
        )
        reply = Reply(stream=project_id, show=render_workflow, version=_version)
        return await run_command(request, command, reply)


def _version(project: Project) -> int:
    return project.workflow.version
