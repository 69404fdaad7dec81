"""Subtasks: who is whose parent, how deep that goes, and everything below a task."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from commands.base import Change, Context
from commands.reads import Reads
from commands.relation_counts import children
from commands.sight import Read
from domain.base import NotFound, ProjectId, TaskId
from domain.work.task import placing
from domain.work.task.errors import ParentIsBelow, SubtasksChanged, SubtasksTooDeep
from domain.work.task.events import TaskEvent, TaskReparented
from domain.work.task.state import LEVELS_MAX, Task
from eventstore.claim import CountChange


class Subtree(NamedTuple):
    """A task with all of its subtasks, parents first.

    ``height`` counts its levels, 1 without subtasks. ``complete`` are the checks with which the
    append verifies that nothing is missing.
    """

    tasks: tuple[TaskId, ...]
    height: int
    complete: list[CountChange]


class Reparenting(NamedTuple):
    """The events of a task that gets another parent, and what the append checks with them."""

    events: list[TaskEvent]
    checks: list[CountChange]


async def read_ancestors(
    read: Reads, parent_id: TaskId, project_id: ProjectId | None
) -> list[TaskId]:
    """Return a parent and those above it, nearest first.

    The append verifies the version of each, so that none is moved meanwhile.

    :raises NotFound: one of them is missing or in the trash, or the parent is in another project.
    :raises SubtasksTooDeep: it can have no subtasks.
    """
    parent = await read(Task, parent_id)
    parent.refuse_unless_here()
    if parent.project_id != project_id:
        raise NotFound
    found = [parent_id]
    while parent.parent_id is not None and len(found) < LEVELS_MAX:
        found.append(parent.parent_id)
        parent = await read(Task, parent.parent_id)
        parent.refuse_unless_here()
    if len(found) >= LEVELS_MAX:
        raise SubtasksTooDeep(limit=LEVELS_MAX)
    return found


async def trashed_above(read: Read, task: Task) -> TaskId | None:
    """Return the nearest task above *task* that is in the trash and hides it, None without one."""
    above = task.parent_id
    for _ in range(LEVELS_MAX):  # what is read at different times may seem to be a circle
        if above is None:
            return None
        parent = await read(Task, above)
        if parent.deleted:
            return above
        above = parent.parent_id
    return None


async def place_under(
    read: Reads, context: Context, child: TaskId, parent_id: TaskId | None, below: Iterable[TaskId]
) -> Reparenting:
    """Return what gives a task another parent, or none; *below* are its supposed subtasks.

    :raises ParentIsBelow: the parent would be the task itself or one of its subtasks.
    :raises SubtasksTooDeep: the task or its subtasks would get too deep.
    :raises SubtasksChanged: its subtasks are others than *below*.
    """
    task = await read(Task, child)
    events = placing.reparent(task, parent_id)
    if not events or parent_id is None:
        return Reparenting(events, [])
    if parent_id == child:
        raise ParentIsBelow
    above = await read_ancestors(read, parent_id, task.project_id)
    if child in above:
        raise ParentIsBelow
    subtree = await read_subtree(read, context, child, below)
    if len(above) + subtree.height > LEVELS_MAX:
        raise SubtasksTooDeep(limit=LEVELS_MAX)
    return Reparenting(events, subtree.complete)


async def read_subtree(
    read: Reads, context: Context, root: TaskId, below: Iterable[TaskId]
) -> Subtree:
    """Return a task with its subtasks, which *below* is supposed to name in any order.

    :raises SubtasksChanged: one of *below* is not below it.
    """
    waiting = {task_id: (await read(Task, task_id)).parent_id for task_id in below}
    waiting.pop(root, None)
    levels, counted = {root: 1}, Counter[TaskId]()
    while waiting:
        ready = {each: above for each, above in waiting.items() if above in levels}
        if not ready:
            raise SubtasksChanged
        for each, above in ready.items():
            assert above is not None  # noqa: S101 - for the type checkers
            levels[each] = levels[above] + 1
            counted[above] += 1
            del waiting[each]
    org_id = context.organization
    complete = [
        CountChange(children(org_id, each), 0, limit=counted[each], refusal=_changed)
        for each in levels
    ]
    return Subtree(tuple(levels), max(levels.values()), complete)


class Remaining(NamedTuple):
    """The subtasks that a task leaves behind, under its parent from now on.

    ``complete`` are the checks with which the append verifies that none is forgotten.
    """

    changes: list[Change]
    complete: list[CountChange]


async def without_subtasks(
    read: Reads, context: Context, root: TaskId, below: Iterable[TaskId]
) -> Remaining:
    """Return what puts the subtasks of *root*, which are among *below*, under its parent.

    Those in the trash too: they would come back in another project than their parent.
    """
    parent_id = (await read(Task, root)).parent_id
    changes = [
        Change(each, [TaskReparented(from_=root, to=parent_id)])
        for each in dict.fromkeys(below)
        if (await read(Task, each)).parent_id == root
    ]
    none_left = CountChange(children(context.organization, root), 0, limit=0, refusal=_changed)
    return Remaining(changes, [none_left])


def _changed(_: int) -> SubtasksChanged:
    return SubtasksChanged()
