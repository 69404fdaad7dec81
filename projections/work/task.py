"""Tasks as their readers see them: one document per task."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from domain.base import CycleId, LabelId, MilestoneId, ProjectId, TaskId, UserId
from domain.work.relation import RelationEvent
from domain.work.task.custom_field import FieldShown, shown_values
from domain.work.task.events import Priority, TaskCreated, TaskEvent, TaskMoved, TaskReparented
from domain.work.task.imported import TaskOrigin
from domain.work.task.state import Task
from domain.work.workflow.events import FINISHED, StatusGroup
from eventstore.recorded import Recorded
from projections.base import (
    AggregateProjection,
    Document,
    View,
    document_id,
    exact_time,
    tags_of,
)
from projections.shape import Index, Kind, Value
from projections.work.field_order.entries import field_entries
from projections.work.task_beside import (
    BESIDE,
    CONTENTS,
    concerned,
    effect_on,
    effect_on_contents,
)
from projections.work.task_keys import due_key, due_order, facets_of, lacks, urgency
from projections.work.times.period import TIMES, completed_entries, times_of
from projections.work.times.recurrence import RecurrenceView, recurrence_view

_encode = msgspec.json.Encoder().encode


class Subtasks(Struct, frozen=True, gc=False):
    """How many subtasks a task has outside the trash, and how many of them are finished."""

    done: int = 0
    all: int = 0


class Beside(Struct, frozen=True, kw_only=True, gc=False):
    """What a task shows that other streams tell, without its own version changing.

    ``subtasks`` is None in a list if the task has had any: they are counted where that is read.
    """

    blocked: bool = False
    comments: int = 0
    attachments: int = 0
    time_spent_minutes: int = 0
    subtasks: Subtasks | None = Subtasks()


NOTHING_BESIDE = Beside()


class TaskView(View, frozen=True, kw_only=True):
    """A task as the API shows it."""

    id: TaskId
    key: str
    project_id: ProjectId | None
    status: str
    group: StatusGroup
    number: int
    title: str
    description: str | None
    mentions: tuple[UserId, ...]
    priority: Priority
    parent_id: TaskId | None
    blocked: bool
    rank: str
    start_date: date | None
    due_date: date | None
    due_at: datetime | None
    estimate: int | None
    assignees: tuple[UserId, ...]
    labels: tuple[LabelId, ...]
    cycle_id: CycleId | None
    milestone_id: MilestoneId | None
    fields: dict[str, FieldShown]
    watchers: tuple[UserId, ...]
    created_by: UserId | None
    created_at: datetime | None
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    deleted_at: datetime | None
    imported: TaskOrigin | None
    recurrence: RecurrenceView | None
    version: int
    comments: int
    attachments: int
    time_spent_minutes: int
    subtasks: Subtasks | None


def task_view(
    task_id: UUID, task: Task, version: int, updated_at: datetime, beside: Beside = NOTHING_BESIDE
) -> TaskView:
    """Return *task* as the API shows it."""
    return TaskView(
        id=TaskId(task_id),
        key=task.key,
        project_id=task.project_id,
        status=task.status,
        group=task.group,
        number=task.number,
        title=task.title,
        description=task.description,
        mentions=task.mentions,
        priority=task.priority,
        parent_id=task.parent_id,
        rank=task.rank,
        start_date=task.start_date,
        due_date=task.due_date,
        due_at=task.due_at,
        estimate=task.estimate,
        assignees=task.assignees,
        labels=task.labels,
        cycle_id=task.cycle_id,
        milestone_id=task.milestone_id,
        fields=shown_values(task.fields),
        watchers=task.watchers,
        created_by=task.created_by,
        created_at=task.created_at,
        updated_at=updated_at,
        started_at=task.started_at,
        completed_at=task.completed_at,
        deleted_at=task.deleted_at,
        imported=task.origin,
        recurrence=recurrence_view(task.repeats),
        version=version,
        **asdict(beside),
    )


def render_task(
    task_id: UUID, task: Task, version: int, updated_at: datetime, beside: Beside = NOTHING_BESIDE
) -> bytes:
    """Return the JSON of *task*, the same after a command as in a later GET."""
    return _encode(task_view(task_id, task, version, updated_at, beside))


class ListedTask(Task, frozen=True, kw_only=True, gc=False):
    """A task, with what its list shows although other streams tell it.

    What they tell changes neither the version of the task nor when it was changed last.
    """

    open_blockers: int = 0
    hidden_by: int = 0
    """How many tasks above it are in the trash."""
    comments: int = 0
    attachments: int = 0
    time_spent_minutes: int = 0
    has_subtasks: bool = False
    own_version: int = 0
    changed_at: datetime | None = None


_SCOPE = ("org", "project_id", "deleted")
_COMPARED = ("open", "due_order", "lacks", "created_us", "completed_us")
"""What lists are filtered by row by row, in whatever order they are."""
_SKETCHED = (*_COMPARED, "changed_us")
"""What is compared without an index that each change would have to be written to."""
SORT_KEYS = ("created", "changed", "urgency", "due_order", "place", "number")
"""What lists are sorted by; numbers are unique within a project."""
_SPANNED = (*_COMPARED, *[each for each in SORT_KEYS if each not in _COMPARED])
"""What is told beside sort keys that filters are spans of, to put tasks in any other order."""
_BESIDE_ENTRIES = ("facets", *[each for each in _SKETCHED if each != "due_order"], *SORT_KEYS)


class Tasks(AggregateProjection[Task]):
    """Tasks by id, and by project in each of the orders of a list.

    ``facets`` are whom and what they name and what they are: all that a filter asks for by equal
    values. Each is an index in each of the orders, so that a filter finds the few tasks of many
    that it wants without looking at the others. ``ordered`` are the orders of custom fields.
    """

    name = "tasks"
    version = 31
    since = 31  # tasks with one priority were in the order of creation, but for those of one time
    tags = tags_of(TaskEvent, RelationEvent, CONTENTS)
    state = ListedTask
    more: ClassVar[Mapping[str, Kind]] = {
        "blocked": Kind.TRUTH,
        "place": Kind.TEXT,
        "open": Kind.TRUTH,
        "due": Kind.TEXT,
        "due_order": Kind.TEXT,
        **TIMES,
        "urgency": Kind.TEXT,
        "facets": Kind.TEXTS,
        "ordered": Kind.TEXTS,
        "trashed": Kind.TRUTH,
        "lacks": Kind.TEXT,
    }
    indexes: ClassVar[Sequence[Index]] = (
        *(Index(_SCOPE, key, also=_SPANNED) for key in ("created", "changed")),
        *(Index(_SCOPE, key, also=_COMPARED) for key in ("urgency", "place", "number")),
        Index(_SCOPE, "due_order", also=_SPANNED),
        Index((*_SCOPE, "open"), "due_order", also=_SPANNED),
        *(Index(_SCOPE, key, contains="facets", also=_SKETCHED) for key in SORT_KEYS),
        Index(_SCOPE, "ordered", contains="ordered", also=_BESIDE_ENTRIES),
        Index((*_SCOPE, "status"), "place"),
        Index(("org", "parent_id", "deleted"), "place"),
        Index(("org", "deleted", "open"), "changed", contains="assignees"),
        Index(("org", "deleted", "open"), "due", also=("project_id",)),
    )

    def keys(self, recorded: Recorded) -> Sequence[str]:
        others = [document_id(recorded.org_id, each) for each in concerned(recorded.event)]
        if isinstance(recorded.event, BESIDE):
            return others
        return [document_id(recorded.org_id, recorded.stream_id), *others]

    def fold(self, key: str, state: Task | None, recorded: Recorded) -> Task:
        event: Any = recorded.event
        before = _listed(Task() if state is None else state)
        if isinstance(event, BESIDE) or key != document_id(recorded.org_id, recorded.stream_id):
            return _beside(before, UUID(key.rpartition(":")[2]), event)
        after = _listed(before.evolve(event))
        return replace(after, own_version=recorded.version, changed_at=recorded.at)

    def render(self, key: str, state: Task, recorded: Recorded) -> bytes:
        task_id, told = UUID(key.rpartition(":")[2]), _listed(state)
        changed_at = told.changed_at or recorded.at
        beside = Beside(
            blocked=told.open_blockers > 0,
            comments=told.comments,
            attachments=told.attachments,
            time_spent_minutes=told.time_spent_minutes,
            subtasks=None if told.has_subtasks else Subtasks(),
        )
        return render_task(task_id, told, told.own_version, changed_at, beside)

    def fields(self, state: Task) -> Mapping[str, Value]:
        told = _listed(state)
        return {
            "blocked": told.open_blockers > 0,
            "place": told.place,
            "open": told.group not in FINISHED,
            "due": due_key(told),
            "due_order": due_order(told),
            **times_of(told, told.changed_at),
            "urgency": urgency(told),
            "facets": facets_of(told, blocked=told.open_blockers > 0),
            "ordered": [*field_entries(told), *completed_entries(told)],
            "trashed": told.deleted,
            "lacks": lacks(told),
        }

    def deleted(self, state: Task) -> bool:
        """Return whether the task, or one above it, is in the trash."""
        return state.deleted or _listed(state).hidden_by > 0

    def state_of(self, document: Document) -> Task:
        """Return the stored task, which may be hidden without being deleted itself."""
        return replace(super().state_of(document), deleted=document.fields["trashed"] is True)

    def document(self, key: str, state: Task, recorded: Recorded) -> Document:
        """Return the document; its version and time are those of the task's own stream."""
        told, document = _listed(state), super().document(key, state, recorded)
        document.version = told.own_version
        if told.changed_at is not None:
            document.updated_at = exact_time(told.changed_at)
        return document


def _listed(task: Task) -> ListedTask:
    """Return a task that its own events have made as one of the list."""
    return task if isinstance(task, ListedTask) else ListedTask(**asdict(task))


def _beside(task: ListedTask, task_id: UUID, event: Any) -> ListedTask:
    """Return *task* after an event of another stream."""
    if isinstance(event, CONTENTS):
        number, by = effect_on_contents(event)
        return replace(task, **{number: getattr(task, number) + by})
    if isinstance(event, TaskCreated | TaskMoved | TaskReparented):
        return replace(task, has_subtasks=True)
    blockers, hidden_by = effect_on(task_id, event)
    blockers, hidden_by = task.open_blockers + blockers, task.hidden_by + hidden_by
    return replace(task, open_blockers=blockers, hidden_by=hidden_by)
