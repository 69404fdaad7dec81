"""Responses to commands on one task: the task as it is after them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from commands.relation_counts import open_blockers
from commands.states import Loaded
from commands.work.task import TaskCommand
from domain.work.task.state import Task
from projections.work.task import render_task


def shown_task(task_id: UUID, status: int = 200, *, blocked: bool = False) -> Reply:
    """Return the reply that shows a task."""

    def show(task: Task, version: int, at: datetime) -> bytes:
        return render_task(task_id, task, version, at, blocked=blocked)

    location = "/api/task/{id}" if status == 201 else ""
    return Reply(stream=task_id, show=show, adapt=_as_now, status=status, location=location)


def _as_now(task: Task, read: Mapping[UUID, Loaded[Any]]) -> Task:
    """Return a task under the key, and in the status, that its project has for it now."""
    project = None if task.project_id is None else read.get(task.project_id)
    if project is None:
        return task
    place = project.state.workflow.place(task.status, task.group)
    return replace(task, project_key=project.state.key, status=place.key, group=place.group)


async def change_task(request: ApiRequest, command: TaskCommand) -> ApiResponse:
    """Run a command on a task and return the task."""
    blocked = await is_blocked(request, command.task_id)  # which the command does not change
    return await run_command(request, command, shown_task(command.task_id, blocked=blocked))


async def is_blocked(request: ApiRequest, task_id: UUID) -> bool:
    """Return whether an open task blocks a task now."""
    # In memory, a session can still be without an organization: then it is read again.
    org_id = request.caller.org_id or await request.own_organization()
    count = open_blockers(org_id, task_id)
    return (await request.api.system.log.counted(count))[0] > 0
