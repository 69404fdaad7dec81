"""HTTP for tasks."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, Parameter
from msgspec import UNSET, Struct, UnsetType

from api.answer import Answer
from api.asking import Asking
from api.commanding import Wanted, perform
from api.policy import needs
from api.reading import LIMIT_DEFAULT, Paging, one, own_writes_in
from api.route import TASK_KEY, Cursor, Limit, nothing, shows, uuid_or_none
from commands.task import (
    AssignTask,
    ChangeTaskStatus,
    CreateTask,
    DeleteTask,
    Description,
    EditTask,
    RestoreTask,
    TaskCommand,
    Title,
    UnassignTask,
)
from domain.base import NotFound, OrgId, ProjectId, TaskId, UserId
from domain.claim import Claim, project_key_claim, task_number_claim
from domain.permission import Permission
from domain.project import Project
from domain.task import Priority, Task, TaskStatus
from eventstore.identifiers import new_id
from projections.queries import TaskFilter
from projections.task import TaskView, render_task


class NewTask(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new task."""

    title: Title
    description: Description | None = None
    priority: Priority = Priority.MEDIUM
    parent_id: TaskId | None = None


class TaskChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; fields that are left out stay as they are."""

    title: Title | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    priority: Priority | UnsetType = UNSET
    status: TaskStatus | UnsetType = UNSET


class Move(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a move to another status; ``path`` auto passes through those between."""

    status: TaskStatus
    path: Literal["auto"] | None = None


class Assignee(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of an assignment."""

    user_id: UserId


class TaskList(Struct, frozen=True, rename="camel"):
    """A page of tasks, the newest first."""

    items: list[TaskView]
    next_cursor: str | None


TaskRef = FromPath[str]
"""A task's id, or its key such as ENG-12."""


def _shown(task_id: UUID, status: int = 200) -> Wanted:
    def show(task: Task, version: int, at: object) -> bytes:
        return render_task(task_id, task, version, at)  # type: ignore[arg-type]

    location = "/api/task" if status == 201 else ""
    return Wanted(stream=task_id, show=show, status=status, location=location)


async def task_id_of(asking: Asking, ref: str) -> TaskId:
    """Return the id of the task that *ref* names, in the caller's organization.

    :raises NotFound: it is neither an id nor a key of theirs.
    """
    task_id = uuid_or_none(ref)
    if task_id is not None:
        return TaskId(task_id)
    match = TASK_KEY.fullmatch(ref)
    if match is None:
        raise NotFound
    org_id: OrgId = await asking.own_organization()
    loader = asking.door.house.commands.loader
    project = await loader.fresh(Claim, project_key_claim(org_id, match[1]), org_id)
    if project.holder is None:
        raise NotFound
    claim = task_number_claim(ProjectId(project.holder), int(match[2]))
    task = await loader.fresh(Claim, claim, org_id)
    if task.holder is None:
        raise NotFound
    return TaskId(task.holder)


async def refuse_unless_project_here(asking: Asking, project_id: ProjectId) -> None:
    """Refuse a project that is missing, in the trash or another organization's.

    :raises NotFound: it is.
    """
    loader = asking.door.house.commands.loader
    project = await loader.fresh(Project, project_id, asking.organization)
    project.refuse_unless_here()


async def refuse_unless_task_here(asking: Asking, task_id: TaskId) -> None:
    """Refuse a task that is missing or deleted, or whose project is.

    :raises NotFound: it is.
    """
    loader = asking.door.house.commands.loader
    task = await loader.fresh(Task, task_id, asking.organization)
    task.refuse_unless_here()
    if task.project_id is not None:
        await refuse_unless_project_here(asking, task.project_id)


async def _change(asking: Asking, command: TaskCommand) -> Answer:
    return await perform(asking, command, _shown(command.task_id))


class ProjectTaskController(Controller):
    """The tasks of one project."""

    path = "/api/project/{project_id:uuid}/tasks"
    tags = ("Tasks",)

    @post("/", opt=needs(Permission.TASK_CREATE), responses=shows(TaskView, 201))
    async def create(
        self, request: Asking, project_id: FromPath[UUID], data: JSONBody[NewTask]
    ) -> Answer:
        """Put a new task on a project's list; it gets the next number of the project."""
        task_id = TaskId(new_id())
        command = CreateTask(
            task_id=task_id,
            project_id=ProjectId(project_id),
            title=data.title,
            description=data.description,
            priority=data.priority,
            parent_id=data.parent_id,
        )
        return await perform(request, command, _shown(task_id, 201))

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(TaskList))
    async def list_tasks(  # noqa: PLR0913, PLR0917 - a filter each
        self,
        request: Asking,
        project_id: FromPath[UUID],
        status: FromQuery[Annotated[TaskStatus | None, Parameter(description="Only these")]] = None,
        priority: FromQuery[Annotated[Priority | None, Parameter(description="Only these")]] = None,
        assignee: FromQuery[Annotated[UUID | None, Parameter(description="Only theirs")]] = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Answer:
        """List the tasks of a project, the newest first."""
        project = ProjectId(project_id)
        await refuse_unless_project_here(request, project)
        paging = Paging(request, status=status, priority=priority, assignee=assignee)
        below = paging.key(cursor)
        await own_writes_in(request, "tasks")
        wanted = TaskFilter(
            status=status,
            priority=priority,
            assignee=None if assignee is None else UserId(assignee),
        )
        page = await request.door.queries.tasks_of_project(
            request.organization, project, wanted, limit, below
        )
        return paging.answer(page, limit)


class TaskController(Controller):
    """One task, by its id or by its key such as ENG-12."""

    path = "/api/task/{task:str}"
    tags = ("Tasks",)

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(TaskView))
    async def get_task(self, request: Asking, task: TaskRef) -> Answer:
        """Return a task."""
        task_id = await task_id_of(request, task)
        await refuse_unless_task_here(request, task_id)
        await own_writes_in(request, "tasks")
        return one(request, await request.door.queries.task(request.organization, task_id))

    @patch("/", opt=needs(Permission.TASK_EDIT), responses=shows(TaskView))
    async def edit(self, request: Asking, task: TaskRef, data: JSONBody[TaskChange]) -> Answer:
        """Change fields of a task; a field that is left out or already so records nothing."""
        command = EditTask(
            task_id=await task_id_of(request, task),
            title=data.title,
            description=data.description,
            priority=data.priority,
            status=data.status,
        )
        return await _change(request, command)

    @delete("/", status_code=200, opt=needs(Permission.TASK_DELETE_OWN), responses=nothing())
    async def remove(self, request: Asking, task: TaskRef) -> Answer:
        """Put a task in the trash. Members may do so with their own for 24 hours."""
        task_id = await task_id_of(request, task)
        return await perform(request, DeleteTask(task_id=task_id), Wanted(stream=task_id))

    @post("/status", status_code=200, opt=needs(Permission.TASK_EDIT), responses=shows(TaskView))
    async def move(self, request: Asking, task: TaskRef, data: JSONBody[Move]) -> Answer:
        """Move a task to another status; a refusal lists those that it can go to."""
        task_id = await task_id_of(request, task)
        via_path = data.path == "auto"
        return await _change(
            request, ChangeTaskStatus(task_id=task_id, to=data.status, via_path=via_path)
        )

    @post("/assignees", status_code=200, opt=needs(Permission.TASK_EDIT), responses=shows(TaskView))
    async def assign(self, request: Asking, task: TaskRef, data: JSONBody[Assignee]) -> Answer:
        """Make an active member of the organization responsible for a task."""
        task_id = await task_id_of(request, task)
        return await _change(request, AssignTask(task_id=task_id, user_id=data.user_id))

    @delete(
        "/assignees/{user_id:uuid}",
        status_code=200,
        opt=needs(Permission.TASK_EDIT),
        responses=shows(TaskView),
    )
    async def unassign(self, request: Asking, task: TaskRef, user_id: FromPath[UUID]) -> Answer:
        """Take somebody off a task."""
        task_id = await task_id_of(request, task)
        return await _change(request, UnassignTask(task_id=task_id, user_id=UserId(user_id)))

    @post(
        "/restore",
        status_code=200,
        opt=needs(Permission.TASK_DELETE_OWN),
        responses=shows(TaskView),
    )
    async def restore(self, request: Asking, task: TaskRef) -> Answer:
        """Bring a task back from the trash exactly as it was. Members may with their own."""
        return await _change(request, RestoreTask(task_id=await task_id_of(request, task)))
