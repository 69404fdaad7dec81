"""What the events that open or close a task say besides: whom it blocks."""

from collections.abc import Sequence

from msgspec.structs import replace

from commands.base import Context
from commands.reads import Reads
from domain.base import TaskId
from domain.work.relation import DependencyGraph, graph_of
from domain.work.task.events import TaskEvent, TaskStatusChanged
from domain.work.task.state import Task
from domain.work.workflow.events import FINISHED


async def completed(
    read: Reads, context: Context, task_id: TaskId, task: Task, events: Sequence[TaskEvent]
) -> list[TaskEvent]:
    """Return *events* with the tasks that this one blocks.

    Only what makes the task begin or cease to block them names them, and only then are the
    relations of the organization read: their counts change in the same append.
    """
    if not any(_opens_or_closes(event) for event in events):
        return [*events]
    graph = read.new(DependencyGraph, graph_of(context.organization))
    blocking = graph.blocked_by(task_id)
    return [
        replace(event, blocking=blocking) if _opens_or_closes(event) else event for event in events
    ]


def _opens_or_closes(event: TaskEvent) -> bool:
    return isinstance(event, TaskStatusChanged) and (
        (event.from_group in FINISHED) is not (event.to_group in FINISHED)
    )
