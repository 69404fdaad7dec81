"""Tasks that repeat: when the next one is made, and what it takes over.

Invariants
    1. Of a series of tasks, only the newest repeats: when the next one is made, that repeats in
       its place, by one append.
    2. By a schedule, the next task is made as its day begins in the time zone of the organization,
       finished or not. After completion, it is made once the task is finished.
    3. If several days have passed before a task could be made, one is made, for the last of them.
    4. If a task cannot be made, its day is skipped, and the next one follows by the rule. So
       nothing is tried again and again.
    5. ``COUNT`` are the tasks of the series, the first one included; skipped days are not counted.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple
from uuid import UUID, uuid5

from msgspec.structs import replace

from domain.base import TaskId
from domain.planning.repeat_rule import NeverRepeats, RepeatRule, repeat_rule
from domain.work.task.errors import TimeOutOfRange
from domain.work.task.events import TaskSchedule
from domain.work.task.recurrence_events import (
    Recurrence,
    RepeatAfter,
    TaskOccurrenceSkipped,
    TaskRecurrenceSet,
)
from domain.work.task.state import Task
from domain.work.workflow.events import FINISHED

DUE_AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""Since when the next task is due that waits for nothing but to be made."""


class Today(NamedTuple):
    """A day, and the time zone in which it is today."""

    day: date
    zone: tzinfo


def today(now: datetime, zone: tzinfo) -> Today:
    """Return the day that it is *now* in *zone*."""
    return Today(now.astimezone(zone).date(), zone)


def beginning_of(day: date, zone: tzinfo) -> datetime:
    """Return when a day begins in *zone*; where midnight is left out, what comes after it."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


# Decisions ------------------------------------------------------------------


class Place(NamedTuple):
    """Which task of which series one is."""

    series_id: UUID
    number: int = 1


def repeat(
    task: Task, text: str, after: RepeatAfter, place: Place, at: Today
) -> list[TaskRecurrenceSet]:
    """Return the events that let *task* repeat by the rule *text*.

    A task that repeats already keeps its place in its series; others get the one given.

    :raises RecurrenceNotValid: the text is no rule.
    :raises NeverRepeats: no day follows by the rule.
    """
    task.refuse_unless_here()
    before = task.repeats
    anchor = _anchor(task, at) or at.day
    rule = repeat_rule(text).beginning(anchor)
    if before is not None and (before.rrule, before.after) == (str(rule), after):
        return []
    wanted = Recurrence(
        rrule=str(rule),
        after=after,
        series_id=place.series_id if before is None else before.series_id,
        number=place.number if before is None else before.number,
        day=anchor,
    )
    to = _going_on(wanted, rule, at)
    if to is None:
        raise NeverRepeats
    return [TaskRecurrenceSet(from_=before, to=to)]


def stop(task: Task) -> list[TaskRecurrenceSet]:
    """Return the events after which *task* no longer repeats."""
    task.refuse_unless_here()
    return [] if task.repeats is None else [TaskRecurrenceSet(from_=task.repeats, to=None)]


def due_at(task: Task) -> datetime | None:
    """Return from when on the next task is to be made; None if that waits for something else."""
    repeats = task.repeats
    if repeats is None or task.deleted or task.purged:
        return None
    if repeats.after is RepeatAfter.SCHEDULE:
        return repeats.next_at
    return (repeats.next_at or DUE_AT_ONCE) if task.group in FINISHED else None


class NextTask(NamedTuple):
    """The next task of a series: its id, its day, its dates, and how it repeats, if it does.

    The id follows from the series and the number in it, so that no number is there twice.
    """

    id: TaskId
    date: date
    schedule: TaskSchedule
    repeats: Recurrence | None


def next_task(task: Task, repeats: Recurrence, at: Today) -> NextTask | None:
    """Return the task that follows *task* in its series; None if no other day follows.

    :raises TimeOutOfRange: one of its dates would be after the year 9999.
    """
    rule = repeat_rule(repeats.rrule)
    day = _due_day(task, repeats, rule, at)
    if day is None:
        return None
    number = repeats.number + 1
    later = replace(
        repeats,
        number=number,
        day=day,
        next_date=None,
        next_at=None,
        skipped_date=None,
        skipped_because=None,
    )
    return NextTask(
        id=TaskId(uuid5(repeats.series_id, str(number))),
        date=day,
        schedule=_schedule(task, repeats, day, at),
        repeats=_going_on(later, rule, at),
    )


def skip(task: Task, because: str, at: Today) -> list[TaskOccurrenceSkipped]:
    """Return the events after which the next day of the series follows without a task for this."""
    repeats = task.repeats
    if repeats is None:
        return []
    rule = repeat_rule(repeats.rrule)
    day = _due_day(task, repeats, rule, at) or at.day
    coming = rule.first_after(max(day, at.day), repeats.day)
    to = None
    if coming is not None:
        to = replace(
            repeats,
            next_date=coming,
            next_at=beginning_of(coming, at.zone),
            skipped_date=day,
            skipped_because=because,
        )
    return [TaskOccurrenceSkipped(date=day, because=because, to=to)]


def rule_of_rest(text: str, number: int) -> str:
    """Return the rule of a new series that has as many tasks as are left of another.

    Of a rule with a count, that is the task with this number, and those that follow.
    """
    rule = repeat_rule(text)
    return text if rule.count is None else str(replace(rule, count=rule.count - number + 1))


# Arithmetic -----------------------------------------------------------------


def _going_on(repeats: Recurrence, rule: RepeatRule, at: Today) -> Recurrence | None:
    """Return how a task repeats with the day that follows; None if none does."""
    if rule.count is not None and repeats.number >= rule.count:
        return None
    coming = rule.first_after(max(repeats.day, at.day), repeats.day)
    if coming is None:
        return None
    if repeats.after is RepeatAfter.COMPLETION:
        return repeats
    return replace(repeats, next_date=coming, next_at=beginning_of(coming, at.zone))


def _due_day(task: Task, repeats: Recurrence, rule: RepeatRule, at: Today) -> date | None:
    """Return the day of the task that is due: the last one that has come, or the one planned."""
    if repeats.after is RepeatAfter.SCHEDULE:
        return rule.last_until(at.day, repeats.day) or repeats.next_date
    done_on = at.day
    if task.completed_at is not None:
        done_on = task.completed_at.astimezone(at.zone).date()
    return rule.first_after(done_on, done_on)


def _anchor(task: Task, at: Today) -> date | None:
    """Return the day that an occurrence is for the dates of a task: its start, or when it is due.

    Its other dates keep their distance from it.
    """
    if task.start_date is not None:
        return task.start_date
    if task.due_at is None:
        return task.due_date
    try:
        return task.due_at.astimezone(at.zone).date()
    except OverflowError:  # there, it is another year than there are
        return task.due_at.date()


def _schedule(task: Task, repeats: Recurrence, day: date, at: Today) -> TaskSchedule:
    """Return the dates of a task moved to *day*; a time of day stays what it is on the clock.

    :raises TimeOutOfRange: one of them would be after the year 9999.
    """
    anchor = _anchor(task, at)
    if anchor is None:
        # Whoever waits for the last one to be finished must be told when this one is due.
        due = day if repeats.after is RepeatAfter.COMPLETION else None
        return TaskSchedule(due_date=due)
    try:
        return _later(task, day - anchor, at.zone)
    except OverflowError:
        raise TimeOutOfRange from None


def _later(task: Task, by: timedelta, zone: tzinfo) -> TaskSchedule:
    due_at = None
    if task.due_at is not None:
        # Within one zone, Python adds days to what the clock says (PEP 495).
        due_at = (task.due_at.astimezone(zone) + by).astimezone(UTC)
    return TaskSchedule(
        start_date=None if task.start_date is None else task.start_date + by,
        due_date=None if task.due_date is None else task.due_date + by,
        due_at=due_at,
    )
