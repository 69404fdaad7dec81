"""What the stories of tasks that repeat begin with."""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID, uuid5

from msgspec.structs import replace

from commands.planning.recurrence import SetRecurrence
from domain.base import TaskId
from domain.work.task.custom_field import FieldType
from domain.work.task.recurrence_events import (
    Recurrence,
    RepeatAfter,
    TaskRecurrenceSet,
    TaskRepeated,
)
from tests.commands.acme import CREATED, HERE
from tests.domain.spec import DAY, NOW, TASK
from tests.spec import on

SERIES = UUID(int=81)
NEXT = TaskId(uuid5(SERIES, "2"))
TODAY = NOW.date()  # a Sunday
CHOICE = FieldType.SELECT


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


DAILY = Recurrence(
    rrule="FREQ=DAILY",
    series_id=SERIES,
    day=TODAY,
    next_date=TODAY + DAY,
    next_at=midnight(TODAY + DAY),
)
LATER = replace(
    DAILY,
    number=2,
    day=TODAY + DAY,
    next_date=TODAY + 2 * DAY,
    next_at=midnight(TODAY + 2 * DAY),
)
ONCE_DONE = replace(DAILY, after=RepeatAfter.COMPLETION, next_date=None, next_at=None)
SET = TaskRecurrenceSet(from_=None, to=DAILY)
WAITING = TaskRecurrenceSet(from_=DAILY, to=ONCE_DONE)
REPEATING = (*HERE, on(TASK, SET))
TOMORROW: dict[str, Any] = {"now": NOW + DAY}
MADE = replace(CREATED, number=2, created_at=NOW + DAY)
DONE = TaskRepeated(task_id=NEXT, date=TODAY + DAY)
FOLLOWED = (
    on(NEXT, MADE, TaskRecurrenceSet(from_=None, to=LATER)),
    on(TASK, DONE),
)


def asked(rrule: str = "FREQ=DAILY", **about: Any) -> SetRecurrence:
    return SetRecurrence(task_id=TASK, series_id=SERIES, rrule=rrule, **about)
