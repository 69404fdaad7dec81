"""Commands on tasks."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import ClassVar
from uuid import UUID

from msgspec import UNSET, UnsetType, field

from commands.base import (
    Command,
    Context,
    Decision,
    NotPermitted,
    changes_of,
)
from commands.reads import Reads
from commands.sight import (
    leads_team_of,
    refuse_unless_concerned,
    refuse_unless_granted_in,
    refuse_unless_sees_id,
)
from commands.work.task_event import completed
from commands.work.task_plan import (
    NO_VALUES,
    NOT_PLANNED,
    FieldInputs,
    Planned,
    fill_in,
    mention_in,
    put,
)
from commands.work.task_tree import place_under, trashed_above
from commands.work.task_values import Description, DueTime, Estimate, Mentions, in_utc
from domain.base import NotFound, TaskId, UserId
from domain.identity.organization.membership import Role
from domain.identity.organization.state import Organization
from domain.name import Title
from domain.permission import Permission
from domain.work.project.state import Project
from domain.work.task import planning, status
from domain.work.task.custom_field import TaskFieldSet
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskDescribed,
    TaskEstimated,
    TaskEvent,
    TaskPriorityChanged,
    TaskReparented,
    TaskRetitled,
    TaskSchedule,
    TaskScheduled,
    TaskStatusChanged,
    TaskUnassigned,
    TaskWatched,
)
from domain.work.task.mentions import TaskMentioned
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.state import Task
from domain.work.workflow.events import FINISHED, STARTED, StatusGroup, StatusKey


class TaskCommand(Command, frozen=True, kw_only=True):
    """A command on one task."""

    needs: ClassVar[Permission | None] = Permission.TASK_EDIT
    task_id: TaskId

    @property
    def target(self) -> UUID | None:
        return self.task_id

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        await refuse_unless_sees_task(read, context, self.task_id)


class EditTask(TaskCommand, frozen=True, kw_only=True):
    """Change fields of a task; fields that already have the value record nothing."""

    records = (
        TaskRetitled,
        TaskDescribed,
        TaskMentioned,
        TaskWatched,
        TaskPriorityChanged,
        TaskScheduled,
        TaskEstimated,
        TaskReparented,
        TaskStatusChanged,
        TaskFieldSet,
        TaskCycleChanged,
        TaskMilestoneChanged,
    )
    title: Title | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    mentions: Mentions | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    start_date: date | UnsetType | None = UNSET
    due_date: date | UnsetType | None = UNSET
    due_at: DueTime | UnsetType | None = UNSET
    estimate: Estimate | UnsetType | None = UNSET
    parent_id: TaskId | UnsetType | None = UNSET
    below: tuple[TaskId, ...] = ()  # the subtasks of a task that gets another parent, as listed
    status: StatusKey | UnsetType = UNSET
    fields: FieldInputs = field(default_factory=NO_VALUES)
    planned: Planned = NOT_PLANNED

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        events: list[TaskEvent] = []
        if self.title is not UNSET:
            events += task.retitle(self.title)
        if self.description is not UNSET:
            events += task.describe(self.description)
        if self.mentions is not UNSET:
            events += await mention_in(read, context, project, task, self.mentions)
        if self.priority is not UNSET:
            events += task.change_priority(self.priority)
        events += planning.schedule(task, self._schedule(task.schedule))
        if self.estimate is not UNSET:
            events += planning.estimate(task, self.estimate)
        if self.status is not UNSET:
            moved = ChangeTaskStatus(task_id=self.task_id, to=self.status)
            events += await change_status(read, context, moved)
        events += await fill_in(read, context, project, task, self.fields)
        events += await put(read, task, self.planned)
        if self.parent_id is UNSET:
            return changes_of(self.task_id, events)
        moved_below = await place_under(read, context, self.task_id, self.parent_id, self.below)
        return [*changes_of(self.task_id, [*events, *moved_below.events]), *moved_below.checks]

    def _schedule(self, known: TaskSchedule) -> TaskSchedule:
        """Return the dates as this edit leaves them; one way of being due ends the other."""
        start_date = known.start_date if self.start_date is UNSET else self.start_date
        due_date = known.due_date if self.due_date is UNSET else self.due_date
        due_at = known.due_at if self.due_at is UNSET else in_utc(self.due_at)
        if self.due_at and self.due_date is UNSET:
            due_date = None
        if self.due_date and self.due_at is UNSET:
            due_at = None
        return TaskSchedule(start_date=start_date, due_date=due_date, due_at=due_at)


class ChangeTaskStatus(TaskCommand, frozen=True, kw_only=True):
    """Change the status of a task.

    With ``via_path`` it passes through the statuses between, one event each. With ``force``, which
    takes a permission of its own, the guards of the workflow are not asked.
    """

    records = (TaskStatusChanged,)
    to: StatusKey
    via_path: bool = False
    force: bool = False

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        if self.force:
            _, project = await read_task(read, self.task_id)
            await refuse_unless_granted_in(read, context, project, Permission.TASK_FORCE)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        return changes_of(self.task_id, await change_status(read, context, self))


class AssignTask(TaskCommand, frozen=True, kw_only=True):
    """Assign an active member of the organization to a task."""

    records = (TaskAssigned,)
    user_id: UserId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        await refuse_unless_concerned(read, context, project, self.user_id)
        return changes_of(self.task_id, task.assign(self.user_id))


class UnassignTask(TaskCommand, frozen=True, kw_only=True):
    """Unassign somebody from a task."""

    records = (TaskUnassigned,)
    user_id: UserId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        return changes_of(self.task_id, task.unassign(self.user_id))


async def read_task(read: Reads, task_id: TaskId) -> tuple[Task, Project]:
    """Return a task and its project, neither of them deleted.

    :raises NotFound: one of them, or a task above it, is missing or deleted.
    """
    task = await read(Task, task_id)
    if task.project_id is None or task.deleted or await trashed_above(read, task) is not None:
        raise NotFound
    project = await read(Project, task.project_id)
    project.refuse_unless_here()
    return task, project


async def read_editable_task(read: Reads, task_id: TaskId) -> tuple[Task, Project]:
    """Return a task and its project; refuse if one is deleted, or the project archived."""
    task, project = await read_task(read, task_id)
    project.refuse_unless_editable()
    return task, project


async def refuse_unless_sees_task(read: Reads, context: Context, task_id: TaskId) -> None:
    """Refuse a caller who does not see the project of a task, as if there were no such task.

    :raises NotFound: they do not, or there is none.
    """
    task = await read(Task, task_id)
    if task.project_id is None:
        raise NotFound
    await refuse_unless_sees_id(read, context, task.project_id)


async def change_status(read: Reads, context: Context, asked: ChangeTaskStatus) -> list[TaskEvent]:
    """Return the events of a status change, checked against the project and the caller's role."""
    task, project = await read_task(read, asked.task_id)
    project.refuse_unless_editable()
    return await change_status_in(read, context, asked, task, project)


async def change_status_in(
    read: Reads, context: Context, asked: ChangeTaskStatus, task: Task, project: Project
) -> list[TaskEvent]:
    """Return the events of a status change of *task* as it is by then, in *project*."""
    events = status.change_status(
        task,
        project.workflow,
        asked.to,
        context.now,
        via_path=asked.via_path,
        force=asked.force,
    )
    return await _allowed(read, context, asked.task_id, (task, project), events)


async def put_back_in_status(
    read: Reads, context: Context, task_id: TaskId, to: StatusKey
) -> list[TaskEvent]:
    """Return the events of a task that goes back to the status *to*, see ``status.put_back``."""
    task, project = await read_task(read, task_id)
    project.refuse_unless_editable()
    events = status.put_back(task, project.workflow, to, context.now)
    return await _allowed(read, context, task_id, (task, project), events)


async def _allowed(
    read: Reads,
    context: Context,
    task_id: TaskId,
    at: tuple[Task, Project],
    events: Sequence[TaskStatusChanged],
) -> list[TaskEvent]:
    """Return the events of a status change, if the caller may reopen and the project be begun."""
    task, project = at
    groups = [task.group, *[event.to_group for event in events]]
    if not FINISHED.isdisjoint(groups[:-1]) and _reopens(groups):
        await _refuse_unless_may_reopen(read, context, task, project)
    if not STARTED.isdisjoint(groups[1:]):
        project.refuse_unless_takes_tasks()  # passing through counts as starting
    return await completed(read, context, task_id, events)


def _reopens(groups: Sequence[StatusGroup]) -> bool:
    return any(a in FINISHED and b not in FINISHED for a, b in pairwise(groups))


async def _refuse_unless_may_reopen(
    read: Reads, context: Context, task: Task, project: Project
) -> None:
    organization = await read(Organization, context.organization)
    role = organization.role_of(context.user_id)
    concerned = context.user_id in task.assignees or context.user_id == task.created_by
    if concerned or role in (Role.ADMIN, Role.MANAGER):
        return
    if not await leads_team_of(read, context, project):
        raise NotPermitted(needs="assignee, creator, team LEAD, MANAGER or ADMIN")
