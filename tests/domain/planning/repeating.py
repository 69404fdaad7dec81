"""What the tests of tasks that repeat begin with."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from domain.planning.recurrence import (
    Place,
    Today,
    repeat,
)
from domain.work.task.recurrence_events import (
    Recurrence,
    RepeatAfter,
    TaskRecurrenceSet,
)
from domain.work.task.state import Task
from domain.work.workflow.events import StatusGroup
from tests.commands.acme import CREATED
from tests.domain.spec import NOW

SERIES, OTHER_SERIES = UUID(int=81), UUID(int=82)
BERLIN, CAIRO = ZoneInfo("Europe/Berlin"), ZoneInfo("Africa/Cairo")
SUNDAY = Today(date(2026, 3, 1), UTC)
OPEN = Task().evolve(CREATED)
DONE = replace(OPEN, group=StatusGroup.DONE, completed_at=NOW)


def rule(text: str, after: RepeatAfter = RepeatAfter.SCHEDULE, **about: Any) -> Recurrence:
    """Return how a task repeats since Sunday; *about* overrides."""
    said: dict[str, Any] = {"day": SUNDAY.day} | about
    return Recurrence(rrule=text, after=after, series_id=SERIES, **said)


def planned(text: str, coming: date, **about: Any) -> Recurrence:
    """Return how a task repeats with the day that follows."""
    at = datetime.combine(coming, datetime.min.time(), UTC)
    return rule(text, next_date=coming, next_at=at, **about)


def repeating(recurrence: Recurrence, task: Task = OPEN, **about: Any) -> Task:
    return replace(task, **about).evolve(TaskRecurrenceSet(from_=None, to=recurrence))


def begun(
    text: str, task: Task = OPEN, after: RepeatAfter = RepeatAfter.SCHEDULE, at: Today = SUNDAY
) -> Recurrence:
    """Return how *task* repeats once somebody says so."""
    [event] = repeat(task, text, after, Place(SERIES), at)
    assert event.to is not None
    return event.to


def due(task: Task) -> Recurrence:
    """Return how a task repeats."""
    assert task.repeats is not None
    return task.repeats
