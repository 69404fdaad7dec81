"""Relations between tasks as their readers see them.

They are rendered from the write side, which has the relations of an organization in memory anyway:
a list is at most ``RELATIONS_MAX`` long, and each task is shown as it is now.
"""

import msgspec

from domain.base import ProjectId, TaskId
from domain.work.project.state import Project
from domain.work.relation import RelationKind
from domain.work.task.state import Task
from domain.work.workflow.events import StatusGroup
from projections.base import View

_encode = msgspec.json.Encoder().encode


class RelationView(View, frozen=True, kw_only=True):
    """How a task is related to another one, and what that one is."""

    kind: RelationKind
    task_id: TaskId
    key: str
    title: str
    project_id: ProjectId | None
    status: str
    group: StatusGroup


def render_relation(kind: RelationKind, task_id: TaskId, task: Task, project: Project) -> bytes:
    """Return the JSON of a relation to *task*."""
    place = project.workflow.place(task.status, task.group)
    view = RelationView(
        kind=kind,
        task_id=task_id,
        key=f"{task.project_key}-{task.number}",
        title=task.title,
        project_id=task.project_id,
        status=place.key,
        group=place.group,
    )
    return _encode(view)
