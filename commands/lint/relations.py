"""The rules about relations, checked on the states that the events fold to."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from commands.lint.rules import Known
from commands.lint.trash import tasks_above
from domain.base import TaskId
from domain.work.relation import (
    NO_EDGES,
    RELATIONS_MAX,
    DependencyGraph,
    RelationAdded,
    RelationKind,
    RelationRemoved,
    graph_of,
)
from domain.work.task.events import TaskDeleted, TaskRestored, TaskStatusChanged
from domain.work.task.state import Task
from domain.work.workflow.events import FINISHED, Guard
from eventstore.recorded import Recorded


def broken_relations(recorded: Recorded, before: Any, known: Known) -> Iterator[str]:
    """Yield the rules about relations that an event breaks, given its stream *before* it."""
    match recorded.event:
        case RelationAdded() | RelationRemoved() as event:
            yield from _related(event, before, known)
        case TaskStatusChanged() as event:
            changes = (event.from_group in FINISHED) is not (event.to_group in FINISHED)
            yield from _blocking(event.blocking, changes, recorded, known)
            if event.hidden_blockers != _hidden(event, recorded, known):
                yield "a task goes past other blockers than those that are hidden"
        case TaskDeleted() | TaskRestored() as event:
            shown = _shown(event, recorded.stream_id, known)
            if Counter(event.blocking) != Counter(_blocked_by(shown, recorded, known)):
                yield "a task names other tasks than those that it blocks"
        case _:
            pass


def _related(
    event: RelationAdded | RelationRemoved, before: DependencyGraph, known: Known
) -> Iterator[str]:
    first, second = known(event.from_), known(event.to)
    if not isinstance(first, Task) or not isinstance(second, Task):
        yield "a relation is not between two tasks of its organization"
        return
    blocks = event.kind is RelationKind.BLOCKS
    if event.open is not (blocks and not first.deleted and first.group not in FINISHED):
        yield "a relation says wrongly whether its first task is open"
    edges = before.edges
    at, to = event.from_.int, event.to.int
    there = to in edges.get(at, NO_EDGES).of(event.kind)
    if there is isinstance(event, RelationAdded):
        yield "a relation is added twice, or removed without being there"
    if isinstance(event, RelationRemoved):
        return
    if max(edges.get(end, NO_EDGES).size for end in (at, to)) >= RELATIONS_MAX:
        yield "a task has too many relations"
    if at == to or (blocks and _reaches(before, to, at)):
        yield "a task blocks itself, directly or through others"


def _reaches(graph: DependencyGraph, at: int, to: int) -> bool:
    seen, ahead = {at}, [at]
    while ahead:
        found = set(graph.edges.get(ahead.pop(), NO_EDGES).blocks) - seen
        seen |= found
        ahead += found
    return to in seen


def _blocking(
    told: tuple[UUID, ...], changes: bool, recorded: Recorded, known: Known
) -> Iterator[str]:
    blocked = _blocked_by([recorded.stream_id], recorded, known) if changes else ()
    if [*told] != [*blocked]:
        yield "a task names other tasks than those that it blocks"


def _blocked_by(tasks: Iterable[UUID], recorded: Recorded, known: Known) -> Iterator[UUID]:
    graph = known(graph_of(recorded.org_id))
    if isinstance(graph, DependencyGraph):
        for task in tasks:
            yield from graph.blocked_by(TaskId(task))


def _hidden(event: TaskStatusChanged, recorded: Recorded, known: Known) -> int:
    """Return how many open blockers, which the event asks for, only deleted projects hide."""
    graph = known(graph_of(recorded.org_id))
    if Guard.NO_OPEN_BLOCKER not in event.guards or not isinstance(graph, DependencyGraph):
        return 0
    hidden = 0
    for each in graph.blockers_of(TaskId(recorded.stream_id)):
        task = known(each)
        if not isinstance(task, Task) or task.project_id is None or task.deleted:
            continue
        in_trash = any(above.deleted for above in tasks_above(task, known))
        hides = known(task.project_id).deleted and not in_trash
        hidden += hides and task.group not in FINISHED
    return hidden


def _shown(event: TaskDeleted | TaskRestored, root: UUID, known: Known) -> Iterator[UUID]:
    """Yield the open tasks that a deletion hides or a restoration shows; parents come first."""
    shown = {root}
    for each in (root, *event.below):
        task = known(each)
        if each != root and (task is None or task.deleted or task.parent_id not in shown):
            continue
        shown.add(each)
        if task.group not in FINISHED:
            yield each
