"""The command that changes many tasks at once: all of them, or none.

Each task is decided by the commands on one task, in the order in which the tasks are given, and
each decision sees what those before it change. Limits and guards that the append checks are tried
here as well, so that a refusal names its task; the append decides.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import ClassVar, NamedTuple

from msgspec import UNSET, Struct, UnsetType, field

from commands.base import Change, Command, Context, Decision
from commands.exchange.trial import Trial, decide_ahead
from commands.exchange.update_task import by_stream
from commands.reads import AheadReads, Reads
from commands.work.task import (
    AssignTask,
    ChangeTaskStatus,
    EditTask,
    TaskCommand,
    UnassignTask,
)
from commands.work.task_label import LabelTask, UnlabelTask
from commands.work.task_move import MoveTask
from commands.work.task_plan import NO_VALUES, NOT_PLANNED, FieldInputs, Planned
from commands.work.task_values import DueTime
from commands.work.trash.task import DeleteTask
from domain.base import DomainError, LabelId, ProjectId, Refusal, TaskId, UserId
from domain.identity.organization.membership import Role
from domain.identity.organization.state import Organization
from domain.identity.plan import refuse_if_bulk_too_large
from domain.permission import Permission
from domain.work.task.custom_field import TaskFieldSet
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskDeleted,
    TaskLabelled,
    TaskMoved,
    TaskPriorityChanged,
    TaskScheduled,
    TaskStatusChanged,
    TaskUnassigned,
    TaskUnlabelled,
    TaskUnwatched,
)
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.state import Task
from domain.work.workflow.events import StatusKey
from eventstore.claim import CountChange

BULK_MAX = 1_000
"""Tasks of one command, whatever the plan: more would hold up others."""
BULK_OF_MEMBERS_MAX = 100
"""Tasks that somebody may change at once who is neither MANAGER nor ADMIN."""
REFUSED_SHOWN_MAX = 100
"""Refused tasks that the refusal of all of them names; a dry run names every one."""
_PIECE = 10
"""Tasks that are decided before others get their turn."""


class BulkRefused(DomainError):
    """Nothing was changed, because some of the tasks cannot be. `items` says which, and why."""

    code = "bulk_refused"
    refusal = Refusal.CONFLICT


class TooManyForMember(DomainError):
    """Members change at most 100 tasks at once. Ask a MANAGER, or send fewer."""

    code = "too_many_tasks"
    refusal = Refusal.FORBIDDEN


class TooManyMoved(DomainError):
    """One request moves at most 1,000 tasks, with their subtasks. Send fewer."""

    code = "too_many_moved"
    refusal = Refusal.CONFLICT


class TaskSetting(Struct, frozen=True, kw_only=True):
    """What each of the tasks is set to; what is not given stays as it is.

    ``project_id`` is where it is moved, with its subtasks; all else is then set there.
    """

    project_id: ProjectId | UnsetType = UNSET
    status: StatusKey | UnsetType = UNSET
    force: bool = False
    priority: Priority | UnsetType = UNSET
    due_date: date | UnsetType | None = UNSET
    due_at: DueTime | UnsetType | None = UNSET
    assign: tuple[UserId, ...] = ()
    unassign: tuple[UserId, ...] = ()
    label: tuple[LabelId, ...] = ()
    unlabel: tuple[LabelId, ...] = ()
    fields: FieldInputs = field(default_factory=NO_VALUES)
    planned: Planned = NOT_PLANNED
    delete: bool = False


class TaskOutcome(NamedTuple):
    """What becomes of one task: what is recorded, of its subtasks too, or why not."""

    task_id: TaskId
    changes: tuple[Change, ...] = ()
    checks: tuple[CountChange, ...] = ()
    refused: DomainError | None = None


class ChangeTasks(Command, frozen=True, kw_only=True):
    """Change many tasks in the same way: all of them, or none if one is refused.

    A dry run leaves out those that would be refused.
    """

    needs: ClassVar[Permission | None] = Permission.TASK_EDIT
    records = (
        TaskStatusChanged,
        TaskPriorityChanged,
        TaskScheduled,
        TaskAssigned,
        TaskUnassigned,
        TaskLabelled,
        TaskUnlabelled,
        TaskFieldSet,
        TaskCycleChanged,
        TaskMilestoneChanged,
        TaskMoved,
        TaskUnwatched,
        TaskDeleted,
    )
    task_ids: tuple[TaskId, ...]
    setting: TaskSetting
    below: Mapping[TaskId, tuple[TaskId, ...]] | None = None
    """The subtasks of each task that is to be deleted or moved, as lists show them."""
    note: Callable[[TaskOutcome], None] | None = None
    """Told what becomes of each task, in their order, and again with each attempt."""

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        await self._refuse_too_many(read, context)
        outcomes = await self.outcomes(read, context)
        refused = [each for each in outcomes if each.refused is not None]
        if refused and not context.dry_run:
            shown = [item_of(each) for each in refused[:REFUSED_SHOWN_MAX]]
            raise BulkRefused(items=shown, refused=len(refused))
        changes = [change for each in outcomes for change in each.changes]
        return [*by_stream(changes), *(check for each in outcomes for check in each.checks)]

    async def outcomes(self, read: Reads, context: Context, /) -> list[TaskOutcome]:
        """Return what becomes of each task, in their order."""
        ahead, trial = AheadReads(read), Trial(context)
        found: list[TaskOutcome] = []
        for number, task_id in enumerate(self.task_ids, start=1):
            ahead.begin()
            outcome = await self._outcome(ahead, context, task_id)
            if outcome.changes:
                outcome = await self._tried(ahead, trial, outcome)
            found.append(outcome)
            if self.note is not None:
                self.note(outcome)
            if number % _PIECE == 0:
                await asyncio.sleep(0)
        return found

    async def _outcome(self, ahead: AheadReads, context: Context, task_id: TaskId) -> TaskOutcome:
        """Return what the commands on one task decide, each on what those before it leave."""
        below = await self._still_below(ahead, task_id)
        try:
            decided = await decide_ahead(ahead, context, self._commands(task_id, below))
        except DomainError as refused:
            ahead.go_back()
            return TaskOutcome(task_id, refused=refused)
        return TaskOutcome(task_id, by_stream(decided.changes), (*decided.checks,))

    async def _still_below(self, ahead: AheadReads, task_id: TaskId) -> tuple[TaskId, ...]:
        """Return the subtasks of a task without those that were moved before it, on their own."""
        below, target = (self.below or {}).get(task_id, ()), self.setting.project_id
        if target is UNSET:
            return below
        return tuple([each for each in below if (await ahead(Task, each)).project_id != target])

    async def _tried(self, ahead: AheadReads, trial: Trial, outcome: TaskOutcome) -> TaskOutcome:
        """Return *outcome*, refused if a limit or a guard that the append checks is against it."""
        refused = await trial.add(ahead, outcome.changes, outcome.checks)
        if refused is None:
            return outcome
        ahead.go_back()
        return TaskOutcome(outcome.task_id, refused=refused)

    def _commands(self, task_id: TaskId, below: tuple[TaskId, ...]) -> Iterator[TaskCommand]:
        """Yield the commands on one task; who asks for nothing asks whether it is there."""
        to = self.setting
        if to.project_id is not UNSET:
            yield MoveTask(task_id=task_id, project_id=to.project_id, below=below)
        for label_id in to.unlabel:
            yield UnlabelTask(task_id=task_id, label_id=label_id)
        for label_id in to.label:
            yield LabelTask(task_id=task_id, label_id=label_id)
        for user_id in to.unassign:
            yield UnassignTask(task_id=task_id, user_id=user_id)
        for user_id in to.assign:
            yield AssignTask(task_id=task_id, user_id=user_id)
        yield EditTask(
            task_id=task_id,
            priority=to.priority,
            due_date=to.due_date,
            due_at=to.due_at,
            fields=to.fields,
            planned=to.planned,
        )
        if to.status is not UNSET:
            yield ChangeTaskStatus(task_id=task_id, to=to.status, force=to.force)
        if to.delete:
            yield DeleteTask(task_id=task_id, below=below)

    async def _refuse_too_many(self, read: Reads, context: Context) -> None:
        """Refuse more tasks than the plan, or the caller's role, allows.

        Subtasks that are moved along count; those that are deleted with a task record nothing.

        :raises PlanLimitReached: the plan does not.
        :raises TooManyForMember: the role does not.
        :raises TooManyMoved: nobody may move so many.
        """
        organization, tasks = await read(Organization, context.organization), {*self.task_ids}
        if self.setting.project_id is not UNSET:
            tasks.update(each for below in (self.below or {}).values() for each in below)
        refuse_if_bulk_too_large(organization.plan, len(tasks))
        is_member = organization.role_of(context.user_id) is Role.MEMBER
        if is_member and len(tasks) > BULK_OF_MEMBERS_MAX:
            raise TooManyForMember(limit=BULK_OF_MEMBERS_MAX, needs="MANAGER or ADMIN")
        if len(tasks) > BULK_MAX:
            raise TooManyMoved(limit=BULK_MAX, tasks=len(tasks))


def item_of(outcome: TaskOutcome) -> dict[str, str]:
    """Return what becomes of a task as clients read it."""
    item = {"id": str(outcome.task_id), "outcome": "unchanged"}
    if outcome.refused is not None:
        item |= {"outcome": "refused", "code": outcome.refused.code}
    elif outcome.changes:
        item["outcome"] = "changed"
    return item
