"""Tasks as their readers see them: one document a task."""

from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from pymongo import ASCENDING, DESCENDING, IndexModel

from domain.base import OrgId, ProjectId, TaskId, UserId
from domain.work.task.events import Priority, TaskEvent, TaskStatus
from domain.work.task.state import Task
from eventstore.recorded import Recorded
from projections.base import AggregateProjection, Fields, View, tags_of
from projections.engine.find import PAGE_DEFAULT, Found, FoundPage, ReadModels, page_of

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
    """Tasks by id and by project, the newest number first."""

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


class TaskFilter(Struct, frozen=True, kw_only=True):
    """Which tasks to list; None is any."""

    status: TaskStatus | None = None
    priority: Priority | None = None
    assignee: UserId | None = None


EVERY_TASK = TaskFilter()


async def find_task(models: ReadModels, org_id: OrgId, task_id: TaskId) -> Found | None:
    """Return a task; None if it is missing, in the trash or another organization's."""
    return await models.one("tasks", org_id, task_id)


async def tasks_of_project(  # noqa: PLR0913, PLR0917 - the list, its filter and its page
    models: ReadModels,
    org_id: OrgId,
    project_id: ProjectId,
    wanted: TaskFilter = EVERY_TASK,
    limit: int = PAGE_DEFAULT,
    below: int | None = None,
) -> FoundPage:
    """Return tasks of a project, the newest first, with numbers *below* the one given."""
    where: dict[str, Any] = {
        "org": str(org_id),
        "project": str(project_id),
        "facets": facet(wanted.status, wanted.priority, wanted.assignee),
    }
    found: list[dict[str, Any]] = []
    window = models.windows.of((where["project"], where["facets"]), limit, below)
    for numbers in window:
        if numbers:
            where["number"] = numbers
        missing = limit + 1 - len(found)
        found += await models.page("tasks", where, ("number", -1), missing)
        if len(found) > limit:
            break
    window.learn([one["number"] for one in found])
    return page_of(found, "number", limit)
