"""What can happen to a task."""

from datetime import datetime
from enum import StrEnum

from msgspec import field

from domain.base import Event, Personal, ProjectId, TaskId, UserId


class TaskStatus(StrEnum):
    """Where a task stands; the values are stored, so they never change."""

    TODO = "TODO"
    IN_PROGRESS = "IN_PROGRESS"
    IN_REVIEW = "IN_REVIEW"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


class Priority(StrEnum):
    """How urgent a task is; the values are stored, so they never change."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    URGENT = "URGENT"


class TaskCreated(Event, frozen=True, kw_only=True, tag="task.created"):
    """Somebody put a piece of work on a project's list."""

    project_id: ProjectId
    project_key: str
    number: int
    title: Personal
    description: Personal | None = None
    status: TaskStatus
    priority: Priority
    parent_id: TaskId | None = None
    created_by: UserId
    created_at: datetime  # a rule needs it: members delete their own young tasks


class TaskRetitled(Event, frozen=True, kw_only=True, tag="task.retitled"):
    """A task got another title."""

    from_: Personal = field(name="from")
    to: Personal


class TaskDescribed(Event, frozen=True, kw_only=True, tag="task.described"):
    """The description of a task was written, rewritten or (null) removed."""

    description: Personal | None


class TaskStatusChanged(Event, frozen=True, kw_only=True, tag="task.status_changed"):
    """A task went from one status to another."""

    from_: TaskStatus = field(name="from")
    to: TaskStatus


class TaskPriorityChanged(Event, frozen=True, kw_only=True, tag="task.priority_changed"):
    """A task became more or less urgent."""

    from_: Priority = field(name="from")
    to: Priority


class TaskAssigned(Event, frozen=True, kw_only=True, tag="task.assigned"):
    """Somebody became responsible for a task."""

    user_id: UserId


class TaskUnassigned(Event, frozen=True, kw_only=True, tag="task.unassigned"):
    """Somebody is no longer responsible for a task."""

    user_id: UserId


class TaskDeleted(Event, frozen=True, kw_only=True, tag="task.deleted"):
    """A task was put in the trash; everything about it can still be restored."""


class TaskRestored(Event, frozen=True, kw_only=True, tag="task.restored"):
    """A task came back from the trash exactly as it was."""


TaskEvent = (
    TaskCreated
    | TaskRetitled
    | TaskDescribed
    | TaskStatusChanged
    | TaskPriorityChanged
    | TaskAssigned
    | TaskUnassigned
    | TaskDeleted
    | TaskRestored
)
