"""The HTTP route of the dashboard: what matters to the caller now, in one call."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import msgspec
from litestar import Controller, get
from msgspec import Struct

from api.http.paging import wait_for_own_writes
from api.http.parameters import shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from api.work.sight import hidden_from
from api.work.task_key import under_key
from commands.reservations import tasks_in
from domain.base import ProjectId
from domain.identity.organization.state import Organization
from domain.permission import Permission
from domain.work.project.events import ProjectStatus
from domain.work.project.state import Project
from domain.work.workflow.events import FINISHED, StatusGroup
from domain.work.workflow.state import Workflow
from projections.base import View
from projections.engine.query import list_slice
from projections.work.dashboard import Now, overview_of
from projections.work.project import ids_of_projects
from projections.work.task import TaskView
from projections.work.workflow import placed

COUNTS_AT_ONCE = 1_000
"""How many counts one query of the log reads."""


class Dashboard(View, frozen=True, kw_only=True):
    """What matters to the caller in the projects that they see and that are not archived.

    ``open`` and ``byStatus``, by the group of the status, count tasks outside the trash. The lists
    show at most ten tasks each. ``dueSoon``: open tasks due today or on the next seven days, in
    the time zone of the organization, the next one first, without those that are overdue.
    ``recent``: tasks changed last. ``mine``: open tasks assigned to the caller, those changed last.
    """

    projects: int
    open: int
    by_status: dict[StatusGroup, int]
    due_soon: list[TaskView]
    recent: list[TaskView]
    mine: list[TaskView]


class _Rendered(View, frozen=True, kw_only=True):
    """A ``Dashboard`` with tasks that are JSON already."""

    projects: int
    open: int
    by_status: Mapping[StatusGroup, int]
    due_soon: Sequence[msgspec.Raw]
    recent: Sequence[msgspec.Raw]
    mine: Sequence[msgspec.Raw]


class _Shown(Struct, frozen=True, rename="camel"):
    project_id: ProjectId


_project_in = msgspec.json.Decoder(_Shown).decode


class DashboardController(Controller):
    """The dashboard."""

    path = "/api/dashboard"
    tags = ("Dashboard",)

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(Dashboard))
    async def show(self, request: ApiRequest) -> ApiResponse:
        """Return counts and the most important tasks across all projects that the caller sees."""
        await wait_for_own_writes(request, "projects", "tasks")
        projects = await _projects(request)
        by_status = await _by_status(request, projects)
        organization = (await request.newest(Organization, request.organization)).state
        now = Now(request.api.system.clock(), ZoneInfo(organization.settings.time_zone))
        tasks = await overview_of(
            request.api.models, request.organization, [*projects], request.caller.user_id, now
        )
        due_soon, recent, mine = ([_as_now(each, projects) for each in some] for some in tasks)
        return json_response(
            _Rendered(
                projects=len(projects),
                open=sum(n for group, n in by_status.items() if group not in FINISHED),
                by_status=by_status,
                due_soon=due_soon,
                recent=recent,
                mine=mine,
            )
        )


async def _projects(request: ApiRequest) -> dict[ProjectId, Project]:
    """Return the projects that the caller sees as they are now, without archived ones."""
    org_id, states = request.organization, request.api.system.commands.states
    hidden = await hidden_from(request)
    ids = await ids_of_projects(request.api.models, org_id, hidden)
    found = await states.all_fresh([(Project, each) for each in ids], org_id) if ids else []
    projects: dict[ProjectId, Project] = {i: one.state for i, one in zip(ids, found, strict=True)}
    return {
        each: project
        for each, project in projects.items()
        if not project.deleted and project.status is not ProjectStatus.ARCHIVED
    }


async def _by_status(
    request: ApiRequest, projects: Mapping[ProjectId, Project]
) -> dict[StatusGroup, int]:
    """Return how many tasks are in each group of statuses now."""
    org_id, log = request.organization, request.api.system.log
    wanted = [
        (tasks_in(org_id, each, key), group)
        for each, project in projects.items()
        for key, group in _groups(project.workflow).items()
    ]
    totals = dict.fromkeys(StatusGroup, 0)
    for at in range(0, len(wanted), COUNTS_AT_ONCE):
        some = wanted[at : at + COUNTS_AT_ONCE]
        counted = await log.counted(*(count for count, _ in some))
        for (_, group), number in zip(some, counted, strict=True):
            totals[group] += number
    return totals


def _groups(workflow: Workflow) -> dict[str, StatusGroup]:
    """Return the group of every status that tasks were put into, also of statuses that are gone."""
    groups = {old: workflow.by_key[to].group for old, to in workflow.moved.items()}
    return groups | {one.key: one.group for one in workflow.statuses}


def _as_now(task: bytes, projects: Mapping[ProjectId, Project]) -> msgspec.Raw:
    """Return a task under the key, and in the status, that its project has for it now."""
    project = projects[_project_in(task).project_id]
    return msgspec.Raw(placed(under_key(list_slice([task]), project), project.workflow).json)
