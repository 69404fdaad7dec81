"""Tasks as their readers see them: one document a task."""

from datetime import datetime
from itertools import product
from uuid import UUID

import msgspec
from pymongo import ASCENDING, DESCENDING, IndexModel

from domain.base import ProjectId, TaskId, UserId
from domain.task import Priority, Task, TaskEvent, TaskStatus
from eventstore.recorded import Recorded
from projections.base import AggregateProjection, Fields, View, tags_of

IN_TRASH = "trash"
_encode = msgspec.json.Encoder().encode


class TaskView(View, frozen=True, kw_only=True):
    """A task as the API shows it."""

    id: TaskId
    key: str
    project_id: ProjectId | None
    number: int
    title: str
    description: str | None
    status: TaskStatus
    priority: Priority
    parent_id: TaskId | None
    assignees: tuple[UserId, ...]
    created_by: UserId | None
    created_at: datetime | None
    updated_at: datetime
    version: int


def render_task(task_id: UUID, task: Task, version: int, updated_at: datetime) -> bytes:
    """Return the JSON of *task*, the same for a reply to a command and for a later GET."""
    view = TaskView(
        id=TaskId(task_id),
        key=f"{task.project_key}-{task.number}",
        project_id=task.project_id,
        number=task.number,
        title=task.title,
        description=task.description,
        status=task.status,
        priority=task.priority,
        parent_id=task.parent_id,
        assignees=task.assignees,
        created_by=task.created_by,
        created_at=task.created_at,
        updated_at=updated_at,
        version=version,
    )
    return _encode(view)


def facet(
    status: TaskStatus | None, priority: Priority | None, assignee: UserId | str | None
) -> str:
    """Return the one word that stands for a combination of filters; None is any."""
    return f"{status or ''}|{priority or ''}|{assignee or ''}"


def facets(task: Task) -> list[str]:
    """Return every combination of filters that finds *task*: four, and four more an assignee.

    One word a combination makes each list one equality in one index, whatever it filters by.
    With a field a filter it would take eight indexes, or a scan of what the index left over.
    """
    if task.deleted:
        return [IN_TRASH]
    people = (None, *task.assignees)
    return [facet(*one) for one in product((None, task.status), (None, task.priority), people)]


class Tasks(AggregateProjection[Task]):
    """Tasks by id, by key and by project, the newest number first."""

    name = "tasks"
    tags = tags_of(TaskEvent)
    state = Task
    indexes = (
        IndexModel(
            [
                ("org", ASCENDING),
                ("project", ASCENDING),
                ("facets", ASCENDING),
                ("number", DESCENDING),
            ]
        ),
        IndexModel([("org", ASCENDING), ("key", ASCENDING)]),
    )

    def render(self, key: str, state: Task, recorded: Recorded) -> bytes:
        return render_task(recorded.stream_id, state, recorded.version, recorded.at)

    def fields(self, key: str, state: Task, recorded: Recorded) -> Fields:
        return {
            "org": str(recorded.org_id),
            "project": str(state.project_id),
            "facets": facets(state),
            "number": state.number,
            "key": f"{state.project_key}-{state.number}",
            "deleted": state.deleted,
        }
