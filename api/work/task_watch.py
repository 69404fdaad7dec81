"""HTTP routes of the people who watch a task."""

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
from commands.work.task_watch import UnwatchTask, WatchTask
from domain.base import UserId
from domain.permission import Permission
from domain.work.project.errors import ProjectIsArchived
from domain.work.task.errors import CannotSeeProject, TooManyWatchers


class Watcher(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a request to watch a task; without a user it is the caller."""

    user_id: UserId | None = None


class TaskWatcherController(Controller):
    """Who watches a task."""

    path = "/api/task/{task:str}/watchers"
    tags = ("Tasks",)

    @post(
        "/",
        status_code=200,
        opt=needs(
            Permission.TASK_EDIT, fails=(CannotSeeProject, ProjectIsArchived, TooManyWatchers)
        ),
        responses=shows(TaskDetail),
    )
    async def add(
        self, request: ApiRequest, task: TaskRef, data: JSONBody[Watcher | None] = None
    ) -> ApiResponse:
        """Let an active member of the organization watch a task; without a body, the caller."""
        task_id = await task_id_of(request, task)
        user_id = None if data is None else data.user_id
        user_id = user_id or request.caller.user_id
        return await change_task(request, WatchTask(task_id=task_id, user_id=user_id))

    @delete(
        "/{user_id:uuid}",
        status_code=200,
        opt=needs(Permission.TASK_EDIT, fails=(ProjectIsArchived,)),
        responses=shows(TaskDetail),
    )
    async def remove(
        self, request: ApiRequest, task: TaskRef, user_id: FromPath[UUID]
    ) -> ApiResponse:
        """Let somebody no longer watch a task."""
        task_id = await task_id_of(request, task)
        return await change_task(request, UnwatchTask(task_id=task_id, user_id=UserId(user_id)))
