"""The labels of a task."""

from domain.base import LabelId
from domain.work.task.errors import TooManyLabels
from domain.work.task.events import TaskEvent, TaskLabelled, TaskUnlabelled
from domain.work.task.state import LABELS_MAX, Task


def label(task: Task, label_id: LabelId) -> list[TaskEvent]:
    """Return the events that give *task* a label.

    :raises TooManyLabels: it has ``LABELS_MAX``.
    """
    task.refuse_unless_here()
    if label_id in task.labels:
        return []
    if len(task.labels) >= LABELS_MAX:
        raise TooManyLabels(limit=LABELS_MAX)
    return [TaskLabelled(label_id=label_id)]


def unlabel(task: Task, label_id: LabelId) -> list[TaskEvent]:
    """Return the events that remove a label from *task*."""
    task.refuse_unless_here()
    return [TaskUnlabelled(label_id=label_id)] if label_id in task.labels else []
