"""HTTP routes of the tasks of a project, and of lists of tasks across projects."""

from datetime import date

from litestar import Controller, get, post
from litestar.params import JSONBody
from msgspec import UNSET, Struct, UnsetType

from api.http.paging import LIMIT_DEFAULT
from api.http.parameters import Cursor, Limit, Page, shows
from api.http.policy import needs
from api.http.problem import FieldError, invalid
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import run_command
from api.work.project_key import ProjectRef, project_id_of
from api.work.task_reply import CreatedTask, create_from_template, shown_task
from api.work.tasks.detail import TaskDetail
from api.work.tasks.field_order import TOO_MANY
from api.work.tasks.filters import FILTERS
from api.work.tasks.listing import TaskPages
from api.work.tasks.parameters import (
    AssigneeFilter,
    BlockedFilter,
    CompletedFilter,
    CreatedFilter,
    CreatorFilter,
    CycleFilter,
    DeletedFilter,
    DueFilter,
    FieldFilter,
    GroupFilter,
    LabelFilter,
    MilestoneFilter,
    OverdueFilter,
    ParentFilter,
    PriorityFilter,
    ProjectFilter,
    Sort,
    StatusFilter,
    UpdatedFilter,
    WatcherFilter,
    WordFilter,
)
from commands.work.task_create import Assignees, CreateTask, LabelIds
from commands.work.task_plan import FieldInputs, Planned
from commands.work.task_values import Description, DueTime, Estimate, Mentions
from domain.base import CycleId, MilestoneId, NotFound, TaskId, TemplateId
from domain.identity.plan import PlanLimitReached
from domain.name import Title
from domain.permission import Permission
from domain.planning.field import FieldNotInUse
from domain.planning.template.errors import TitleMissing
from domain.work.project.errors import ProjectIsArchived, ProjectOnHold
from domain.work.task.custom_field import FieldValueNotValid, UnknownField
from domain.work.task.errors import (
    CannotSeeProject,
    StartsAfterDue,
    SubtasksTooDeep,
    TimeOutOfRange,
    TwoDueDates,
)
from domain.work.task.events import Priority
from domain.work.workflow.errors import UnknownStatus
from domain.work.workflow.events import StatusKey
from eventstore.identifiers import new_id


class NewTask(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new task. What it does not give comes from its template, if it names one.

    It needs a title, unless its template has one.
    """

    title: Title | UnsetType = UNSET
    description: Description | None = None
    mentions: Mentions = ()
    status: StatusKey | None = None
    priority: Priority = Priority.MEDIUM
    parent_id: TaskId | None = None
    start_date: date | None = None
    due_date: date | None = None
    due_at: DueTime | None = None
    estimate: Estimate | None = None
    assignees: Assignees = ()
    labels: LabelIds = ()
    cycle_id: CycleId | None = None
    milestone_id: MilestoneId | None = None
    fields: FieldInputs = {}
    template_id: TemplateId | None = None


class ProjectTaskController(Controller):
    """The tasks of one project."""

    path = "/api/project/{project:str}/tasks"
    tags = ("Tasks",)

    @post(
        "/",
        opt=needs(
            Permission.TASK_CREATE,
            fails=(
                CannotSeeProject,
                PlanLimitReached,
                ProjectIsArchived,
                ProjectOnHold,
                UnknownStatus,
                SubtasksTooDeep,
                StartsAfterDue,
                TimeOutOfRange,
                TwoDueDates,
                FieldNotInUse,
                FieldValueNotValid,
                UnknownField,
                TitleMissing,
            ),
        ),
        responses=shows(CreatedTask, 201),
    )
    async def create(
        self, request: ApiRequest, project: ProjectRef, data: JSONBody[NewTask]
    ) -> ApiResponse:
        """Create a task, alone or from a template. It gets the next number in its project.

        Whom its description mentions (`mentions`) watches the task and is told.
        """
        if data.title is UNSET and data.template_id is None:
            raise invalid(FieldError("$.title", "Needed without a template"))
        task_id = TaskId(new_id())
        command = CreateTask(
            task_id=task_id,
            project_id=await project_id_of(request, project),
            title=data.title or "",
            description=data.description,
            mentions=data.mentions,
            status=data.status,
            priority=data.priority,
            parent_id=data.parent_id,
            start_date=data.start_date,
            due_date=data.due_date,
            due_at=data.due_at,
            estimate=data.estimate,
            assignees=data.assignees,
            labels=data.labels,
            fields=data.fields,
            planned=Planned(cycle_id=data.cycle_id, milestone_id=data.milestone_id),
        )
        if data.template_id is not None:
            return await create_from_template(request, command, data.template_id, NewTask)
        return await run_command(request, command, shown_task(request, task_id, 201))

    @get(
        "/",
        opt=needs(Permission.TASK_READ, fails=(UnknownStatus, TOO_MANY)),
        responses=shows(Page[TaskDetail]),
    )
    async def list_tasks(  # noqa: PLR0913, PLR0917 - one parameter per filter
        self,
        request: ApiRequest,
        project: ProjectRef,
        status: StatusFilter = None,
        group: GroupFilter = None,
        priority: PriorityFilter = None,
        assignee: AssigneeFilter = None,
        label: LabelFilter = None,
        parent: ParentFilter = None,
        creator: CreatorFilter = None,
        watcher: WatcherFilter = None,
        cycle: CycleFilter = None,
        milestone: MilestoneFilter = None,
        field: FieldFilter = None,
        due: DueFilter = None,
        created: CreatedFilter = None,
        updated: UpdatedFilter = None,
        completed: CompletedFilter = None,
        overdue: OverdueFilter = None,
        blocked: BlockedFilter = None,
        deleted: DeletedFilter = None,
        q: WordFilter = None,
        sort: Sort = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the tasks of a project, newest first unless another order is asked for."""
        asked = {name: value for name, value in locals().items() if name in FILTERS}
        project_id = await project_id_of(request, project)
        pages = TaskPages(**asked).by(request.caller.user_id)
        return await pages.of_project(request, project_id, limit, cursor)


class TaskListController(Controller):
    """The list of tasks across projects."""

    path = "/api/task"
    tags = ("Tasks",)

    @get(
        "/",
        opt=needs(Permission.TASK_READ, fails=(NotFound, TOO_MANY)),
        responses=shows(Page[TaskDetail]),
    )
    async def list_tasks_across_projects(  # noqa: PLR0913, PLR0917 - one parameter per filter
        self,
        request: ApiRequest,
        project: ProjectFilter = None,
        status: StatusFilter = None,
        group: GroupFilter = None,
        priority: PriorityFilter = None,
        assignee: AssigneeFilter = None,
        label: LabelFilter = None,
        parent: ParentFilter = None,
        creator: CreatorFilter = None,
        watcher: WatcherFilter = None,
        cycle: CycleFilter = None,
        milestone: MilestoneFilter = None,
        field: FieldFilter = None,
        due: DueFilter = None,
        created: CreatedFilter = None,
        updated: UpdatedFilter = None,
        completed: CompletedFilter = None,
        overdue: OverdueFilter = None,
        blocked: BlockedFilter = None,
        deleted: DeletedFilter = None,
        q: WordFilter = None,
        sort: Sort = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the tasks of all projects that the caller sees, newest first unless asked for."""
        asked = {name: value for name, value in locals().items() if name in FILTERS}
        pages = TaskPages(**asked).by(request.caller.user_id)
        return await pages.across_projects(request, project, limit, cursor)
