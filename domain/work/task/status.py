"""How a task moves along the workflow of its project, and where it comes back to."""

from itertools import pairwise

from msgspec.structs import replace

from domain.base import NotFound
from domain.work.task.errors import TransitionNotAllowed
from domain.work.task.events import TaskEvent, TaskRestored, TaskStatusChanged
from domain.work.task.state import Task
from domain.work.workflow.state import Workflow


def change_status(
    task: Task, workflow: Workflow, to: str, *, via_path: bool = False, force: bool = False
) -> list[TaskEvent]:
    """Move to *to*: in one step or, *via_path*, in the fewest, with one event for each.

    With *force* the guards are not asked.

    :raises UnknownStatus: the workflow has no such status.
    :raises TransitionNotAllowed: nothing leads there.
    """
    task.refuse_unless_here()
    at, wanted = workflow.place(task.status, task.group), workflow.status(to)
    ahead = workflow.steps[at.key]
    path = workflow.path(at.key, to) if via_path else (at.key, to)
    if at is wanted:
        return []
    if path is None or path[1] not in ahead:
        raise TransitionNotAllowed(at=at.key, to=to, allowed=[*ahead])
    steps = [_step(workflow, a, b, force) for a, b in pairwise(path)]
    return [replace(steps[0], from_=task.status, from_group=task.group), *steps[1:]]


def restore(task: Task, workflow: Workflow) -> list[TaskEvent]:
    """Take the task out of the trash; if its status is gone meanwhile, into another one."""
    if task.project_id is None:
        raise NotFound
    if not task.deleted:
        return []
    place = workflow.place(task.status, task.group)
    if place.key == workflow.moved.get(task.status, task.status):
        return [TaskRestored()]
    moved = TaskStatusChanged(
        from_=task.status,
        from_group=task.group,
        to=place.key,
        to_group=place.group,
        workflow_version=workflow.version,
    )
    return [TaskRestored(), moved]


def _step(workflow: Workflow, at: str, to: str, force: bool) -> TaskStatusChanged:
    guards = workflow.steps[at][to]
    return TaskStatusChanged(
        from_=at,
        from_group=workflow.by_key[at].group,
        to=to,
        to_group=workflow.by_key[to].group,
        workflow_version=workflow.version,
        guards=() if force else guards,
        forced=force and bool(guards),
        past_guards=guards if force else (),
    )
