"""Tasks as their readers see them: one document per task."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from domain.base import LabelId, OrgId, ProjectId, TaskId, UserId
from domain.work.relation import RelationAdded, RelationEvent, RelationRemoved
from domain.work.task.events import (
    Priority,
    TaskDeleted,
    TaskEvent,
    TaskRestored,
    TaskStatusChanged,
)
from domain.work.task.state import Task
from domain.work.workflow.events import FINISHED, StatusGroup
from domain.work.workflow.state import STANDARD, Workflow
from eventstore.recorded import Recorded
from projections.base import (
    AggregateProjection,
    Document,
    View,
    document_id,
    exact_time,
    tags_of,
    text_of,
)
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index, Kind, Value
from projections.work.workflow import placed

_encode = msgspec.json.Encoder().encode

DUE_ON, DUE_AT = "D", "T"
"""How the sort key of a task begins that is due on a day, or at a time (in UTC)."""


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
    watchers: tuple[UserId, ...]
    created_by: UserId | None
    created_at: datetime | None
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    deleted_at: datetime | None
    version: int


def render_task(
    task_id: UUID, task: Task, version: int, updated_at: datetime, *, blocked: bool = False
) -> bytes:
    """Return the JSON of *task*, the same after a command as in a later GET."""
    view = TaskView(
        id=TaskId(task_id),
        key=task.key,
        project_id=task.project_id,
        status=task.status,
        group=task.group,
        number=task.number,
        title=task.title,
        description=task.description,
        priority=task.priority,
        parent_id=task.parent_id,
        blocked=blocked,
        rank=task.rank,
        start_date=task.start_date,
        due_date=task.due_date,
        due_at=task.due_at,
        estimate=task.estimate,
        assignees=task.assignees,
        labels=task.labels,
        watchers=task.watchers,
        created_by=task.created_by,
        created_at=task.created_at,
        updated_at=updated_at,
        started_at=task.started_at,
        completed_at=task.completed_at,
        deleted_at=task.deleted_at,
        version=version,
    )
    return _encode(view)


class ListedTask(Task, frozen=True, kw_only=True, gc=False):
    """A task, with what its list shows although other streams tell it.

    What they tell changes neither the version of the task nor when it was changed last.
    """

    open_blockers: int = 0
    own_version: int = 0
    changed_at: datetime | None = None


class Tasks(AggregateProjection[Task]):
    """Tasks by id, and by project with the newest number first."""

    name = "tasks"
    version = 8
    tags = tags_of(TaskEvent, RelationEvent)
    state = ListedTask
    more: ClassVar[Mapping[str, Kind]] = {
        "blocked": Kind.TRUTH,
        "place": Kind.TEXT,
        "open": Kind.TRUTH,
        "due": Kind.TEXT,
        "changed": Kind.TEXT,
    }
    indexes: ClassVar[Sequence[Index]] = (
        Index(("org", "project_id", "deleted"), "number"),
        Index(("org", "project_id", "deleted", "status"), "number"),
        Index(("org", "project_id", "deleted", "priority"), "number"),
        Index(("org", "project_id", "deleted", "blocked"), "number"),
        Index(("org", "project_id", "deleted"), "number", contains="assignees"),
        Index(("org", "project_id", "deleted"), "place"),
        Index(("org", "project_id", "deleted", "status"), "place"),
        Index(("org", "parent_id", "deleted"), "place"),
        Index(("org", "project_id", "deleted"), "changed"),
        Index(("org", "project_id", "deleted", "open"), "changed", contains="assignees"),
        Index(("org", "project_id", "deleted", "open"), "due"),
    )

    def keys(self, recorded: Recorded) -> Sequence[str]:
        event = recorded.event
        if isinstance(event, RelationAdded | RelationRemoved):
            return [document_id(recorded.org_id, event.to)] if event.open else []
        blocking = event.blocking if isinstance(event, _BLOCKING) else ()
        return [_own(recorded), *(document_id(recorded.org_id, other) for other in blocking)]

    def fold(self, key: str, state: Task | None, recorded: Recorded) -> Task:
        event: Any = recorded.event
        before = _listed(Task() if state is None else state)
        if isinstance(event, RelationAdded | RelationRemoved) or key != _own(recorded):
            return replace(before, open_blockers=before.open_blockers + _blockers(event))
        after = _listed(before.evolve(event))
        return replace(after, own_version=recorded.version, changed_at=recorded.at)

    def render(self, key: str, state: Task, recorded: Recorded) -> bytes:
        task_id, told = UUID(key.rpartition(":")[2]), _listed(state)
        changed_at = told.changed_at or recorded.at
        blocked = told.open_blockers > 0
        return render_task(task_id, told, told.own_version, changed_at, blocked=blocked)

    def fields(self, state: Task) -> Mapping[str, Value]:
        told = _listed(state)
        return {
            "blocked": told.open_blockers > 0,
            "place": told.place,
            "open": told.group not in FINISHED,
            "due": due_key(told),
            "changed": changed_key(told),
        }

    def document(self, key: str, state: Task, recorded: Recorded) -> Document:
        """Return the document; its version and time are those of the task's own stream."""
        told, document = _listed(state), super().document(key, state, recorded)
        document.version = told.own_version
        if told.changed_at is not None:
            document.updated_at = exact_time(told.changed_at)
        return document


def due_key(task: Task) -> str | None:
    """Return the sort key of when *task* is due: days sort among days, times among times."""
    if task.due_at is not None:
        return f"{DUE_AT}{exact_time(task.due_at.astimezone(UTC))}!{task.key}"
    return None if task.due_date is None else f"{DUE_ON}{task.due_date}!{task.key}"


def changed_key(task: ListedTask) -> str | None:
    """Return the sort key of when *task* was changed last; None if none of its own events came."""
    changed_at = task.changed_at
    return None if changed_at is None else f"{exact_time(changed_at)}!{task.key}"


def _listed(task: Task) -> ListedTask:
    """Return a task that its own events have made as one of the list."""
    return task if isinstance(task, ListedTask) else ListedTask(**asdict(task))


def _own(recorded: Recorded) -> str:
    """Return the id of the document of the stream that *recorded* is in."""
    return document_id(recorded.org_id, recorded.stream_id)


_BLOCKING = TaskStatusChanged | TaskDeleted | TaskRestored


def _blockers(event: Any) -> int:
    """Return by how many *event*, which is about two tasks, changes what blocks the other one."""
    if isinstance(event, TaskStatusChanged):
        return 1 if event.to_group not in FINISHED else -1
    return 1 if isinstance(event, TaskRestored | RelationAdded) else -1


class TaskFilter(Struct, frozen=True, kw_only=True):
    """Which tasks to list; None means any."""

    status: str | None = None
    priority: Priority | None = None
    assignee: UserId | None = None
    blocked: bool | None = None


EVERY_TASK = TaskFilter()


async def tasks_of_project(  # noqa: PLR0913, PLR0917 - the list, its filter and its page
    models: ReadModels,
    org_id: OrgId,
    project_id: ProjectId,
    wanted: TaskFilter = EVERY_TASK,
    limit: int = PAGE_DEFAULT,
    below: int | None = None,
    workflow: Workflow = STANDARD,
) -> ListSlice:
    """Return tasks of a project with numbers below *below*, the newest first.

    They have the statuses of *workflow*, the one that the project has now.
    """
    query = _query(org_id, project_id, wanted, workflow)
    return placed(await models.page(replace(query, limit=limit, below=below)), workflow)


def _query(org_id: OrgId, project_id: ProjectId, wanted: TaskFilter, workflow: Workflow) -> Query:
    where: dict[str, Value] = {
        "org": text_of(org_id),
        "project_id": text_of(project_id),
        "deleted": False,
    }
    filters: dict[str, Value] = {}
    either: tuple[str, Sequence[str]] | None = None
    if wanted.status is not None:
        keys = workflow.keys_of(wanted.status)
        if len(keys) == 1 or wanted.assignee is not None:
            filters["status"] = wanted.status
        else:
            either = ("status", keys)
    if wanted.priority is not None:
        filters["priority"] = wanted.priority.value
    if wanted.blocked is not None:
        filters["blocked"] = wanted.blocked
    # The index answers one of the filters; the others are applied to its rows.
    if filters and wanted.assignee is None and either is None:
        first = next(iter(filters))
        where[first] = filters.pop(first)
    return Query(
        model="tasks",
        where=where,
        sort="number",
        descending=True,
        limit=PAGE_DEFAULT,
        contains=None if wanted.assignee is None else ("assignees", str(wanted.assignee)),
        either=either,
        residual=filters,
    )
