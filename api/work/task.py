"""HTTP routes of tasks."""

from datetime import date
from uuid import UUID

from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Struct, UnsetType

from api.http.parameters import nothing, shows
from api.http.policy import needs
from api.http.request import ApiRequest, uuid_or_none
from api.http.response import ApiResponse
from api.past.as_of import AskedMoment
from api.work.past.task import TaskThen, task_as_of
from api.work.task_key import TaskRef, task_here, task_id_of
from api.work.task_place import subtasks_known
from api.work.task_reply import change_task
from api.work.task_status import MOVE_FAILS
from api.work.tasks.detail import TaskDetail, task_in_full
from api.work.trash.task import delete_task
from commands.work.task import (
    AssignTask,
    EditTask,
    UnassignTask,
)
from commands.work.task_plan import FieldInputs, Planned
from commands.work.task_values import Description, DueTime, Estimate, Mentions
from domain.base import CycleId, MilestoneId, TaskId, UserId
from domain.identity.plan import PlanLimitReached
from domain.name import Title
from domain.permission import Permission
from domain.planning.field import FieldNotInUse
from domain.work.project.errors import ProjectIsArchived
from domain.work.task.custom_field import FieldValueNotValid, TooManyFieldValues, UnknownField
from domain.work.task.errors import (
    CannotSeeProject,
    ParentIsBelow,
    StartsAfterDue,
    SubtasksChanged,
    SubtasksTooDeep,
    TimeOutOfRange,
    TooManyAssignees,
    TooMuchBelow,
    TwoDueDates,
)
from domain.work.task.events import Priority
from domain.work.workflow.events import StatusKey


class TaskChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; omitted fields stay as they are."""

    title: Title | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    mentions: Mentions | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    start_date: date | UnsetType | None = UNSET
    due_date: date | UnsetType | None = UNSET
    due_at: DueTime | UnsetType | None = UNSET
    estimate: Estimate | UnsetType | None = UNSET
    parent_id: TaskId | UnsetType | None = UNSET
    status: StatusKey | UnsetType = UNSET
    cycle_id: CycleId | UnsetType | None = UNSET
    milestone_id: MilestoneId | UnsetType | None = UNSET
    fields: FieldInputs = {}


class Assignee(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of an assignment."""

    user_id: UserId


_DATES_FAIL = (StartsAfterDue, TimeOutOfRange, TwoDueDates)
_FIELDS_FAIL = (FieldNotInUse, FieldValueNotValid, TooManyFieldValues, UnknownField)
_TREE_FAIL = (ParentIsBelow, SubtasksChanged, SubtasksTooDeep)


class TaskController(Controller):
    """Tasks, by id or by key such as ENG-12."""

    path = "/api/task/{task:str}"
    tags = ("Tasks",)

    @get(
        "/",
        opt=needs(Permission.TASK_READ, fails=(PlanLimitReached,), sends=("Content-Location",)),
        responses=shows(TaskDetail | TaskThen),
    )
    async def get_task(
        self, request: ApiRequest, task: TaskRef, as_of: AskedMoment = None
    ) -> ApiResponse:
        """Return a task, or with `as_of` what it was at a moment."""
        if as_of is not None:
            return await task_as_of(request, task, as_of)
        task_id = await task_id_of(request, task)
        found, _ = await task_here(request, task_id)
        answer = await task_in_full(request, task_id, found)
        if found.state.key != task.upper() and uuid_or_none(task) is None:
            answer.with_header(b"content-location", b"/api/task/" + found.state.key.encode())
        return answer

    @patch(
        "/",
        opt=needs(
            Permission.TASK_EDIT,
            fails=(CannotSeeProject, *MOVE_FAILS, *_DATES_FAIL, *_FIELDS_FAIL, *_TREE_FAIL),
        ),
        responses=shows(TaskDetail),
    )
    async def edit(
        self, request: ApiRequest, task: TaskRef, data: JSONBody[TaskChange]
    ) -> ApiResponse:
        """Change fields of a task. Omitted fields stay as they are.

        Who is new in `mentions`, which are those of the description, watches the task and is told.
        """
        task_id = await task_id_of(request, task)
        below = await subtasks_known(request, task_id) if data.parent_id else ()
        command = EditTask(
            task_id=task_id,
            title=data.title,
            description=data.description,
            mentions=data.mentions,
            priority=data.priority,
            start_date=data.start_date,
            due_date=data.due_date,
            due_at=data.due_at,
            estimate=data.estimate,
            parent_id=data.parent_id,
            below=below,
            status=data.status,
            fields=data.fields,
            planned=Planned(cycle_id=data.cycle_id, milestone_id=data.milestone_id),
        )
        return await change_task(request, command)

    @delete(
        "/",
        status_code=200,
        opt=needs(Permission.TASK_DELETE_OWN, fails=(SubtasksChanged, TooMuchBelow)),
        responses=nothing(),
    )
    async def remove(self, request: ApiRequest, task: TaskRef) -> ApiResponse:
        """Move a task with its subtasks to the trash. Members may delete their own for 24 hours."""
        return await delete_task(request, await task_id_of(request, task))

    @post(
        "/assignees",
        status_code=200,
        opt=needs(
            Permission.TASK_EDIT, fails=(CannotSeeProject, ProjectIsArchived, TooManyAssignees)
        ),
        responses=shows(TaskDetail),
    )
    async def assign(
        self, request: ApiRequest, task: TaskRef, data: JSONBody[Assignee]
    ) -> ApiResponse:
        """Assign an active member of the organization to a task."""
        task_id = await task_id_of(request, task)
        return await change_task(request, AssignTask(task_id=task_id, user_id=data.user_id))

    @delete(
        "/assignees/{user_id:uuid}",
        status_code=200,
        opt=needs(Permission.TASK_EDIT, fails=(ProjectIsArchived,)),
        responses=shows(TaskDetail),
    )
    async def unassign(
        self, request: ApiRequest, task: TaskRef, user_id: FromPath[UUID]
    ) -> ApiResponse:
        """Unassign somebody from a task."""
        task_id = await task_id_of(request, task)
        return await change_task(request, UnassignTask(task_id=task_id, user_id=UserId(user_id)))
