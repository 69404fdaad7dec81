"""Where a task belongs: its parent and its rank."""

from domain.base import TaskId
from domain.work.task.events import TaskEvent, TaskRanked, TaskReparented
from domain.work.task.state import Task


def reparent(task: Task, to: TaskId | None) -> list[TaskEvent]:
    """Return the events that make *task* a subtask of *to*, or (None) of no task."""
    task.refuse_unless_here()
    return [] if to == task.parent_id else [TaskReparented(from_=task.parent_id, to=to)]


def rank_at(task: Task, to: str) -> list[TaskEvent]:
    """Return the events that give *task* the rank *to*."""
    return [] if to == task.rank else [TaskRanked(from_=task.rank, to=to)]
