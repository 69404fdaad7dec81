"""HTTP route of the status of a task."""

from typing import Annotated, Literal

from litestar import Controller, post
from litestar.params import FromQuery, JSONBody, Parameter
from msgspec import Struct

from api.http.parameters import shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.work.task_key import TaskRef, task_id_of
from api.work.task_reply import change_task
from api.work.tasks.detail import TaskDetail
from commands.work.task import ChangeTaskStatus
from domain.permission import Permission
from domain.work.project.errors import ProjectIsArchived, ProjectOnHold
from domain.work.task.errors import BlockersOpen, SubtasksOpen, TransitionNotAllowed
from domain.work.workflow.errors import UnknownStatus
from domain.work.workflow.events import StatusKey

MOVE_FAILS = (
    BlockersOpen,
    ProjectIsArchived,
    ProjectOnHold,
    SubtasksOpen,
    TransitionNotAllowed,
    UnknownStatus,
)
"""How a change of the status can fail, also as a part of another change."""


class Move(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a status change.

    With ``force`` an ADMIN or MANAGER passes the guards of the workflow, such as open blockers or
    subtasks; the event says so.
    """

    status: StatusKey
    force: bool = False


class TaskStatusController(Controller):
    """The status of a task."""

    path = "/api/task/{task:str}/status"
    tags = ("Tasks",)

    @post(
        "/",
        status_code=200,
        opt=needs(Permission.TASK_EDIT, fails=MOVE_FAILS),
        responses=shows(TaskDetail),
    )
    async def change_task_status(
        self,
        request: ApiRequest,
        task: TaskRef,
        data: JSONBody[Move],
        path: FromQuery[
            Annotated[
                Literal["auto"] | None,
                Parameter(description="`auto`: pass through the statuses between"),
            ]
        ] = None,
    ) -> ApiResponse:
        """Change the status of a task. If refused, `allowed` lists the possible statuses."""
        command = ChangeTaskStatus(
            task_id=await task_id_of(request, task),
            to=data.status,
            via_path=path == "auto",
            force=data.force,
        )
        return await change_task(request, command)
