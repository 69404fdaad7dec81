"""Task: one piece of work in a project.

Invariants
    1. The status moves only along the transitions of the project's workflow; setting the same one
       records no event.
    2. A deleted task can only be restored, and a purged one not even that.
    3. At most ``ASSIGNEES_MAX`` people are assigned and ``LABELS_MAX`` labels given, each once.
    4. Setting a field to the value it has records no event, so the history holds only changes.
    5. Whoever created a task or is assigned to it watches it until they no longer want to; at most
       ``WATCHERS_MAX`` people do.
    6. It has at most ``FIELD_VALUES_MAX`` values in custom fields (``custom_field.py``).
    7. A transition whose guards do not hold is refused unless it is forced. The append counts what
       they ask for, so that they hold whatever happens meanwhile (``commands/reservations.py``).
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, TypeVar, get_args

from msgspec import Struct
from msgspec.structs import replace

from domain.base import CycleId, Event, LabelId, MilestoneId, NotFound, ProjectId, TaskId, UserId
from domain.work.task.custom_field import TaskFieldSet, with_value
from domain.work.task.errors import TooManyAssignees
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskCreated,
    TaskDeleted,
    TaskDescribed,
    TaskEstimated,
    TaskEvent,
    TaskLabelled,
    TaskMoved,
    TaskPriorityChanged,
    TaskRanked,
    TaskReparented,
    TaskRestored,
    TaskRetitled,
    TaskSchedule,
    TaskScheduled,
    TaskStatusChanged,
    TaskUnassigned,
    TaskUnlabelled,
    TaskUnwatched,
    TaskWatched,
)
from domain.work.task.imported import TaskImported, TaskOrigin, imported_from
from domain.work.task.mentions import TaskMentioned
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.rank import place, rank_of_number
from domain.work.task.recurrence_events import (
    Recurrence,
    TaskOccurrenceSkipped,
    TaskRecurrenceSet,
    TaskRepeated,
    recurrence_in,
    text_of_recurrence,
)
from domain.work.task.templated import TaskTemplated
from domain.work.task.trash_events import PURGED_TASK, TaskPurged
from domain.work.workflow.events import STARTED, StatusGroup

M = TypeVar("M")

ASSIGNEES_MAX, WATCHERS_MAX, LABELS_MAX = 20, 200, 50
LEVELS_MAX = 5
"""How deep tasks are nested: a task, its subtasks, theirs, and so on."""

OWN_DELETE_WINDOW = timedelta(hours=24)
"""How long members without a higher role can delete a task that they created."""

_DONE = StatusGroup.DONE  # a member is looked up in 70 ns, and every status change is folded

OPEN_NUMBER = 0
"""The number of a task that has none yet: the append assigns the next one of its project."""


class Task(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about a task, and the fields of its view."""

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(TaskEvent)

    project_id: ProjectId | None = None
    project_key: str = ""
    number: int = 0
    title: str = ""
    description: str | None = None
    status: str = ""
    group: StatusGroup = StatusGroup.TODO
    priority: Priority = Priority.MEDIUM
    parent_id: TaskId | None = None
    rank: str = ""
    start_date: date | None = None
    due_date: date | None = None
    due_at: datetime | None = None
    estimate: int | None = None
    cycle_id: CycleId | None = None
    milestone_id: MilestoneId | None = None
    assignees: tuple[UserId, ...] = ()
    labels: tuple[LabelId, ...] = ()
    fields: tuple[str, ...] = ()
    watchers: tuple[UserId, ...] = ()
    mentions: tuple[UserId, ...] = ()
    created_by: UserId | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    deleted_at: datetime | None = None
    deleted: bool = False
    external_id: str | None = None
    occurred_at: datetime | None = None
    author: str | None = None
    purged: bool = False
    recurrence: str | None = None

    def evolve(self, event: TaskEvent) -> "Task":
        return _FOLDS[type(event)](self, event)

    @property
    def key(self) -> str:
        """The key of the task, such as ENG-12."""
        return f"{self.project_key}-{self.number}"

    @property
    def place(self) -> str:
        """Where the task stands among all of its organization: a unique sort key."""
        return place(self.rank, self.key)

    @property
    def schedule(self) -> TaskSchedule:
        """When the task starts and is due."""
        return TaskSchedule(start_date=self.start_date, due_date=self.due_date, due_at=self.due_at)

    @property
    def repeats(self) -> Recurrence | None:
        """How the task repeats; None if it does not, or a newer one does in its place."""
        return recurrence_in(self.recurrence)

    @property
    def origin(self) -> TaskOrigin | None:
        """Where the task was imported from; None if it was created here."""
        return imported_from(self)

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def retitle(self, title: str) -> list[TaskEvent]:
        self.refuse_unless_here()
        return [] if title == self.title else [TaskRetitled(from_=self.title, to=title)]

    def describe(self, description: str | None) -> list[TaskEvent]:
        self.refuse_unless_here()
        return [] if description == self.description else [TaskDescribed(description=description)]

    def change_priority(self, to: Priority) -> list[TaskEvent]:
        self.refuse_unless_here()
        return [] if to is self.priority else [TaskPriorityChanged(from_=self.priority, to=to)]

    def assign(self, user_id: UserId) -> list[TaskEvent]:
        self.refuse_unless_here()
        if user_id in self.assignees:
            return []
        if len(self.assignees) >= ASSIGNEES_MAX:
            raise TooManyAssignees(limit=ASSIGNEES_MAX)
        return [TaskAssigned(user_id=user_id)]

    def unassign(self, user_id: UserId) -> list[TaskEvent]:
        self.refuse_unless_here()
        return [TaskUnassigned(user_id=user_id)] if user_id in self.assignees else []

    def refuse_unless_here(self) -> None:
        """Raise NotFound if the task was never created or is in the trash."""
        if self.project_id is None or self.deleted:
            raise NotFound

    def is_own_and_young(self, by: UserId, now: datetime) -> bool:
        """Return whether *by* created the task a short time ago, which lets a MEMBER delete it."""
        return (
            self.created_by == by
            and self.created_at is not None
            and now - self.created_at <= OWN_DELETE_WINDOW
        )


def _created(event: TaskCreated) -> Task:
    return Task(
        project_id=event.project_id,
        project_key=event.project_key,
        number=event.number,
        title=event.title,
        description=event.description,
        status=event.status,
        group=event.group,
        priority=event.priority,
        parent_id=event.parent_id,
        rank=rank_of_number(event.number),
        watchers=(event.created_by,),
        created_by=event.created_by,
        created_at=event.created_at,
        started_at=event.created_at if event.group in STARTED else None,
        completed_at=event.created_at if event.group is _DONE else None,
    )


def _moved(task: Task, event: TaskStatusChanged) -> Task:
    """Return *task* in its new status, with the times at which work began and ended."""
    group, started_at = event.to_group, task.started_at
    if started_at is None and group in STARTED:
        started_at = event.at
    completed_at = event.at if group is _DONE else None
    return replace(
        task, status=event.to, group=group, started_at=started_at, completed_at=completed_at
    )


def _assigned(task: Task, event: TaskAssigned) -> Task:
    watchers = _with(task.watchers, event.user_id)
    return replace(task, assignees=(*task.assignees, event.user_id), watchers=watchers)


def _put_elsewhere(task: Task, event: TaskMoved) -> Task:
    return replace(
        task,
        project_id=event.project_id,
        project_key=event.project_key,
        number=event.number,
        rank=rank_of_number(event.number),
        parent_id=event.parent_id,
        status=event.status,
        group=event.group,
    )


def _imported(task: Task, event: TaskImported) -> Task:
    return replace(
        task, external_id=event.external_id, occurred_at=event.occurred_at, author=event.author
    )


def _scheduled(task: Task, event: TaskScheduled) -> Task:
    to = event.to
    return replace(task, start_date=to.start_date, due_date=to.due_date, due_at=to.due_at)


def _repeating(task: Task, event: TaskRecurrenceSet | TaskOccurrenceSkipped) -> Task:
    return replace(task, recurrence=text_of_recurrence(event.to))


def _with(people: tuple[UserId, ...], user_id: UserId) -> tuple[UserId, ...]:
    return people if user_id in people else (*people, user_id)


def _without(members: Iterable[M], gone: M) -> tuple[M, ...]:
    return tuple(member for member in members if member != gone)


_FOLDS: dict[type[Event], Callable[[Task, Any], Task]] = {
    TaskCreated: lambda _, event: _created(event),
    TaskImported: _imported,
    TaskTemplated: lambda task, _: task,
    TaskRetitled: lambda task, event: replace(task, title=event.to),
    TaskDescribed: lambda task, event: replace(task, description=event.description),
    TaskMentioned: lambda task, event: replace(task, mentions=event.mentions),
    TaskStatusChanged: _moved,
    TaskPriorityChanged: lambda task, event: replace(task, priority=event.to),
    TaskReparented: lambda task, event: replace(task, parent_id=event.to),
    TaskRanked: lambda task, event: replace(task, rank=event.to),
    TaskMoved: _put_elsewhere,
    TaskScheduled: _scheduled,
    TaskEstimated: lambda task, event: replace(task, estimate=event.to),
    TaskCycleChanged: lambda task, event: replace(task, cycle_id=event.to),
    TaskMilestoneChanged: lambda task, event: replace(task, milestone_id=event.to),
    TaskFieldSet: lambda task, event: replace(task, fields=with_value(task.fields, event)),
    TaskRecurrenceSet: _repeating,
    TaskOccurrenceSkipped: _repeating,
    TaskRepeated: lambda task, _: replace(task, recurrence=None),
    TaskLabelled: lambda task, event: replace(task, labels=(*task.labels, event.label_id)),
    TaskUnlabelled: lambda task, event: replace(task, labels=_without(task.labels, event.label_id)),
    TaskAssigned: _assigned,
    TaskUnassigned: lambda task, event: replace(
        task, assignees=_without(task.assignees, event.user_id)
    ),
    TaskWatched: lambda task, event: replace(task, watchers=_with(task.watchers, event.user_id)),
    TaskUnwatched: lambda task, event: replace(
        task, watchers=_without(task.watchers, event.user_id)
    ),
    TaskDeleted: lambda task, event: replace(task, deleted=True, deleted_at=event.at),
    TaskRestored: lambda task, _: replace(task, deleted=False, deleted_at=None),
    TaskPurged: lambda task, _: replace(task, **PURGED_TASK),
}
"""What each event changes. Half of all events are of tasks, and to ask in turn of which of these
types an event is takes 75 ns a type."""
