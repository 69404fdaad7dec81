"""Events of a task."""

from datetime import datetime
from enum import StrEnum

from msgspec import field

from domain.base import Event, Personal, ProjectId, TaskId, UserId


class TaskStatus(StrEnum):
    """The status of a task. The values are stored, so they never change."""

    TODO = "TODO"
    IN_PROGRESS = "IN_PROGRESS"
    IN_REVIEW = "IN_REVIEW"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


class Priority(StrEnum):
    """How urgent a task is. The values are stored, so they never change."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    URGENT = "URGENT"


class TaskCreated(Event, frozen=True, kw_only=True, tag="task.created"):
    """A task was created in a project."""

    project_id: ProjectId
    project_key: str
    number: int
    title: Personal
    description: Personal | None = None
    status: TaskStatus
    priority: Priority
    parent_id: TaskId | None = None
    created_by: UserId
    created_at: datetime  # a rule needs it: members can delete their own recent tasks


class TaskRetitled(Event, frozen=True, kw_only=True, tag="task.retitled"):
    """The title of a task changed."""

    sets = ("title",)
    from_: Personal = field(name="from")
    to: Personal


class TaskDescribed(Event, frozen=True, kw_only=True, tag="task.described"):
    """The description of a task was changed or (null) removed."""

    sets = ("description",)
    description: Personal | None


class TaskStatusChanged(
    Event, frozen=True, kw_only=True, omit_defaults=True, tag="task.status_changed"
):
    """The status of a task changed; `forced` if open subtasks were not to stop it."""

    sets = ("status",)
    from_: TaskStatus = field(name="from")
    to: TaskStatus
    forced: bool = False


class TaskPriorityChanged(Event, frozen=True, kw_only=True, tag="task.priority_changed"):
    """The priority of a task changed."""

    sets = ("priority",)
    from_: Priority = field(name="from")
    to: Priority


class TaskAssigned(Event, frozen=True, kw_only=True, tag="task.assigned"):
    """A user was assigned to a task."""

    user_id: UserId

    def field_keys(self) -> tuple[str, ...]:
        return (f"assignees:{self.user_id}",)


class TaskUnassigned(Event, frozen=True, kw_only=True, tag="task.unassigned"):
    """A user was unassigned from a task."""

    user_id: UserId

    def field_keys(self) -> tuple[str, ...]:
        return (f"assignees:{self.user_id}",)


class TaskDeleted(Event, frozen=True, kw_only=True, tag="task.deleted"):
    """A task was moved to the trash, from which it can be restored."""

    sets = ("deleted",)


class TaskRestored(Event, frozen=True, kw_only=True, tag="task.restored"):
    """A task was restored from the trash, unchanged."""

    sets = ("deleted",)


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
