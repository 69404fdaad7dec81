"""What an event of one stream changes in the documents of tasks of others."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from domain.planning.worklog import WorklogAdded, WorklogChanged, WorklogDeleted, WorklogRestored
from domain.work.attachment import AttachmentDeleted, AttachmentRestored, AttachmentUploaded
from domain.work.comment import CommentDeleted, CommentPosted, CommentRestored
from domain.work.relation import RelationAdded, RelationRemoved
from domain.work.task.events import (
    TaskCreated,
    TaskDeleted,
    TaskMoved,
    TaskReparented,
    TaskRestored,
    TaskStatusChanged,
)
from domain.work.workflow.events import FINISHED

_TRASHING = TaskDeleted | TaskRestored
_RELATING = RelationAdded | RelationRemoved
CONTENTS = (
    CommentPosted
    | CommentDeleted
    | CommentRestored
    | AttachmentUploaded
    | AttachmentDeleted
    | AttachmentRestored
    | WorklogAdded
    | WorklogChanged
    | WorklogDeleted
    | WorklogRestored
)
"""The events of what is in a task, which it shows the number or the sum of."""
BESIDE = _RELATING | CONTENTS
"""The events whose own stream is no task."""


def concerned(event: Any) -> Iterable[UUID]:
    """Return the tasks of other streams that *event* changes, each once."""
    match event:
        case RelationAdded() | RelationRemoved():
            return [event.to] if event.open else []
        case TaskDeleted() | TaskRestored():
            return dict.fromkeys((*event.blocking, *event.below))
        case TaskStatusChanged():
            return event.blocking
        case TaskCreated() | TaskMoved():
            return [] if event.parent_id is None else [event.parent_id]
        case TaskReparented():
            return [] if event.to is None else [event.to]
        case _:
            return [event.task_id] if isinstance(event, CONTENTS) else []


def effect_on(task_id: UUID, event: Any) -> tuple[int, int]:
    """Return by how many *event* changes the open tasks that block a task, and that hide it."""
    blockers = 1 if isinstance(event, _RELATING) else event.blocking.count(task_id)
    hides = isinstance(event, _TRASHING) and task_id in event.below
    return blockers * _sign(event), -_sign(event) if hides else 0


def effect_on_contents(event: Any) -> tuple[str, int]:
    """Return which number of a task an event of its contents changes, and by how much."""
    match event:
        case CommentPosted() | CommentDeleted() | CommentRestored():
            return "comments", -1 if isinstance(event, CommentDeleted) else 1
        case AttachmentUploaded() | AttachmentDeleted() | AttachmentRestored():
            return "attachments", -1 if isinstance(event, AttachmentDeleted) else 1
        case WorklogChanged():
            return "time_spent_minutes", event.by
        case _:
            sign = -1 if isinstance(event, WorklogDeleted) else 1
            return "time_spent_minutes", sign * event.minutes


def _sign(event: Any) -> int:
    """Return 1 if a task blocks others from *event* on, -1 if it no longer does."""
    if isinstance(event, TaskStatusChanged):
        return 1 if event.to_group not in FINISHED else -1
    return 1 if isinstance(event, TaskRestored | RelationAdded) else -1
