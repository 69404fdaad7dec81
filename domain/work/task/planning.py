"""When a task starts, when it is due, and how much work it is."""

from datetime import date, datetime, timedelta, tzinfo

from domain.work.task.errors import StartsAfterDue, TwoDueDates
from domain.work.task.events import TaskEstimated, TaskEvent, TaskSchedule, TaskScheduled
from domain.work.task.state import Task
from domain.work.workflow.events import FINISHED

_FURTHEST_WEST = timedelta(hours=14)
"""By how much the local time of a place may be ahead of UTC: a day begins somewhere that early."""


def schedule(task: Task, wanted: TaskSchedule) -> list[TaskEvent]:
    """Return the events that give *task* the dates *wanted*.

    :raises TwoDueDates: it would be due on a day and at a time.
    :raises StartsAfterDue: it would start after it is due.
    """
    task.refuse_unless_here()
    if wanted == task.schedule:
        return []
    if wanted.due_date is not None and wanted.due_at is not None:
        raise TwoDueDates
    last = last_day(wanted)
    if wanted.start_date is not None and last is not None and wanted.start_date > last:
        raise StartsAfterDue(start=wanted.start_date, due=last)
    return [TaskScheduled(from_=task.schedule, to=wanted)]


def estimate(task: Task, to: int | None) -> list[TaskEvent]:
    """Return the events that estimate *task* at *to*, in the unit that its team uses."""
    task.refuse_unless_here()
    return [] if to == task.estimate else [TaskEstimated(from_=task.estimate, to=to)]


def last_day(schedule: TaskSchedule) -> date | None:
    """Return the last day on which a task can start, in any time zone; None if it is never due."""
    if schedule.due_at is not None:
        return (schedule.due_at + _FURTHEST_WEST).date()
    return schedule.due_date


def is_overdue(task: Task, now: datetime, zone: tzinfo) -> bool:
    """Return whether *task* should be finished by *now*; a day ends at midnight in *zone*."""
    if task.group in FINISHED:
        return False
    if task.due_at is not None:
        return task.due_at < now
    return task.due_date is not None and task.due_date < now.astimezone(zone).date()
