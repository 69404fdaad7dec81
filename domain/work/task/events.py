"""Events of a task."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

from domain.base import Event, LabelId, Personal, ProjectId, TaskId, UserId
from domain.work.task.imported import TaskDetailEvent
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.trash_events import TaskPurged, TasksInPlan, TasksInStatus
from domain.work.workflow.events import Guard, StatusGroup, StatusRule


class TaskStatus(StrEnum):
    """The statuses of a task in a project that has no workflow of its own."""

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


class TaskSchedule(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """When a task starts and when it is due: on a day, or at a time."""

    start_date: date | None = None
    due_date: date | None = None
    due_at: datetime | None = None


_GROUPS = {group.value: group for group in StatusGroup}
_TODO = StatusGroup.TODO  # looking up a member of an enumeration takes longer than the rest


class TaskCreated(Event, frozen=True, kw_only=True, tag="task.created"):
    """A task was created in a project."""

    project_id: ProjectId
    project_key: str
    number: int
    title: Personal
    description: Personal | None = None
    status: str
    group: StatusGroup
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
    """The status of a task changed, by the rules of a version of the workflow.

    `guards` held. With `forced`, those in `pastGuards` were not asked. `at` is the time, if work on
    the task began or ended by it.
    """

    sets = ("status", "group")
    hidden = ("blocking", "hiddenBlockers")
    from_: str = field(name="from")
    to: str
    # The most frequent event is the smallest: a group that its status is named after is not stored.
    own_from_group: StatusGroup | UnsetType = field(default=UNSET, name="fromGroup")
    own_to_group: StatusGroup | UnsetType = field(default=UNSET, name="toGroup")
    workflow_version: int = 1
    guards: tuple[Guard, ...] = ()
    forced: bool = False
    past_guards: tuple[Guard, ...] = ()
    blocking: tuple[TaskId, ...] = ()  # what it begins or ceases to block by this
    hidden_blockers: int = 0  # open ones in projects in the trash, past which it goes
    at: datetime | None = None

    @classmethod
    def between(cls, before: StatusRule, after: StatusRule, **about: Any) -> "TaskStatusChanged":
        """Return the change from one status to another; *about* are further fields."""
        return cls(
            from_=before.key,
            to=after.key,
            own_from_group=UNSET if before.key == before.group else before.group,
            own_to_group=UNSET if after.key == after.group else after.group,
            **about,
        )

    @property
    def from_group(self) -> StatusGroup:
        """The group of the status before."""
        own = self.own_from_group
        return _GROUPS.get(self.from_, _TODO) if own is UNSET else own

    @property
    def to_group(self) -> StatusGroup:
        """The group of the status from now on."""
        own = self.own_to_group
        return _GROUPS.get(self.to, _TODO) if own is UNSET else own

    @classmethod
    def add_implied(cls, data: dict[str, Any]) -> None:
        data.setdefault("fromGroup", data["from"])
        data.setdefault("toGroup", data["to"])
        data.setdefault("workflowVersion", 1)


class TaskPriorityChanged(Event, frozen=True, kw_only=True, tag="task.priority_changed"):
    """The priority of a task changed."""

    sets = ("priority",)
    from_: Priority = field(name="from")
    to: Priority


class TaskScheduled(Event, frozen=True, kw_only=True, tag="task.scheduled"):
    """The start of a task, or when it is due, changed."""

    from_: TaskSchedule = field(name="from")
    to: TaskSchedule

    def field_keys(self) -> tuple[str, ...]:
        before, after = self.from_, self.to
        return tuple(
            name
            for name in TaskSchedule.__struct_fields__
            if getattr(before, name) != getattr(after, name)
        )


class TaskEstimated(Event, frozen=True, kw_only=True, tag="task.estimated"):
    """The estimate of a task was changed or (null) removed."""

    sets = ("estimate",)
    from_: int | None = field(name="from")
    to: int | None


class TaskReparented(Event, frozen=True, kw_only=True, tag="task.reparented"):
    """A task became a subtask of another one, or (null) of none."""

    sets = ("parent_id",)
    from_: TaskId | None = field(name="from")
    to: TaskId | None


class TaskRanked(Event, frozen=True, kw_only=True, tag="task.ranked"):
    """A task was put elsewhere among those of its project."""

    sets = ("rank",)
    from_: str = field(name="from")
    to: str


class TaskMoved(Event, frozen=True, kw_only=True, omit_defaults=True, tag="task.moved"):
    """A task was moved to another project, where it has a new number; its old key leads to it."""

    sets = ("project_id", "project_key", "number", "parent_id", "rank", "status", "group")
    hidden = ("belowTrash",)
    from_project_id: ProjectId
    from_key: str
    project_id: ProjectId
    project_key: str
    number: int
    status: str
    group: StatusGroup
    parent_id: TaskId | None
    below_trash: bool = False  # whether a task above it is in the trash


class TaskAssigned(Event, frozen=True, kw_only=True, tag="task.assigned"):
    """A user was assigned to a task, and watches it from now on."""

    user_id: UserId

    def field_keys(self) -> tuple[str, ...]:
        return (f"assignees:{self.user_id}", f"watchers:{self.user_id}")


class TaskUnassigned(Event, frozen=True, kw_only=True, tag="task.unassigned"):
    """A user was unassigned from a task."""

    user_id: UserId

    def field_keys(self) -> tuple[str, ...]:
        return (f"assignees:{self.user_id}",)


class TaskLabelled(Event, frozen=True, kw_only=True, tag="task.labelled"):
    """A task got a label."""

    label_id: LabelId

    def field_keys(self) -> tuple[str, ...]:
        return (f"labels:{self.label_id}",)


class TaskUnlabelled(Event, frozen=True, kw_only=True, tag="task.unlabelled"):
    """A label was removed from a task."""

    label_id: LabelId

    def field_keys(self) -> tuple[str, ...]:
        return (f"labels:{self.label_id}",)


class TaskWatched(Event, frozen=True, kw_only=True, tag="task.watched"):
    """A user watches a task from now on."""

    user_id: UserId

    def field_keys(self) -> tuple[str, ...]:
        return (f"watchers:{self.user_id}",)


class TaskUnwatched(Event, frozen=True, kw_only=True, tag="task.unwatched"):
    """A user no longer watches a task."""

    user_id: UserId

    def field_keys(self) -> tuple[str, ...]:
        return (f"watchers:{self.user_id}",)


class TaskDeleted(Event, frozen=True, kw_only=True, omit_defaults=True, tag="task.deleted"):
    """A task was moved to the trash with all of its subtasks, which only it brings back."""

    sets = ("deleted",)
    hidden = ("projectId", "owner", "below", "hides", "planned", "blocking")
    at: datetime | None = None
    project_id: ProjectId | None = None
    owner: UserId | None = None  # who created it, and may see it in the trash
    below: tuple[TaskId, ...] = ()  # its subtasks at all levels
    hides: tuple[TasksInStatus, ...] = ()  # of them, those that nothing hid before
    planned: tuple[TasksInPlan, ...] = ()  # of those, the ones in cycles and towards milestones
    blocking: tuple[TaskId, ...] = ()  # what it and they blocked, as often as they did


class TaskRestored(Event, frozen=True, kw_only=True, omit_defaults=True, tag="task.restored"):
    """A task was restored from the trash, unchanged, with the subtasks that its deletion hid."""

    sets = ("deleted",)
    hidden = ("below", "hides", "planned", "blocking")
    below: tuple[TaskId, ...] = ()
    hides: tuple[TasksInStatus, ...] = ()
    planned: tuple[TasksInPlan, ...] = ()
    blocking: tuple[TaskId, ...] = ()


TaskEvent = (
    TaskCreated
    | TaskRetitled
    | TaskDescribed
    | TaskStatusChanged
    | TaskPriorityChanged
    | TaskReparented
    | TaskRanked
    | TaskMoved
    | TaskScheduled
    | TaskEstimated
    | TaskAssigned
    | TaskUnassigned
    | TaskLabelled
    | TaskUnlabelled
    | TaskDetailEvent
    | TaskCycleChanged
    | TaskMilestoneChanged
    | TaskWatched
    | TaskUnwatched
    | TaskDeleted
    | TaskRestored
    | TaskPurged
)
