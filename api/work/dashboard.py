"""The HTTP route of the dashboard: what matters to the caller now, in one call."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import msgspec
from litestar import Controller, get

from api.http.paging import wait_for_own_writes
from api.http.parameters import shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from api.work.sight import projects_seen
from api.work.tasks.detail import TaskDetail, tasks_in_full, viewer_of
from commands.plan_counts import tasks_in
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
    due_soon: list[TaskDetail]
    recent: list[TaskDetail]
    mine: list[TaskDetail]


class _Rendered(View, frozen=True, kw_only=True):
    """A ``Dashboard`` with tasks that are JSON already."""

    projects: int
    open: int
    by_status: Mapping[StatusGroup, int]
    due_soon: Sequence[msgspec.Raw]
    recent: Sequence[msgspec.Raw]
    mine: Sequence[msgspec.Raw]


class DashboardController(Controller):
    """The dashboard."""

    path = "/api/dashboard"
    tags = ("Dashboard",)

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(Dashboard))
    async def show(self, request: ApiRequest) -> ApiResponse:
        """Return counts and the most important tasks across all projects that the caller sees."""
        await wait_for_own_writes(request, "projects", "tasks")
        projects = {
            each: project
            for each, project in (await projects_seen(request)).items()
            if project.status is not ProjectStatus.ARCHIVED
        }
        by_status = await _by_status(request, projects)
        organization = (await request.newest(Organization, request.organization)).state
        now = Now(request.api.system.clock(), ZoneInfo(organization.settings.time_zone))
        tasks = await overview_of(
            request.api.models, request.organization, [*projects], request.caller.user_id, now
        )
        due_soon, recent, mine = [await _in_full(request, some, projects) for some in tasks]
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


async def _in_full(
    request: ApiRequest, tasks: list[bytes], projects: Mapping[ProjectId, Project]
) -> list[msgspec.Raw]:
    """Return tasks as reading each of them shows it."""
    shown = await tasks_in_full(request, await viewer_of(request), list_slice(tasks), projects)
    return [msgspec.Raw(task) for task in shown.items]
