"""The rules about relations, checked on the states that the events fold to."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from commands.lint.rules import Known
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
from domain.work.workflow.events import FINISHED
from eventstore.recorded import Recorded


def broken_relations(recorded: Recorded, before: Any, known: Known) -> Iterator[str]:
    """Yield the rules about relations that an event breaks, given its stream *before* it."""
    match recorded.event:
        case RelationAdded() | RelationRemoved() as event:
            yield from _related(event, before, known)
        case TaskStatusChanged() as event:
            changes = (event.from_group in FINISHED) is not (event.to_group in FINISHED)
            yield from _blocking(event.blocking, changes, recorded, known)
        case TaskDeleted() | TaskRestored() as event:
            yield from _blocking(event.blocking, before.group not in FINISHED, recorded, known)
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
    graph = known(graph_of(recorded.org_id))
    edges = graph.edges.get(recorded.stream_id.int) if isinstance(graph, DependencyGraph) else None
    blocks = edges.blocks if edges is not None and changes else ()
    if [one.int for one in told] != [*blocks]:
        yield "a task names other tasks than those that it blocks"
