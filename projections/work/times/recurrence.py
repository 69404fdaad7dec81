"""How a task repeats, as its readers see it."""

from datetime import date, datetime

from msgspec import Struct

from domain.work.task.recurrence_events import Recurrence, RepeatAfter


class SkippedDay(Struct, frozen=True, kw_only=True, gc=False):
    """The last day on which no task could be made, and the code of what refused it."""

    date: date
    because: str


class RecurrenceView(Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """How a task repeats: by a rule of RFC 5545, and when the next one is made.

    ``number`` is which task of its series it is. After ``completion``, ``next`` is null until it is
    known.
    """

    rrule: str
    after: RepeatAfter
    number: int
    next: date | None
    next_at: datetime | None
    skipped: SkippedDay | None


def recurrence_view(repeats: Recurrence | None) -> RecurrenceView | None:
    """Return how a task repeats as the API shows it."""
    if repeats is None:
        return None
    skipped = None
    if repeats.skipped_date is not None and repeats.skipped_because is not None:
        skipped = SkippedDay(date=repeats.skipped_date, because=repeats.skipped_because)
    return RecurrenceView(
        rrule=repeats.rrule,
        after=repeats.after,
        number=repeats.number,
        next=repeats.next_date,
        next_at=repeats.next_at,
        skipped=skipped,
    )
