"""Responses to commands on one task: the task as it is after them."""

from datetime import datetime
from uuid import UUID

from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from commands.work.task import TaskCommand
from domain.work.task.state import Task
from projections.work.task import render_task


def shown_task(task_id: UUID, status: int = 200) -> Reply:
    """Return the reply that shows a task."""

    def show(task: Task, version: int, at: datetime) -> bytes:
        return render_task(task_id, task, version, at)

    location = "/api/task/{id}" if status == 201 else ""
    return Reply(stream=task_id, show=show, status=status, location=location)


async def change_task(request: ApiRequest, command: TaskCommand) -> ApiResponse:
    """Run a command on a task and return the task."""
    return await run_command(request, command, shown_task(command.task_id))
