"""How a task moves along the workflow of its project, and where it comes back to."""

from datetime import datetime
from itertools import pairwise

from domain.work.task.errors import TransitionNotAllowed
from domain.work.task.events import TaskEvent, TaskStatusChanged
from domain.work.task.state import Task
from domain.work.workflow.events import STARTED, Guard, StatusGroup, StatusRule
from domain.work.workflow.state import Workflow


def change_status(  # noqa: PLR0913 - the time, and two ways to go
    task: Task,
    workflow: Workflow,
    to: str,
    now: datetime | None = None,
    *,
    via_path: bool = False,
    force: bool = False,
) -> list[TaskStatusChanged]:
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
    before, steps = _stands(task), list[TaskStatusChanged]()
    begun = task.started_at is not None
    for key, next_key in pairwise(path):
        after, guards = workflow.by_key[next_key], workflow.steps[key][next_key]
        step = TaskStatusChanged.between(
            before,
            after,
            workflow_version=workflow.version,
            guards=() if force else guards,
            forced=force and bool(guards),
            past_guards=guards if force else (),
            at=now if _begins_or_ends(begun, after.group) else None,
        )
        steps.append(step)
        before, begun = after, begun or after.group in STARTED
    return steps


def put_back(
    task: Task, workflow: Workflow, to: str, now: datetime | None = None
) -> list[TaskStatusChanged]:
    """Move back to *to*, where the task was before, also if no transition leads there.

    The guards of every transition into that status hold, as for whoever goes there forwards.

    :raises UnknownStatus: the workflow has no such status.
    """
    task.refuse_unless_here()
    at, wanted = workflow.place(task.status, task.group), workflow.status(to)
    if wanted is at:
        return []
    timed = _begins_or_ends(task.started_at is not None, wanted.group)
    moved = TaskStatusChanged.between(
        _stands(task),
        wanted,
        workflow_version=workflow.version,
        guards=guards_into(workflow, to),
        at=now if timed else None,
    )
    return [moved]


def guards_into(workflow: Workflow, to: str) -> tuple[Guard, ...]:
    """Return the guards of all transitions into a status, in a fixed order."""
    asked = {guard for ahead in workflow.steps.values() for guard in ahead.get(to, ())}
    return tuple(guard for guard in Guard if guard in asked)


def leave_gone_status(task: Task, workflow: Workflow, now: datetime) -> list[TaskEvent]:
    """Move a task out of a status that is gone meanwhile, if it is in one."""
    place = workflow.place(task.status, task.group)
    if place.key == workflow.moved.get(task.status, task.status):
        return []
    timed = _begins_or_ends(task.started_at is not None, place.group)
    moved = TaskStatusChanged.between(
        _stands(task),
        place,
        workflow_version=workflow.version,
        at=now if timed else None,
    )
    return [moved]


def _stands(task: Task) -> StatusRule:
    """Return the status of *task*, which its workflow may have no longer."""
    return StatusRule(key=task.status, group=task.group)


def _begins_or_ends(begun: bool, group: StatusGroup) -> bool:
    """Return whether a status in *group* is the beginning or the end of the work on a task."""
    return group is StatusGroup.DONE or (not begun and group in STARTED)
