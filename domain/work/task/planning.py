"""When a task starts and is due, how much work it is, and which part of a plan it belongs to."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo
from uuid import UUID

from domain.base import CycleId, MilestoneId
from domain.work.task.errors import StartsAfterDue, TwoDueDates
from domain.work.task.events import TaskEstimated, TaskEvent, TaskSchedule, TaskScheduled
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.state import Task
from domain.work.task.trash_events import TasksInPlan
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


def put_into(task: Task, cycle_id: CycleId | None, *, below_trash: bool = False) -> list[TaskEvent]:
    """Return the events that put *task* into a cycle, or (None) into none."""
    if cycle_id == task.cycle_id:
        return []
    return [TaskCycleChanged(from_=task.cycle_id, to=cycle_id, below_trash=below_trash)]


def put_towards(
    task: Task, milestone_id: MilestoneId | None, *, below_trash: bool = False
) -> list[TaskEvent]:
    """Return the events that put *task* towards a milestone, or (None) towards none."""
    if milestone_id == task.milestone_id:
        return []
    return [TaskMilestoneChanged(from_=task.milestone_id, to=milestone_id, below_trash=below_trash)]


def count_planned(tasks: Iterable[Task]) -> tuple[TasksInPlan, ...]:
    """Return how many of *tasks* each cycle and milestone has, sorted by its id."""
    every, unfinished = Counter[UUID](), Counter[UUID]()
    for task in tasks:
        parts = [part for part in (task.cycle_id, task.milestone_id) if part is not None]
        every.update(parts)
        if task.group not in FINISHED:
            unfinished.update(parts)
    return tuple(TasksInPlan(part, every[part], unfinished[part]) for part in sorted(every))


def last_day(schedule: TaskSchedule) -> date | None:
    """Return the last day on which a task can start, in any time zone; None if it is never due."""
    if schedule.due_at is not None:
        if schedule.due_at.date() == date.max:  # no day follows it
            return date.max
        return (schedule.due_at + _FURTHEST_WEST).date()
    return schedule.due_date


def is_overdue(task: Task, now: datetime, zone: tzinfo) -> bool:
    """Return whether *task* should be finished by *now*; a day ends at midnight in *zone*."""
    if task.group in FINISHED:
        return False
    if task.due_at is not None:
        return task.due_at < now
    return task.due_date is not None and task.due_date < now.astimezone(zone).date()
