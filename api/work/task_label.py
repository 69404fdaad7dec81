"""HTTP routes of the labels of a task."""

from uuid import UUID

from litestar import Controller, delete, post
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from api.http.parameters import shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.work.task_key import TaskRef, task_id_of
from api.work.task_reply import change_task
from api.work.tasks.detail import TaskDetail
from commands.work.task_label import LabelTask, UnlabelTask
from domain.base import LabelId
from domain.permission import Permission
from domain.work.project.errors import ProjectIsArchived
from domain.work.task.errors import TooManyLabels


class LabelOfTask(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a request to label a task."""

    label_id: LabelId


class TaskLabelController(Controller):
    """The labels of a task."""

    path = "/api/task/{task:str}/labels"
    tags = ("Tasks",)

    @post(
        "/",
        status_code=200,
        opt=needs(Permission.TASK_EDIT, fails=(ProjectIsArchived, TooManyLabels)),
        responses=shows(TaskDetail),
    )
    async def add(
        self, request: ApiRequest, task: TaskRef, data: JSONBody[LabelOfTask]
    ) -> ApiResponse:
        """Give a task a label of its project or of the organization."""
        task_id = await task_id_of(request, task)
        return await change_task(request, LabelTask(task_id=task_id, label_id=data.label_id))

    @delete(
        "/{label_id:uuid}",
        status_code=200,
        opt=needs(Permission.TASK_EDIT, fails=(ProjectIsArchived,)),
        responses=shows(TaskDetail),
    )
    async def remove(
        self, request: ApiRequest, task: TaskRef, label_id: FromPath[UUID]
    ) -> ApiResponse:
        """Remove a label from a task."""
        task_id = await task_id_of(request, task)
        command = UnlabelTask(task_id=task_id, label_id=LabelId(label_id))
        return await change_task(request, command)
