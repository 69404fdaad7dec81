"""How a task moves along the workflow of its project, and where it comes back to."""

from itertools import pairwise

from domain.base import NotFound
from domain.work.task.errors import TransitionNotAllowed
from domain.work.task.events import Standing, TaskEvent, TaskRestored, TaskStatusChanged
from domain.work.task.state import Task
from domain.work.workflow.events import Guard
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
    stands, steps = Standing(task.status, task.group), list[TaskEvent]()
    for before, after in pairwise(path):
        step = _step(workflow, stands, after, workflow.steps[before][after], force)
        stands = Standing(after, step.to_group)
        steps.append(step)
    return steps


def restore(task: Task, workflow: Workflow) -> list[TaskEvent]:
    """Take the task out of the trash; if its status is gone meanwhile, into another one."""
    if task.project_id is None:
        raise NotFound
    if not task.deleted:
        return []
    place = workflow.place(task.status, task.group)
    if place.key == workflow.moved.get(task.status, task.status):
        return [TaskRestored()]
    stands, moves_to = Standing(task.status, task.group), Standing(place.key, place.group)
    moved = TaskStatusChanged.between(stands, moves_to, workflow_version=workflow.version)
    return [TaskRestored(), moved]


def _step(
    workflow: Workflow, at: Standing, to: str, guards: tuple[Guard, ...], force: bool
) -> TaskStatusChanged:
    return TaskStatusChanged.between(
        at,
        Standing(to, workflow.by_key[to].group),
        workflow_version=workflow.version,
        guards=() if force else guards,
        forced=force and bool(guards),
        past_guards=guards if force else (),
    )
