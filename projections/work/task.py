"""Tasks as their readers see them: one document per task."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.base import LabelId, OrgId, ProjectId, TaskId, UserId
from domain.work.task.events import Priority, TaskEvent
from domain.work.task.state import Task
from domain.work.workflow.events import StatusGroup
from domain.work.workflow.state import STANDARD, Workflow
from eventstore.recorded import Recorded
from projections.base import AggregateProjection, View, tags_of, text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index, Value
from projections.work.workflow import placed

_encode = msgspec.json.Encoder().encode


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
    task_id: UUID, task: Task, version: int, updated_at: datetime, workflow: Workflow | None = None
) -> bytes:
    """Return the JSON of *task*, the same after a command as in a later GET.

    With *workflow* it has the status of today, without it the one that it was last put into.
    """
    place = None if workflow is None else workflow.place(task.status, task.group)
    view = TaskView(
        id=TaskId(task_id),
        key=f"{task.project_key}-{task.number}",
        project_id=task.project_id,
        status=task.status if place is None else place.key,
        group=task.group if place is None else place.group,
        number=task.number,
        title=task.title,
        description=task.description,
        priority=task.priority,
        parent_id=task.parent_id,
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


class Tasks(AggregateProjection[Task]):
    """Tasks by id, and by project with the newest number first."""

    name = "tasks"
    version = 4
    tags = tags_of(TaskEvent)
    state = Task
    indexes: ClassVar[Sequence[Index]] = (
        Index(("org", "project_id", "deleted"), "number"),
        Index(("org", "project_id", "deleted", "status"), "number"),
        Index(("org", "project_id", "deleted", "priority"), "number"),
        Index(("org", "project_id", "deleted"), "number", contains="assignees"),
    )

    def render(self, key: str, state: Task, recorded: Recorded) -> bytes:
        return render_task(recorded.stream_id, state, recorded.version, recorded.at)


class TaskFilter(Struct, frozen=True, kw_only=True):
    """Which tasks to list; None means any."""

    status: str | None = None
    priority: Priority | None = None
    assignee: UserId | None = None


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
