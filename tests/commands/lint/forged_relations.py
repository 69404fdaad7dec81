"""Events about relations that no command would record, and what is found wrong with them."""

from uuid import uuid4

from msgspec.structs import replace

from domain.base import TaskId
from domain.work.relation import RelationAdded, RelationKind, RelationRemoved, graph_of
from domain.work.task.events import TaskDeleted, TaskStatus
from tests.commands.acme import CHILD
from tests.domain.spec import ACME, TASK, stepped
from tests.spec import Past, on

DONE, GRAPH = TaskStatus.DONE, graph_of(ACME)
BEGUN = stepped(TaskStatus.TODO, TaskStatus.IN_PROGRESS)
ENDED = stepped(TaskStatus.IN_PROGRESS, DONE)
BLOCKED_BUT_DONE = (BEGUN, ENDED)


def related(at: TaskId, to: TaskId) -> RelationAdded:
    return RelationAdded(kind=RelationKind.BLOCKS, from_=at, to=to, open=True)


def unrelated(at: TaskId, to: TaskId) -> RelationRemoved:
    return RelationRemoved(kind=RelationKind.BLOCKS, from_=at, to=to, open=True)


CIRCLE = related(CHILD, TASK)

FORGED_RELATIONS: list[tuple[str, list[Past]]] = [
    ("there are 1 open blockers, but only 0 are allowed", [on(CHILD, *BLOCKED_BUT_DONE)]),
    ("a task goes to DONE past a guard", [on(CHILD, BEGUN, replace(ENDED, guards=()))]),
    (
        "by another version of the workflow",
        [on(CHILD, replace(BEGUN, workflow_version=7))],
    ),
    ("a task goes from DONE, but is in TODO", [on(CHILD, stepped(DONE, TaskStatus.TODO))]),
    ("a relation is not between two tasks", [on(GRAPH, related(TASK, TaskId(uuid4())))]),
    ("a relation is added twice", [on(GRAPH, related(TASK, CHILD))]),
    ("removed without being there", [on(GRAPH, unrelated(CHILD, TASK))]),
    ("wrongly whether its first task is open", [on(GRAPH, replace(CIRCLE, open=False))]),
    ("a task blocks itself", [on(GRAPH, CIRCLE)]),
    ("a task blocks itself", [on(GRAPH, related(TASK, TASK))]),
    ("names other tasks than those that it blocks", [on(TASK, TaskDeleted())]),
    (
        "names other tasks than those that it blocks",
        [on(TASK, stepped(TaskStatus.TODO, TaskStatus.CANCELLED))],
    ),
    (
        "names other tasks than those that it blocks",
        [on(TASK, stepped(TaskStatus.TODO, TaskStatus.IN_PROGRESS, blocking=(CHILD,)))],
    ),
]
"""TASK blocks CHILD, and both are in TODO."""
