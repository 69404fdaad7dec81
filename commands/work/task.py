"""Commands on tasks."""

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from commands.base import (
    Change,
    Command,
    Context,
    Decision,
    NotPermitted,
    changes_of,
    refuse_unless_role_grants,
)
from commands.reads import Reads
from domain.base import NotFound, ProjectId, TaskId, UserId
from domain.identity.organization.membership import Role
from domain.identity.organization.state import Organization
from domain.name import Title
from domain.permission import Permission, is_allowed
from domain.work.project.state import Project
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskCreated,
    TaskDeleted,
    TaskDescribed,
    TaskEvent,
    TaskPriorityChanged,
    TaskRestored,
    TaskRetitled,
    TaskStatus,
    TaskStatusChanged,
    TaskUnassigned,
)
from domain.work.task.state import FINISHED, OPEN_NUMBER, Task

Description = Annotated[str, Meta(max_length=100_000)]

STARTED = frozenset({TaskStatus.IN_PROGRESS, TaskStatus.IN_REVIEW})
"""Statuses that no task can enter while its project is on hold."""


class CreateTask(Command, frozen=True, kw_only=True):
    """Create a task in a project."""

    needs: ClassVar[Permission | None] = Permission.TASK_CREATE
    records = (TaskCreated,)
    task_id: TaskId
    project_id: ProjectId
    title: Title
    description: Description | None = None
    priority: Priority = Priority.MEDIUM
    parent_id: TaskId | None = None

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        project = await read(Project, self.project_id)
        project.refuse_unless_takes_tasks()
        if self.parent_id is not None:
            parent = await read(Task, self.parent_id)
            parent.refuse_unless_here()
            if parent.project_id != self.project_id:
                raise NotFound
        if read.new(Task, self.task_id).project_id is not None:
            return []
        created = TaskCreated(
            project_id=self.project_id,
            project_key=project.key,
            number=OPEN_NUMBER,
            title=self.title,
            description=self.description,
            status=TaskStatus.TODO,
            priority=self.priority,
            parent_id=self.parent_id,
            created_by=context.user_id,
            created_at=context.now,
        )
        return [Change(self.task_id, [created])]


class TaskCommand(Command, frozen=True, kw_only=True):
    """A command on one task."""

    needs: ClassVar[Permission | None] = Permission.TASK_EDIT
    task_id: TaskId

    @property
    def target(self) -> UUID | None:
        return self.task_id


class EditTask(TaskCommand, frozen=True, kw_only=True):
    """Change fields of a task; fields that already have the value record nothing."""

    records = (
        TaskRetitled,
        TaskDescribed,
        TaskPriorityChanged,
        TaskStatusChanged,
    )
    title: Title | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    priority: Priority | UnsetType = UNSET
    status: TaskStatus | UnsetType = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        events: list[TaskEvent] = []
        if self.title is not UNSET:
            events += task.retitle(self.title)
        if self.description is not UNSET:
            events += task.describe(self.description)
        if self.priority is not UNSET:
            events += task.change_priority(self.priority)
        if self.status is not UNSET:
            moved = ChangeTaskStatus(task_id=self.task_id, to=self.status)
            events += await change_status(read, context, moved)
        return changes_of(self.task_id, events)


class ChangeTaskStatus(TaskCommand, frozen=True, kw_only=True):
    """Change the status of a task.

    With ``via_path`` it passes through the statuses between, one event each. With ``force``, which
    takes a permission of its own, it is finished despite open subtasks.
    """

    records = (TaskStatusChanged,)
    to: TaskStatus
    via_path: bool = False
    force: bool = False

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        if self.force:
            await refuse_unless_role_grants(read, context, Permission.TASK_FORCE)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        return changes_of(self.task_id, await change_status(read, context, self))


class AssignTask(TaskCommand, frozen=True, kw_only=True):
    """Assign an active member of the organization to a task."""

    records = (TaskAssigned,)
    user_id: UserId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        organization = await read(Organization, context.organization)
        if organization.role_of(self.user_id) is None:
            raise NotFound(user_id=self.user_id)
        return changes_of(self.task_id, task.assign(self.user_id))


class UnassignTask(TaskCommand, frozen=True, kw_only=True):
    """Unassign somebody from a task."""

    records = (TaskUnassigned,)
    user_id: UserId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        return changes_of(self.task_id, task.unassign(self.user_id))


class DeleteTask(TaskCommand, frozen=True, kw_only=True):
    """Move a task to the trash; members may delete their own tasks for 24 hours."""

    needs: ClassVar[Permission | None] = Permission.TASK_DELETE_OWN
    records = (TaskDeleted,)

    async def permit(self, read: Reads, context: Context, /) -> None:
        await _refuse_unless_own(read, context, self.task_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, _ = await read_task(read, self.task_id)
        if not await _may_delete_any(read, context) and not task.is_own_and_young(
            context.user_id, context.now
        ):
            raise NotPermitted(needs=Permission.TASK_DELETE)
        return changes_of(self.task_id, task.delete())


class RestoreTask(TaskCommand, frozen=True, kw_only=True):
    """Restore a task from the trash; members may restore their own tasks."""

    needs: ClassVar[Permission | None] = Permission.TASK_DELETE_OWN
    records = (TaskRestored,)

    async def permit(self, read: Reads, context: Context, /) -> None:
        await _refuse_unless_own(read, context, self.task_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task = await read(Task, self.task_id)
        if task.project_id is None:
            raise NotFound
        project = await read(Project, task.project_id)
        project.refuse_unless_here()
        return changes_of(self.task_id, task.restore())


async def read_task(read: Reads, task_id: TaskId) -> tuple[Task, Project]:
    """Return a task and its project, neither of them deleted.

    :raises NotFound: one of them is missing or deleted.
    """
    task = await read(Task, task_id)
    if task.project_id is None or task.deleted:
        raise NotFound
    project = await read(Project, task.project_id)
    project.refuse_unless_here()
    return task, project


async def change_status(read: Reads, context: Context, asked: ChangeTaskStatus) -> list[TaskEvent]:
    """Return the events of a status change, checked against the project and the caller's role."""
    task, project = await read_task(read, asked.task_id)
    project.refuse_unless_editable()
    to = asked.to
    if task.status in FINISHED and to is not task.status:
        await _refuse_unless_may_reopen(read, context, task)
    events = (task.walk_to if asked.via_path else task.change_status)(to, force=asked.force)
    if any(isinstance(step, TaskStatusChanged) and step.to in STARTED for step in events):
        project.refuse_unless_takes_tasks()  # passing through counts as starting
    return events


async def _refuse_unless_may_reopen(read: Reads, context: Context, task: Task) -> None:
    organization = await read(Organization, context.organization)
    role = organization.role_of(context.user_id)
    concerned = context.user_id in task.assignees or context.user_id == task.created_by
    if not concerned and role not in (Role.ADMIN, Role.MANAGER):
        raise NotPermitted(needs="assignee, creator, MANAGER or ADMIN")


async def _refuse_unless_own(read: Reads, context: Context, task_id: TaskId) -> None:
    """Refuse a caller who may delete or restore neither every task nor this one."""
    await refuse_unless_role_grants(read, context, Permission.TASK_DELETE_OWN)
    task = await read(Task, task_id)
    if task.project_id is None:
        raise NotFound
    if not await _may_delete_any(read, context) and task.created_by != context.user_id:
        raise NotPermitted(needs=Permission.TASK_DELETE)


async def _may_delete_any(read: Reads, context: Context) -> bool:
    organization = await read(Organization, context.organization)
    role = organization.role_of(context.user_id)
    return is_allowed(role, Permission.TASK_DELETE, context.scopes)
