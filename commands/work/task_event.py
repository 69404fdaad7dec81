"""What the events that move a task say besides: whom it blocks, and which blockers are hidden."""

from collections.abc import Sequence

from msgspec.structs import replace

from commands.base import Context
from commands.reads import Reads
from commands.sight import Read
from commands.work.task_tree import trashed_above
from domain.base import TaskId
from domain.work.project.state import Project
from domain.work.relation import DependencyGraph, graph_of
from domain.work.task.events import TaskEvent, TaskStatusChanged
from domain.work.task.state import Task
from domain.work.workflow.events import FINISHED, Guard


async def completed(
    read: Reads, context: Context, task_id: TaskId, events: Sequence[TaskEvent]
) -> list[TaskEvent]:
    """Return *events* with the tasks that this one blocks, and how many of its blockers are hidden.

    Only what makes the task begin or cease to block others names them, and only what asks for its
    blockers names those: only then are the relations of the organization read. The counts change,
    or are checked, in the same append.
    """
    asks = any(map(_asks_for_blockers, events))
    if not asks and not any(map(_opens_or_closes, events)):
        return [*events]
    graph = read.new(DependencyGraph, graph_of(context.organization))
    hidden = await hidden_blockers(read, graph, task_id) if asks else 0
    return [_completed(event, graph.blocked_by(task_id), hidden) for event in events]


async def hidden_blockers(read: Read, graph: DependencyGraph, task_id: TaskId) -> int:
    """Return how many open tasks that block a task are hidden by the deletion of their projects."""
    hidden = 0
    for each in graph.blockers_of(task_id):
        blocker = await read(Task, each)
        if blocker.project_id is None or blocker.deleted or blocker.group in FINISHED:
            continue
        project = await read(Project, blocker.project_id)
        if project.deleted and await trashed_above(read, blocker) is None:
            hidden += 1
    return hidden


def _completed(event: TaskEvent, blocking: tuple[TaskId, ...], hidden: int) -> TaskEvent:
    if not isinstance(event, TaskStatusChanged):
        return event
    if _asks_for_blockers(event) and hidden:
        event = replace(event, hidden_blockers=hidden)
    return replace(event, blocking=blocking) if _opens_or_closes(event) else event


def _asks_for_blockers(event: TaskEvent) -> bool:
    return isinstance(event, TaskStatusChanged) and Guard.NO_OPEN_BLOCKER in event.guards


def _opens_or_closes(event: TaskEvent) -> bool:
    return isinstance(event, TaskStatusChanged) and (
        (event.from_group in FINISHED) is not (event.to_group in FINISHED)
    )
