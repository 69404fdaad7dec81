"""What a line of a file changes of a task that was imported before: what it says, and nothing else.

What a line does not say, or says is empty, stays. So does where the task is: its parent, and whom
its description mentions, are left alone.
"""

from collections.abc import Collection, Iterable, Iterator
from uuid import UUID

from msgspec import UNSET

from commands.base import Change
from commands.exchange.task_line import Meant, TaskLine
from commands.work.task import AssignTask, ChangeTaskStatus, EditTask, TaskCommand, UnassignTask
from commands.work.task_label import LabelTask, UnlabelTask
from domain.base import Event, LabelId, TaskId, UserId
from domain.work.task.state import Task

_SHOWN = {
    "title": "title",
    "description": "description",
    "status": "status",
    "priority": "priority",
    "start_date": "startDate",
    "due_date": "dueDate",
    "due_at": "dueAt",
    "estimate": "estimate",
    "assignees": "assignees",
    "labels": "labels",
    "cycle_id": "cycle",
    "milestone_id": "milestone",
    "fields": "fields",
}
"""What a line can change of a task, and the member of the line that does."""


def commands_of(task_id: TaskId, task: Task, line: TaskLine, meant: Meant) -> Iterator[TaskCommand]:
    """Yield the commands that make *task* what *line* says."""
    if line.labels:
        yield from _label(task_id, task, meant.labels)
    if line.assignees:
        yield from _assign(task_id, task, meant.assignees)
    yield EditTask(
        task_id=task_id,
        title=line.title,
        description=line.description or UNSET,
        priority=line.priority or UNSET,
        start_date=line.start_date or UNSET,
        due_date=line.due_date or UNSET,
        due_at=line.due_at or UNSET,
        estimate=UNSET if line.estimate is None else line.estimate,
        fields=line.fields,
        planned=meant.planned,
    )
    if line.status is not None and line.status != task.status:
        yield ChangeTaskStatus(task_id=task_id, to=line.status)


def _label(task_id: TaskId, task: Task, wanted: Collection[LabelId]) -> Iterator[TaskCommand]:
    for label_id in task.labels:
        if label_id not in wanted:
            yield UnlabelTask(task_id=task_id, label_id=label_id)
    for label_id in wanted:
        if label_id not in task.labels:
            yield LabelTask(task_id=task_id, label_id=label_id)


def _assign(task_id: TaskId, task: Task, wanted: Collection[UserId]) -> Iterator[TaskCommand]:
    for user_id in task.assignees:
        if user_id not in wanted:
            yield UnassignTask(task_id=task_id, user_id=user_id)
    for user_id in wanted:
        if user_id not in task.assignees:
            yield AssignTask(task_id=task_id, user_id=user_id)


def members_changed(before: Task, after: Task) -> tuple[str, ...]:
    """Return the members of a line that tell what differs between two states of a task."""
    return tuple(
        shown for name, shown in _SHOWN.items() if getattr(before, name) != getattr(after, name)
    )


def by_stream(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes with all events of a stream in one."""
    events: dict[UUID, list[Event]] = {}
    for change in changes:
        events.setdefault(change.stream, []).extend(change.events)
    return tuple(Change(stream, of_stream) for stream, of_stream in events.items() if of_stream)
