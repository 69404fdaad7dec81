"""What the model of the state machines knows of tasks and labels."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct, field

from commands.work.project import ArchiveProject, HoldProject, ProjectCommand, ResumeProject
from domain.base import LabelId, ProjectId, TaskId, UserId
from domain.work.label import LabelCreated
from domain.work.project.events import ProjectStatus
from domain.work.workflow.events import StatusGroup as Group
from tests.domain.spec import ANA, NOW

ACTIVE, ON_HOLD, ARCHIVED = ProjectStatus
MOVES: dict[type[ProjectCommand], tuple[ProjectStatus, frozenset[ProjectStatus]]] = {
    HoldProject: (ON_HOLD, frozenset({ACTIVE, ON_HOLD})),
    ResumeProject: (ACTIVE, frozenset({ACTIVE, ON_HOLD})),
    ArchiveProject: (ARCHIVED, frozenset(ProjectStatus)),
}
LABELS = [LabelId(UUID(int=71)), LabelId(UUID(int=72))]


def named(label: LabelId) -> LabelCreated:
    return LabelCreated(name=str(label), color="#ff0000", created_by=ANA, created_at=NOW)


class Piece(Struct):
    """What the model knows of a task."""

    project: ProjectId
    number: int
    creator: UserId
    title: str = "One"
    status: str = "TODO"
    group: Group = Group.TODO
    parent: TaskId | None = None
    labels: set[LabelId] = field(default_factory=set)
    planned: bool = False


def above(pieces: Mapping[TaskId, Piece], task: TaskId) -> list[TaskId]:
    """Return the tasks above *task*, the nearest first."""
    found: list[TaskId] = []
    at = pieces[task].parent
    while at is not None:
        found.append(at)
        at = pieces[at].parent
    return found


def piece_of(task: Any) -> Piece:
    """Return what the state *task* says of it, as the model does."""
    return Piece(
        task.project_id,
        task.number,
        task.created_by,
        task.title,
        task.status,
        task.group,
        task.parent_id,
        set(task.labels),
        task.milestone_id is not None,
    )
