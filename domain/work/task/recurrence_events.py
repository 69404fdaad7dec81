"""How a task repeats, and the events that set it, make the next task, or leave one out.

Of a series of tasks, only the newest repeats. What makes the next one is decided in
``domain/planning/recurrence.py``.
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import Struct, field

from domain.base import Event, TaskId


class RepeatAfter(StrEnum):
    """What the next task waits for. The values are stored, so they never change."""

    SCHEDULE = "schedule"
    COMPLETION = "completion"


class Recurrence(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """How a task repeats: by a rule of RFC 5545, and which task of its series it is.

    ``day`` is the occurrence that this task is, from which intervals are counted. ``next_at`` is
    the beginning of ``next_date``; both are None while the task has yet to be finished.
    ``skipped_because`` is the code of what refused the last task that should have been made.
    """

    rrule: str
    after: RepeatAfter = RepeatAfter.SCHEDULE
    series_id: UUID
    number: int = 1
    day: date
    next_date: date | None = None
    next_at: datetime | None = None
    skipped_date: date | None = None
    skipped_because: str | None = None


class TaskRecurrenceSet(
    Event, frozen=True, kw_only=True, omit_defaults=True, tag="task.recurrence_set"
):
    """How a task repeats was changed, or (null) it no longer does."""

    sets = ("recurrence",)
    from_: Recurrence | None = field(name="from")
    to: Recurrence | None


class TaskRepeated(Event, frozen=True, kw_only=True, tag="task.repeated"):
    """The next task of a series was made. It repeats from now on, in place of this one."""

    sets = ("recurrence",)
    task_id: TaskId
    date: date


class TaskOccurrenceSkipped(
    Event, frozen=True, kw_only=True, omit_defaults=True, tag="task.occurrence_skipped"
):
    """The next task of a series could not be made, for the reason that an error's code names.

    `to` is how the task repeats from now on; null: no other day follows.
    """

    sets = ("recurrence",)
    date: date
    because: str
    to: Recurrence | None


TaskRecurrenceEvent = TaskRecurrenceSet | TaskRepeated | TaskOccurrenceSkipped
"""What happens to a task that repeats."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Recurrence).decode


def text_of_recurrence(recurrence: Recurrence | None) -> str | None:
    """Return the text by which a task keeps how it repeats."""
    return None if recurrence is None else _encode(recurrence).decode()


def recurrence_in(text: str | None) -> Recurrence | None:
    """Return how a task repeats that keeps it as *text*."""
    return None if text is None else _decode(text)
