"""The commands that move a task to the trash with all of its subtasks, and bring them back."""

from collections import Counter
from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from commands.base import (
    Change,
    Context,
    Decision,
    NotPermitted,
    refuse_unless_role_grants,
)
from commands.reads import Reads
from commands.sight import leads_team_of
from commands.work.losing_sight import released
from commands.work.task import TaskCommand, read_task, refuse_unless_sees_task
from commands.work.task_tree import read_subtree, trashed_above
from domain.base import NotFound, TaskId
from domain.identity.organization.state import Organization
from domain.permission import Permission, is_allowed
from domain.work.project.state import Project
from domain.work.relation import DependencyGraph, graph_of
from domain.work.task import planning, status
from domain.work.task.errors import ParentInTrash, TooMuchBelow
from domain.work.task.events import (
    TaskDeleted,
    TaskEvent,
    TaskRestored,
    TaskStatusChanged,
    TaskUnassigned,
    TaskUnwatched,
)
from domain.work.task.state import Task
from domain.work.task.trash_events import TasksInPlan, TasksInStatus
from domain.work.task.watching import let_go
from domain.work.workflow.events import FINISHED
from eventstore.claim import CountChange

BELOW_MAX = 1_000
"""How many subtasks, at all levels, a task is deleted and restored with."""


class DeleteTask(TaskCommand, frozen=True, kw_only=True):
    """Move a task to the trash with its subtasks; members may delete their own for 24 hours."""

    needs: ClassVar[Permission | None] = Permission.TASK_DELETE_OWN
    records = (TaskDeleted,)
    below: tuple[TaskId, ...] = ()
    """The subtasks at all levels as lists show them; the append checks that none is missing."""

    async def permit(self, read: Reads, context: Context, /) -> None:
        await _refuse_unless_own(read, context, self.task_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, _ = await read_task(read, self.task_id)
        if not await _may_delete_any(read, context, task) and not task.is_own_and_young(
            context.user_id, context.now
        ):
            raise NotPermitted(needs=Permission.TASK_DELETE)
        hiding = await _read_below(read, context, self.task_id, self.below)
        blocking = _blocking(read, context, hiding.open)
        deleted = TaskDeleted(
            at=context.now,
            project_id=task.project_id,
            owner=task.created_by,
            below=hiding.below,
            hides=hiding.by_status,
            planned=hiding.planned,
            blocking=blocking,
        )
        return [Change(self.task_id, [deleted]), *hiding.complete]


class RestoreTask(TaskCommand, frozen=True, kw_only=True):
    """Restore a task from the trash with what its deletion hid; members may restore their own.

    Whoever has left the organization meanwhile is unassigned, which also follows from their leaving
    (``commands/work/leaving.py``): whichever comes first, no restored task names them. Whoever no
    longer sees the project is let go of, as follows from that too (``losing_sight.py``).
    """

    needs: ClassVar[Permission | None] = Permission.TASK_DELETE_OWN
    records = (TaskRestored, TaskStatusChanged, TaskUnassigned, TaskUnwatched)
    below: tuple[TaskId, ...] = ()
    """As for the deletion."""

    async def permit(self, read: Reads, context: Context, /) -> None:
        await _refuse_unless_own(read, context, self.task_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task = await read(Task, self.task_id)
        project = await refuse_unless_parent_here(read, task)
        if not task.deleted:
            return []
        hiding = await _read_below(read, context, self.task_id, self.below)
        blocking = _blocking(read, context, hiding.open)
        restored = TaskRestored(
            below=hiding.below, hides=hiding.by_status, planned=hiding.planned, blocking=blocking
        )
        organization = await read(Organization, context.organization)
        changes: list[Change] = []
        for each in (self.task_id, *hiding.shown):
            shown = await read(Task, each)
            events: list[TaskEvent] = [restored] if each == self.task_id else []
            events += status.leave_gone_status(shown, project.workflow, context.now)
            events += _let_go_of_former(organization, shown)
            events += await released(read, context, shown, project)
            changes += [Change(each, events)] if events else []
        return [*changes, *hiding.complete]


def _let_go_of_former(organization: Organization, task: Task) -> list[TaskEvent]:
    """Return the events that unassign everybody who is no member any more."""
    gone = (each for each in task.assignees if organization.member(each) is None)
    return [event for each in gone for event in let_go(task, each)]


class _Hiding(NamedTuple):
    """What the deletion of a task hides, or its restoration shows.

    ``shown`` are the subtasks that nothing else hides, ``by_status`` their number by status,
    ``planned`` by cycle and milestone, and ``open`` those that are not finished, with the task
    itself.
    """

    below: tuple[TaskId, ...]
    shown: tuple[TaskId, ...]
    by_status: tuple[TasksInStatus, ...]
    planned: tuple[TasksInPlan, ...]
    open: tuple[TaskId, ...]
    complete: list[CountChange]


async def _read_below(
    read: Reads, context: Context, root: TaskId, below: Iterable[TaskId]
) -> _Hiding:
    """Return what is hidden together with *root*, which *below* is supposed to name.

    :raises SubtasksChanged: its subtasks are others.
    :raises TooMuchBelow: they are too many.
    """
    subtree = await read_subtree(read, context, root, below)
    if len(subtree.tasks) > BELOW_MAX + 1:
        raise TooMuchBelow(limit=BELOW_MAX)
    known = {each: await read(Task, each) for each in subtree.tasks}
    shown = {root}
    for each, task in list(known.items())[1:]:  # parents come first
        if task.parent_id in shown and not task.deleted:
            shown.add(each)
    hides = [each for each in subtree.tasks if each in shown and each != root]
    by_status = Counter(known[each].status for each in hides)
    return _Hiding(
        below=subtree.tasks[1:],
        shown=tuple(hides),
        by_status=tuple(TasksInStatus(*each) for each in sorted(by_status.items())),
        planned=planning.count_planned(known[each] for each in hides),
        open=tuple(each for each in (root, *hides) if known[each].group not in FINISHED),
        complete=subtree.complete if subtree.tasks[1:] else subtree.complete[:1],
    )


def _blocking(read: Reads, context: Context, blockers: Iterable[TaskId]) -> tuple[TaskId, ...]:
    """Return the tasks that open ones block, as often as they do."""
    blockers = tuple(blockers)
    if not blockers:
        return ()
    graph = read.new(DependencyGraph, graph_of(context.organization))
    return tuple(blocked for each in blockers for blocked in graph.blocked_by(each))


async def refuse_unless_parent_here(read: Reads, task: Task) -> Project:
    """Return the project of a task in the trash, which can be restored if nothing else hides it.

    :raises NotFound: there is no such task.
    :raises ParentInTrash: its project or a task above it is in the trash.
    """
    if task.project_id is None or task.purged:
        raise NotFound
    project = await read(Project, task.project_id)
    if project.purged:
        raise NotFound
    if project.deleted:
        raise ParentInTrash(parent={"type": "project", "id": task.project_id})
    above = await trashed_above(read, task)
    if above is not None:
        raise ParentInTrash(parent={"type": "task", "id": above})
    return project


async def refuse_unless_task_here(read: Reads, task_id: TaskId) -> None:
    """Refuse to restore what belongs to a task unless the task itself is here.

    :raises NotFound: there is no such task.
    :raises ParentInTrash: the task, one above it or its project is in the trash.
    """
    task = await read(Task, task_id)
    await refuse_unless_parent_here(read, task)
    if task.deleted:
        raise ParentInTrash(parent={"type": "task", "id": task_id})


async def _refuse_unless_own(read: Reads, context: Context, task_id: TaskId) -> None:
    """Refuse a caller who may delete or restore neither every task nor this one."""
    await refuse_unless_role_grants(read, context, Permission.TASK_DELETE_OWN)
    task = await read(Task, task_id)
    await refuse_unless_sees_task(read, context, task_id)
    if not await _may_delete_any(read, context, task) and task.created_by != context.user_id:
        raise NotPermitted(needs=Permission.TASK_DELETE)


async def _may_delete_any(read: Reads, context: Context, task: Task) -> bool:
    """Return whether the caller may delete every task of this project, as its team's LEADs may."""
    organization = await read(Organization, context.organization)
    role = organization.role_of(context.user_id)
    if is_allowed(role, Permission.TASK_DELETE, context.scopes) or task.project_id is None:
        return is_allowed(role, Permission.TASK_DELETE, context.scopes)
    return await leads_team_of(read, context, await read(Project, task.project_id))
