"""What takes back each event of a task."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import ClassVar

from commands.base import Command, Context, Decision, changes_of
from commands.planning.recurrence import SetRecurrence, StopRecurrence
from commands.reads import Reads
from commands.undo.changed import (
    IMPORTED,
    NOT_BROUGHT_BACK,
    Answer,
    Changed,
    Final,
    Inverse,
    belonging,
    refuse_unless_unchanged,
    setting,
    trashing,
)
from commands.work.task import (
    AssignTask,
    EditTask,
    TaskCommand,
    UnassignTask,
    put_back_in_status,
    read_task,
)
from commands.work.task_label import LabelTask, UnlabelTask
from commands.work.task_move import MoveTask
from commands.work.task_plan import Planned
from commands.work.task_watch import UnwatchTask, WatchTask
from commands.work.trash.task import DeleteTask, RestoreTask
from domain.base import DomainError, Event
from domain.permission import Permission
from domain.work.task import placing
from domain.work.task.custom_field import FieldInput, TaskFieldSet, shown_values, values_of
from domain.work.task.events import (
    TaskAssigned,
    TaskCreated,
    TaskDeleted,
    TaskDescribed,
    TaskEstimated,
    TaskLabelled,
    TaskMoved,
    TaskPriorityChanged,
    TaskRanked,
    TaskReparented,
    TaskRestored,
    TaskRetitled,
    TaskScheduled,
    TaskStatusChanged,
    TaskUnassigned,
    TaskUnlabelled,
    TaskUnwatched,
    TaskWatched,
)
from domain.work.task.imported import TaskImported
from domain.work.task.mentions import TaskMentioned
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.recurrence_events import (
    TaskOccurrenceSkipped,
    TaskRecurrenceSet,
    TaskRepeated,
)
from domain.work.task.state import OPEN_NUMBER
from domain.work.task.templated import TaskTemplated
from domain.work.task.trash_events import TaskPurged
from domain.work.workflow.events import StatusKey


class PutBackInStatus(TaskCommand, frozen=True, kw_only=True):
    """Put a task back into the status that it had, also where no transition leads there.

    The guards of what leads into that status hold, and so does who may reopen a task.
    """

    needs: ClassVar[Permission | None] = Permission.TASK_EDIT
    records = (TaskStatusChanged,)
    to: StatusKey

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        events = await put_back_in_status(read, context, self.task_id, self.to)
        return changes_of(self.task_id, events)


class PutBackAtRank(TaskCommand, frozen=True, kw_only=True):
    """Put a task back where it was among those of its project."""

    needs: ClassVar[Permission | None] = Permission.TASK_EDIT
    records = (TaskRanked,)
    rank: str

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        return changes_of(self.task_id, placing.rank_at(task, self.rank))


def _edit(*names: str, field: str | None = None) -> Inverse:
    return setting(EditTask, "task_id", *names, field=field)


def _planned(name: str) -> Answer:
    def commands(changed: Changed) -> Iterable[Command]:
        back = changed.earlier(name)
        return [EditTask(task_id=changed.stream, planned=Planned(**back))] if back else []

    return (Inverse(name, commands),)


def _dates(changed: Changed) -> Iterable[Command]:
    """Return what sets the start back and, at once, when it is due, unless only that has changed.

    Between the two a task might start after it is due.
    """
    back = changed.earlier("start_date")
    if not back:
        return []
    with suppress(DomainError):
        back |= changed.earlier("due_date", "due_at")
    return [EditTask(task_id=changed.stream, **back)]


def _in_status(changed: Changed) -> Iterable[Command]:
    back = changed.earlier("status")
    return [PutBackInStatus(task_id=changed.stream, to=back["status"])] if back else []


def _at_rank(changed: Changed) -> Iterable[Command]:
    back = changed.earlier("rank")
    return [PutBackAtRank(task_id=changed.stream, rank=back["rank"])] if back else []


def _under(changed: Changed) -> Iterable[Command]:
    back = changed.earlier("parent_id")
    return [EditTask(task_id=changed.stream, below=changed.below, **back)] if back else []


def _in_project(changed: Changed) -> Iterator[Command]:
    """Yield what moves a task back, under a new key, to the rank and status that it had.

    One that has no number yet was moved back just now, together with the task above it.
    """
    task_id, before, now = changed.stream, changed.before, changed.now
    if changed.earlier("project_id"):
        yield MoveTask(task_id=task_id, project_id=before.project_id, below=changed.below)
    elif changed.after.project_id == before.project_id:  # further moves led there already
        changed.earlier("rank")
    elif now.number != OPEN_NUMBER:
        return
    yield PutBackAtRank(task_id=task_id, rank=before.rank)
    if now.status == changed.event.status:
        yield PutBackInStatus(task_id=task_id, to=before.status)


def _field_values(changed: Changed) -> Iterable[Command]:
    key = changed.event.key
    was, given, now = (
        values_of(each.fields, key) for each in (changed.before, changed.after, changed.now)
    )
    if was in (given, now):
        return
    refuse_unless_unchanged(was, given, now)
    shown = shown_values(changed.before.fields).get(key)
    value: FieldInput | None = tuple(shown) if isinstance(shown, list) else shown
    yield EditTask(task_id=changed.stream, fields={key: value})


def _unassigned(changed: Changed) -> Iterator[Command]:
    """Yield what unassigns somebody, who then no longer watches if they did not before."""
    user_id = changed.event.user_id
    if user_id in changed.now.assignees:
        yield UnassignTask(task_id=changed.stream, user_id=user_id)
    if user_id in changed.now.watchers and user_id not in changed.before.watchers:
        yield UnwatchTask(task_id=changed.stream, user_id=user_id)


def _recurrence(changed: Changed) -> Iterator[Command]:
    if not changed.earlier("recurrence"):
        return
    before = changed.before.repeats
    if before is None:
        yield StopRecurrence(task_id=changed.stream)
    else:
        yield SetRecurrence(
            task_id=changed.stream,
            series_id=before.series_id,
            number=before.number,
            rrule=before.rrule,
            after=before.after,
        )


_, _ASSIGNED = belonging(
    "assignees",
    "user_id",
    lambda changed, user_id: AssignTask(task_id=changed.stream, user_id=user_id),
    lambda changed, user_id: UnassignTask(task_id=changed.stream, user_id=user_id),
)
_UNWATCHED, _WATCHED = belonging(
    "watchers",
    "user_id",
    lambda changed, user_id: WatchTask(task_id=changed.stream, user_id=user_id),
    lambda changed, user_id: UnwatchTask(task_id=changed.stream, user_id=user_id),
)
_UNLABELLED, _LABELLED = belonging(
    "labels",
    "label_id",
    lambda changed, label_id: LabelTask(task_id=changed.stream, label_id=label_id),
    lambda changed, label_id: UnlabelTask(task_id=changed.stream, label_id=label_id),
)
_AWAY, _BACK = trashing(
    lambda changed: DeleteTask(task_id=changed.stream, below=changed.below),
    lambda changed: RestoreTask(task_id=changed.stream, below=changed.below),
)

WITH_SUBTASKS = (TaskCreated, TaskDeleted, TaskRestored, TaskReparented, TaskMoved)
"""The events that are taken back for the subtasks, too."""

OF_TASKS: dict[type[Event], Answer] = {
    TaskCreated: _AWAY,
    TaskImported: IMPORTED,
    TaskTemplated: IMPORTED,
    TaskRetitled: (_edit("title"),),
    TaskDescribed: (_edit("description"),),
    TaskMentioned: (_edit("mentions"),),
    TaskStatusChanged: (Inverse("status", _in_status),),
    TaskPriorityChanged: (_edit("priority"),),
    TaskReparented: (Inverse("parent_id", _under),),
    TaskRanked: (Inverse("rank", _at_rank),),
    TaskMoved: (Inverse("project_id", _in_project), Inverse("parent_id", _under, ("parent_id",))),
    TaskScheduled: (
        Inverse("start_date", _dates, ("start_date",)),
        _edit("due_date", "due_at"),
    ),
    TaskEstimated: (_edit("estimate"),),
    TaskAssigned: (Inverse("assignees", _unassigned),),
    TaskUnassigned: _ASSIGNED,
    TaskLabelled: _UNLABELLED,
    TaskUnlabelled: _LABELLED,
    TaskFieldSet: (Inverse("fields", _field_values),),
    TaskCycleChanged: _planned("cycle_id"),
    TaskMilestoneChanged: _planned("milestone_id"),
    TaskRecurrenceSet: (Inverse("recurrence", _recurrence),),
    TaskRepeated: Final(
        "The next task repeats in its place. Delete it, or let it no longer repeat."
    ),
    TaskOccurrenceSkipped: Final("The day on which no task could be made has passed."),
    TaskWatched: _UNWATCHED,
    TaskUnwatched: _WATCHED,
    TaskDeleted: _BACK,
    TaskRestored: _AWAY,
    TaskPurged: NOT_BROUGHT_BACK,
}
"""What takes back each event of a task."""
