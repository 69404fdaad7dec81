"""HTTP routes of the tasks of a project, and of lists of tasks across projects."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery, JSONBody, Parameter
from msgspec import Struct
from msgspec.structs import asdict

from api.http.paging import LIMIT_DEFAULT, Paging, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import run_command
from api.work.project_key import project_id_of
from api.work.sight import project_here, projects_seen
from api.work.task_reply import shown_task
from api.work.tasks.detail import TaskDetail, tasks_in_full, viewer_of
from api.work.tasks.filters import (
    AskedTasks,
    AssigneeFilter,
    BlockedFilter,
    CreatorFilter,
    DueFilter,
    FieldFilter,
    GroupFilter,
    LabelFilter,
    OverdueFilter,
    ParentFilter,
    PriorityFilter,
    Sort,
    StatusFilter,
    WatcherFilter,
)
from commands.work.task_create import Assignees, CreateTask, LabelIds
from commands.work.task_plan import FieldInputs, Planned
from commands.work.task_values import Description, DueTime, Estimate
from domain.base import CycleId, MilestoneId, NotFound, ProjectId, TaskId
from domain.identity.plan import PlanLimitReached
from domain.name import Title
from domain.permission import Permission
from domain.planning.field import FieldNotInUse
from domain.work.project.errors import ProjectIsArchived, ProjectOnHold
from domain.work.project.state import Project
from domain.work.task.custom_field import FieldValueNotValid, UnknownField
from domain.work.task.errors import (
    CannotSeeProject,
    StartsAfterDue,
    SubtasksTooDeep,
    TwoDueDates,
)
from domain.work.task.events import Priority
from domain.work.workflow.errors import UnknownStatus
from domain.work.workflow.events import StatusKey
from eventstore.identifiers import new_id
from projections.engine.query import ListSlice
from projections.work.dashboard import Now
from projections.work.task_list import Lane, TaskSort, find_tasks, find_tasks_by_key, lanes_of
from projections.work.workflow import keys_within

ProjectFilter = FromQuery[
    Annotated[
        str | None, Parameter(description="Ids or keys of projects; several joined by commas")
    ]
]


class NewTask(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new task."""

    title: Title
    description: Description | None = None
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


class ProjectTaskController(Controller):
    """The tasks of one project."""

    path = "/api/project/{project_id:uuid}/tasks"
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
                TwoDueDates,
                FieldNotInUse,
                FieldValueNotValid,
                UnknownField,
            ),
        ),
        responses=shows(TaskDetail, 201),
    )
    async def create(
        self, request: ApiRequest, project_id: FromPath[UUID], data: JSONBody[NewTask]
    ) -> ApiResponse:
        """Create a task. It gets the next number in its project."""
        task_id = TaskId(new_id())
        command = CreateTask(
            task_id=task_id,
            project_id=ProjectId(project_id),
            title=data.title,
            description=data.description,
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
        return await run_command(request, command, shown_task(request, task_id, 201))

    @get(
        "/",
        opt=needs(Permission.TASK_READ, fails=(UnknownStatus,)),
        responses=shows(Page[TaskDetail]),
    )
    async def list_tasks(  # noqa: PLR0913, PLR0917 - one parameter per filter
        self,
        request: ApiRequest,
        project_id: FromPath[UUID],
        status: StatusFilter = None,
        group: GroupFilter = None,
        priority: PriorityFilter = None,
        assignee: AssigneeFilter = None,
        label: LabelFilter = None,
        parent: ParentFilter = None,
        creator: CreatorFilter = None,
        watcher: WatcherFilter = None,
        field: FieldFilter = None,
        due: DueFilter = None,
        overdue: OverdueFilter = None,
        blocked: BlockedFilter = None,
        sort: Sort = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the tasks of a project, newest first unless another order is asked for."""
        asked = AskedTasks(
            status=status,
            group=group,
            priority=priority,
            assignee=assignee,
            label=label,
            parent=parent,
            creator=creator,
            watcher=watcher,
            field=field,
            due=due,
            overdue=overdue,
            blocked=blocked,
            sort=sort,
        )
        return await _of_project(request, ProjectId(project_id), asked, limit, cursor)


class TaskListController(Controller):
    """The list of tasks across projects."""

    path = "/api/task"
    tags = ("Tasks",)

    @get(
        "/",
        opt=needs(Permission.TASK_READ, fails=(NotFound,)),
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
        field: FieldFilter = None,
        due: DueFilter = None,
        overdue: OverdueFilter = None,
        blocked: BlockedFilter = None,
        sort: Sort = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the tasks of all projects that the caller sees, newest first unless asked for."""
        asked = AskedTasks(
            status=status,
            group=group,
            priority=priority,
            assignee=assignee,
            label=label,
            parent=parent,
            creator=creator,
            watcher=watcher,
            field=field,
            due=due,
            overdue=overdue,
            blocked=blocked,
            sort=sort,
        )
        return await _across_projects(request, project, asked, limit, cursor)


async def _of_project(
    request: ApiRequest, project_id: ProjectId, asked: AskedTasks, limit: int, cursor: str | None
) -> ApiResponse:
    project = (await project_here(request, project_id)).state
    for key in asked.statuses():
        project.workflow.status(key)
    paging = Paging(request, **asdict(asked))
    after = paging.key(cursor)
    await wait_for_own_writes(request, "tasks")
    projects = {project_id: project}
    page = await _found(request, asked, projects, limit, after)
    return paging.answer(await tasks_in_full(request, page, projects), limit)


async def _across_projects(
    request: ApiRequest, chosen: str | None, asked: AskedTasks, limit: int, cursor: str | None
) -> ApiResponse:
    paging = Paging(request, project=chosen, **asdict(asked))
    after = paging.key(cursor)
    await wait_for_own_writes(request, "projects", "tasks")
    projects = await _projects(request, chosen)
    page = await _found(request, asked, projects, limit, after)
    return paging.answer(await tasks_in_full(request, page, projects), limit)


async def _projects(request: ApiRequest, asked: str | None) -> Mapping[ProjectId, Project]:
    """Return the projects to list the tasks of.

    :raises NotFound: one that is asked for does not exist, or not for the caller.
    """
    if asked is None:
        return await projects_seen(request)
    ids = [ProjectId(await project_id_of(request, one)) for one in asked.split(",")]
    seen = await projects_seen(request)
    if any(each not in seen for each in ids):
        raise NotFound
    return {each: seen[each] for each in ids}


async def _found(
    request: ApiRequest,
    asked: AskedTasks,
    projects: Mapping[ProjectId, Project],
    limit: int,
    after: str | int | None,
) -> ListSlice:
    """Return the page of the tasks of *projects* that are asked for.

    Which statuses they have is asked of each project's workflow as it is now.
    """
    order, statuses, groups = asked.order(), asked.statuses(), asked.groups()
    viewer = await viewer_of(request)
    wanted = asked.filter(Now(viewer.now, viewer.zone))
    keys = {each: keys_within(one.workflow, statuses, groups) for each, one in projects.items()}
    found = {each: within for each, within in keys.items() if within != ()}
    models, org_id = request.api.models, request.organization
    if order.sort is not TaskSort.KEY:
        return await find_tasks(models, org_id, lanes_of(found), wanted, order, limit, after)
    ordered = sorted(found, key=lambda each: projects[each].key)
    lanes = [Lane((each,), found[each], projects[each].key) for each in ordered]
    return await find_tasks_by_key(models, org_id, lanes, wanted, order, limit, _text(after))


def _text(after: str | int | None) -> str | None:
    return None if after is None else str(after)
