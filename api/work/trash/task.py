"""How a task comes to the trash, and the HTTP route that restores it."""

from litestar import Controller, post

from api.http.parameters import shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.work.task_key import TaskRef, task_id_of
from api.work.task_place import subtasks_known, until_settled
from api.work.task_reply import change_task
from api.work.tasks.detail import TaskDetail
from commands.work.trash.task import BELOW_MAX, DeleteTask, RestoreTask
from domain.base import TaskId
from domain.identity.plan import PlanLimitReached
from domain.permission import Permission
from domain.work.task.errors import ParentInTrash, SubtasksChanged, TooMuchBelow


class TaskTrashController(Controller):
    """Tasks, on their way back from the trash."""

    path = "/api/task/{task:str}"
    tags = ("Tasks",)

    @post(
        "/restore",
        status_code=200,
        opt=needs(
            Permission.TASK_DELETE_OWN,
            fails=(ParentInTrash, PlanLimitReached, SubtasksChanged, TooMuchBelow),
        ),
        responses=shows(TaskDetail),
    )
    async def restore(self, request: ApiRequest, task: TaskRef) -> ApiResponse:
        """Restore a task with the subtasks that its deletion hid. Members restore their own."""
        task_id = await task_id_of(request, task)

        async def attempt(_: int) -> ApiResponse:
            below = await subtasks_known(request, task_id, BELOW_MAX)
            return await change_task(request, RestoreTask(task_id=task_id, below=below))

        return await until_settled(request, SubtasksChanged, attempt)


async def delete_task(request: ApiRequest, task_id: TaskId) -> ApiResponse:
    """Move a task with its subtasks to the trash."""

    async def attempt(_: int) -> ApiResponse:
        below = await subtasks_known(request, task_id, BELOW_MAX)
        command = DeleteTask(task_id=task_id, below=below)
        return await run_command(request, command, Reply(stream=task_id))

    return await until_settled(request, SubtasksChanged, attempt)
