"""What the events that open, close or move a task say besides: when, and whom it blocks."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from commands.base import Context
from commands.reads import Reads
from domain.base import TaskId
from domain.work.relation import DependencyGraph, graph_of
from domain.work.task.events import TaskDeleted, TaskEvent, TaskRestored, TaskStatusChanged
from domain.work.task.state import Task
from domain.work.workflow.events import FINISHED, STARTED, StatusGroup


async def completed(
    read: Reads, context: Context, task_id: TaskId, task: Task, events: Sequence[TaskEvent]
) -> list[TaskEvent]:
    """Return *events* with the times when work begins and ends, and what the task blocks.

    Only what makes the task begin or cease to block them names them, and only then are the
    relations of the organization read: their counts change in the same append.
    """
    told = [*_timed(task, events, context.now)]
    if not any(_opens_or_closes(event, task) for event in told):
        return told
    graph = read.new(DependencyGraph, graph_of(context.organization))
    blocking = graph.blocked_by(task_id)
    return [
        replace(event, blocking=blocking) if _opens_or_closes(event, task) else event
        for event in told
    ]


def _timed(task: Task, events: Sequence[TaskEvent], now: datetime) -> Iterator[TaskEvent]:
    """Yield *events*, with the time *now* in those by which work on *task* begins or ends."""
    begun = task.started_at is not None
    for event in events:
        if not isinstance(event, TaskStatusChanged):
            yield event
            continue
        begins = not begun and event.to_group in STARTED
        begun = begun or begins
        ends = event.to_group is StatusGroup.DONE
        yield replace(event, at=now) if begins or ends else event


def _opens_or_closes(event: TaskEvent, task: Task) -> bool:
    if isinstance(event, TaskStatusChanged):
        return (event.from_group in FINISHED) is not (event.to_group in FINISHED)
    return isinstance(event, TaskDeleted | TaskRestored) and task.group not in FINISHED
