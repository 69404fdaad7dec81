"""Responses to commands on one task: the task as it is after them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.work.tasks.detail import Viewer, beside_of
from commands.states import Loaded
from commands.work.task import TaskCommand
from domain.base import TaskId
from domain.identity.organization.state import Organization
from domain.work.task.state import Task
from projections.work.task import NOTHING_BESIDE, Beside

_Read = Mapping[UUID, Loaded[Any]]
"""What a command read. Written out in a function within another, it would be made at each call."""


class _Seen(Struct, frozen=True):
    """A task, and who sees it."""

    task: Task
    viewer: Viewer


def shown_task(
    request: ApiRequest, task_id: UUID, status: int = 200, beside: Beside = NOTHING_BESIDE
) -> Reply:
    """Return the reply that shows a task in full."""

    def adapt(task: Task, read: _Read) -> _Seen:
        return _Seen(_as_now(task, read), _viewer(request, read))

    def show(seen: _Seen, version: int, at: datetime) -> bytes:
        return seen.viewer.rendered(TaskId(task_id), seen.task, version, at, beside)

    location = "/api/task/{id}" if status == 201 else ""
    return Reply(stream=task_id, show=show, adapt=adapt, status=status, location=location)


def _as_now(task: Task, read: _Read) -> Task:
    """Return a task under the key, and in the status, that its project has for it now."""
    project = None if task.project_id is None else read.get(task.project_id)
    if project is None:
        return task
    place = project.state.workflow.place(task.status, task.group)
    return replace(task, project_key=project.state.key, status=place.key, group=place.group)


def _viewer(request: ApiRequest, read: _Read) -> Viewer:
    """Return the caller as a viewer in the time zone that the command has read."""
    [organization] = [one.state for one in read.values() if isinstance(one.state, Organization)]
    zone = ZoneInfo(organization.settings.time_zone)
    return Viewer(request.caller.user_id, request.api.system.clock(), zone)


async def change_task(request: ApiRequest, command: TaskCommand) -> ApiResponse:
    """Run a command on a task and return the task."""
    # In memory, a session can still be without an organization: then it is read again.
    org_id = request.caller.org_id or await request.own_organization()
    # What the command does not change.
    beside = await beside_of(request.api.system, org_id, command.task_id)
    return await run_command(request, command, shown_task(request, command.task_id, beside=beside))
