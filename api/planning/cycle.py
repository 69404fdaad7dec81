"""HTTP routes of the cycles of a project."""

from datetime import date
from uuid import UUID

from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Struct, UnsetType

from api.http.paging import LIMIT_DEFAULT, Paging, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, nothing, shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.planning.progress import (
    NONE_YET,
    PlanProgress,
    all_with_progress,
    one_with_progress,
    progress_of,
    reply_with_progress,
)
from api.work.activity import activity_page
from api.work.project_key import ProjectRef, project_id_of
from api.work.sight import project_here
from commands.planning.cycle import (
    CreateCycle,
    CycleCommand,
    DeleteCycle,
    EditCycle,
    RestoreCycle,
)
from domain.base import CycleId
from domain.name import Name
from domain.permission import Permission
from domain.planning.cycle import Cycle, CycleNameTaken, CycleNotValid, CyclesOverlap
from domain.work.project.errors import ProjectIsArchived
from eventstore.identifiers import new_id
from projections.planning.cycle import CycleView, cycles_of, render_cycle
from projections.work.activity import ActivityView


class NewCycle(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new cycle."""

    name: Name
    starts_on: date
    ends_on: date


class CycleChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; omitted fields stay as they are."""

    name: Name | UnsetType = UNSET
    starts_on: date | UnsetType = UNSET
    ends_on: date | UnsetType = UNSET


class CycleInFull(CycleView, frozen=True, kw_only=True):
    """A cycle as the API shows it: with its progress."""

    progress: PlanProgress


_FAILS = (CycleNameTaken, CyclesOverlap, ProjectIsArchived)


async def _change(request: ApiRequest, command: CycleCommand) -> ApiResponse:
    [progress] = await progress_of(request, [command.cycle_id])  # which it does not change
    reply = reply_with_progress(command.cycle_id, render_cycle, progress)
    return await run_command(request, command, reply)


class ProjectCycleController(Controller):
    """The cycles of one project."""

    path = "/api/project/{project:str}/cycles"
    tags = ("Cycles and milestones",)

    @post(
        "/",
        opt=needs(Permission.PROJECT_WORKFLOW, fails=(CycleNotValid, *_FAILS)),
        responses=shows(CycleInFull, 201),
    )
    async def create(
        self, request: ApiRequest, project: ProjectRef, data: JSONBody[NewCycle]
    ) -> ApiResponse:
        """Plan a cycle of a project, of at most 92 days, which no other cycle of it has."""
        cycle_id = CycleId(new_id())
        command = CreateCycle(
            cycle_id=cycle_id,
            project_id=await project_id_of(request, project),
            name=data.name,
            starts_on=data.starts_on,
            ends_on=data.ends_on,
        )
        reply = reply_with_progress(cycle_id, render_cycle, NONE_YET, "/api/cycle/{id}")
        return await run_command(request, command, reply)

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(Page[CycleInFull]))
    async def list_cycles(
        self,
        request: ApiRequest,
        project: ProjectRef,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the cycles of a project, the first one first."""
        project_id = await project_id_of(request, project)
        await project_here(request, project_id)
        paging = Paging(request)
        after = paging.key(cursor)
        await wait_for_own_writes(request, "cycles")
        page = await cycles_of(request.api.models, request.organization, project_id, limit, after)
        return paging.answer(await all_with_progress(request, page), limit)


class CycleController(Controller):
    """Cycles."""

    path = "/api/cycle/{cycle_id:uuid}"
    tags = ("Cycles and milestones",)

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(CycleInFull))
    async def get_cycle(self, request: ApiRequest, cycle_id: FromPath[UUID]) -> ApiResponse:
        """Return a cycle with its progress."""
        found = await request.newest(Cycle, cycle_id)
        await project_here(request, found.state.refuse_unless_here())
        return await one_with_progress(request, cycle_id, found, render_cycle)

    @get("/activity", opt=needs(Permission.TASK_READ), responses=shows(Page[ActivityView]))
    async def list_cycle_changes(
        self,
        request: ApiRequest,
        cycle_id: FromPath[UUID],
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List what happened to a cycle and which tasks got into it and out of it, newest first."""
        found = await request.newest(Cycle, cycle_id)
        await project_here(request, found.state.refuse_unless_here())
        return await activity_page(request, cycle_id, limit, cursor)

    @patch(
        "/",
        opt=needs(Permission.PROJECT_WORKFLOW, fails=(CycleNotValid, *_FAILS)),
        responses=shows(CycleInFull),
    )
    async def edit(
        self, request: ApiRequest, cycle_id: FromPath[UUID], data: JSONBody[CycleChange]
    ) -> ApiResponse:
        """Change the name or the days of a cycle."""
        command = EditCycle(
            cycle_id=CycleId(cycle_id),
            name=data.name,
            starts_on=data.starts_on,
            ends_on=data.ends_on,
        )
        return await _change(request, command)

    @delete(
        "/",
        status_code=200,
        opt=needs(Permission.PROJECT_WORKFLOW, fails=(ProjectIsArchived,)),
        responses=nothing(),
    )
    async def remove(self, request: ApiRequest, cycle_id: FromPath[UUID]) -> ApiResponse:
        """Move a cycle to the trash. Tasks stay in it, in case that it is restored."""
        command = DeleteCycle(cycle_id=CycleId(cycle_id))
        return await run_command(request, command, Reply(stream=cycle_id))

    @post(
        "/restore",
        status_code=200,
        opt=needs(Permission.PROJECT_WORKFLOW, fails=_FAILS),
        responses=shows(CycleInFull),
    )
    async def restore(self, request: ApiRequest, cycle_id: FromPath[UUID]) -> ApiResponse:
        """Restore a cycle from the trash, unless another has its name or its days by now."""
        return await _change(request, RestoreCycle(cycle_id=CycleId(cycle_id)))
