"""HTTP routes of the milestones of a project."""

import datetime
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
from commands.planning.milestone import (
    CreateMilestone,
    DeleteMilestone,
    EditMilestone,
    MilestoneCommand,
    RestoreMilestone,
)
from domain.base import MilestoneId
from domain.name import Name
from domain.permission import Permission
from domain.planning.milestone import Milestone, MilestoneNameTaken
from domain.work.project.errors import ProjectIsArchived
from eventstore.identifiers import new_id
from projections.planning.milestone import MilestoneView, milestones_of, render_milestone
from projections.work.activity import ActivityView


class NewMilestone(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new milestone; `date` is the day by which to reach it."""

    name: Name
    date: datetime.date | None = None


class MilestoneChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; omitted fields stay as they are."""

    name: Name | UnsetType = UNSET
    date: datetime.date | UnsetType | None = UNSET


class MilestoneInFull(MilestoneView, frozen=True, kw_only=True):
    """A milestone as the API shows it: with its progress."""

    progress: PlanProgress


_FAILS = (MilestoneNameTaken, ProjectIsArchived)


async def _change(request: ApiRequest, command: MilestoneCommand) -> ApiResponse:
    [progress] = await progress_of(request, [command.milestone_id])  # which it does not change
    reply = reply_with_progress(command.milestone_id, render_milestone, progress)
    return await run_command(request, command, reply)


class ProjectMilestoneController(Controller):
    """The milestones of one project."""

    path = "/api/project/{project:str}/milestones"
    tags = ("Cycles and milestones",)

    @post(
        "/",
        opt=needs(Permission.PROJECT_WORKFLOW, fails=_FAILS),
        responses=shows(MilestoneInFull, 201),
    )
    async def create(
        self, request: ApiRequest, project: ProjectRef, data: JSONBody[NewMilestone]
    ) -> ApiResponse:
        """Plan a milestone of a project."""
        milestone_id = MilestoneId(new_id())
        command = CreateMilestone(
            milestone_id=milestone_id,
            project_id=await project_id_of(request, project),
            name=data.name,
            due_on=data.date,
        )
        reply = reply_with_progress(milestone_id, render_milestone, NONE_YET, "/api/milestone/{id}")
        return await run_command(request, command, reply)

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(Page[MilestoneInFull]))
    async def list_milestones(
        self,
        request: ApiRequest,
        project: ProjectRef,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the milestones of a project, the next one first and those without a day last."""
        project_id = await project_id_of(request, project)
        await project_here(request, project_id)
        paging = Paging(request)
        after = paging.key(cursor)
        await wait_for_own_writes(request, "milestones")
        page = await milestones_of(
            request.api.models, request.organization, project_id, limit, after
        )
        return paging.answer(await all_with_progress(request, page), limit)


class MilestoneController(Controller):
    """Milestones."""

    path = "/api/milestone/{milestone_id:uuid}"
    tags = ("Cycles and milestones",)

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(MilestoneInFull))
    async def get_milestone(self, request: ApiRequest, milestone_id: FromPath[UUID]) -> ApiResponse:
        """Return a milestone with its progress."""
        found = await request.newest(Milestone, milestone_id)
        await project_here(request, found.state.refuse_unless_here())
        return await one_with_progress(request, milestone_id, found, render_milestone)

    @get("/activity", opt=needs(Permission.TASK_READ), responses=shows(Page[ActivityView]))
    async def list_milestone_changes(
        self,
        request: ApiRequest,
        milestone_id: FromPath[UUID],
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List what happened to a milestone and which tasks got it and lost it, newest first."""
        found = await request.newest(Milestone, milestone_id)
        await project_here(request, found.state.refuse_unless_here())
        return await activity_page(request, milestone_id, limit, cursor)

    @patch(
        "/",
        opt=needs(Permission.PROJECT_WORKFLOW, fails=_FAILS),
        responses=shows(MilestoneInFull),
    )
    async def edit(
        self, request: ApiRequest, milestone_id: FromPath[UUID], data: JSONBody[MilestoneChange]
    ) -> ApiResponse:
        """Change the name of a milestone, or the day by which to reach it."""
        command = EditMilestone(
            milestone_id=MilestoneId(milestone_id),
            name=data.name,
            due_on=data.date,
        )
        return await _change(request, command)

    @delete(
        "/",
        status_code=200,
        opt=needs(Permission.PROJECT_WORKFLOW, fails=(ProjectIsArchived,)),
        responses=nothing(),
    )
    async def remove(self, request: ApiRequest, milestone_id: FromPath[UUID]) -> ApiResponse:
        """Move a milestone to the trash. Tasks keep it, in case that it is restored."""
        command = DeleteMilestone(milestone_id=MilestoneId(milestone_id))
        return await run_command(request, command, Reply(stream=milestone_id))

    @post(
        "/restore",
        status_code=200,
        opt=needs(Permission.PROJECT_WORKFLOW, fails=_FAILS),
        responses=shows(MilestoneInFull),
    )
    async def restore(self, request: ApiRequest, milestone_id: FromPath[UUID]) -> ApiResponse:
        """Restore a milestone from the trash, unless another has its name by now."""
        return await _change(request, RestoreMilestone(milestone_id=MilestoneId(milestone_id)))
