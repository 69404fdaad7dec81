"""What the model of the state machines knows of tasks and labels."""

from uuid import UUID

from msgspec import Struct, field

from domain.base import LabelId, ProjectId, TaskId, UserId
from domain.work.label import LabelCreated
from domain.work.task.events import TaskStatus
from tests.domain.spec import ANA, NOW

LABELS = [LabelId(UUID(int=71)), LabelId(UUID(int=72))]


def named(label: LabelId) -> LabelCreated:
    return LabelCreated(name=str(label), color="#ff0000", created_by=ANA, created_at=NOW)


class Piece(Struct):
    """What the model knows of a task."""

    project: ProjectId
    number: int
    creator: UserId
    title: str = "One"
    status: TaskStatus = TaskStatus.TODO
    parent: TaskId | None = None
    labels: set[LabelId] = field(default_factory=set)
