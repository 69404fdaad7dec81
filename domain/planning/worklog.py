"""Worklog: time that somebody spent on a task, on one day.

Invariants
    1. An entry is of 1 to 1,440 minutes, the length of a day. How much the entries of one person
       and one day come to is not limited: they may have been logged in another time zone.
    2. Its day is at the earliest `FIRST_DAY` and at the latest tomorrow, in the time zone of the
       organization, when it is set.
    3. A deleted entry can only be restored, and a purged one not even that.
    4. Setting what it has records no event.
    5. Each event says what the task gains or loses by it, so that its total needs no other entry.
"""

from datetime import date, datetime, timedelta
from typing import ClassVar, assert_never, get_args

from msgspec import Struct
from msgspec.structs import replace

from domain.base import (
    ERASED,
    DomainError,
    Event,
    NotFound,
    Personal,
    ProjectId,
    Refusal,
    TaskId,
    UserId,
)

MINUTES_MAX = 24 * 60
"""The minutes of one entry at most: those of a day."""
WORKLOGS_MAX = 10_000
"""How many entries a task has at most outside the trash: as many as an issue of Jira."""
FIRST_DAY = date(2000, 1, 1)
"""The first day that time can be logged for; what is before is mistyped."""

# Events ---------------------------------------------------------------------


class WorklogAdded(Event, frozen=True, kw_only=True, tag="worklog.added"):
    """Somebody spent time on a task; `userId` is who, and `createdBy` who says so."""

    task_id: TaskId
    user_id: UserId
    minutes: int
    day: date
    note: Personal | None = None
    created_by: UserId
    created_at: datetime


class WorklogChanged(Event, frozen=True, kw_only=True, tag="worklog.changed"):
    """The time, the day or the note of an entry was changed.

    `by` is how many minutes more it is than before, or less if it is negative.
    """

    sets = ("minutes", "day", "note")
    task_id: TaskId
    minutes: int
    by: int
    day: date
    note: Personal | None = None


class WorklogDeleted(Event, frozen=True, kw_only=True, omit_defaults=True, tag="worklog.deleted"):
    """An entry of `minutes` was moved to the trash, from which it can be restored."""

    sets = ("deleted", "deleted_by")
    hidden = ("projectId", "owner")
    task_id: TaskId
    minutes: int
    deleted_by: UserId
    project_id: ProjectId | None = None
    owner: UserId | None = None


class WorklogRestored(Event, frozen=True, kw_only=True, tag="worklog.restored"):
    """An entry of `minutes` was restored from the trash, unchanged."""

    sets = ("deleted", "deleted_by")
    task_id: TaskId
    minutes: int


class WorklogPurged(Event, frozen=True, kw_only=True, tag="worklog.purged"):
    """The note of an entry is gone for good; whose time it was, and how much, stays known."""

    sets = ("note", "deleted", "purged")
    task_id: TaskId


WorklogEvent = WorklogAdded | WorklogChanged | WorklogDeleted | WorklogRestored | WorklogPurged


# State ----------------------------------------------------------------------


class Worklog(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about an entry, and the fields of its view.

    ``user_id`` is whose time it is, and ``created_by`` who logged it.
    """

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(WorklogEvent)

    task_id: TaskId | None = None
    user_id: UserId | None = None
    minutes: int = 0
    day: date | None = None
    note: str | None = None
    created_by: UserId | None = None
    created_at: datetime | None = None
    deleted: bool = False
    deleted_by: UserId | None = None
    purged: bool = False

    def evolve(self, event: WorklogEvent) -> "Worklog":
        match event:
            case WorklogAdded():
                return Worklog(
                    task_id=event.task_id,
                    user_id=event.user_id,
                    minutes=event.minutes,
                    day=event.day,
                    note=event.note,
                    created_by=event.created_by,
                    created_at=event.created_at,
                )
            case WorklogChanged():
                return replace(self, minutes=event.minutes, day=event.day, note=event.note)
            case WorklogDeleted():
                return replace(self, deleted=True, deleted_by=event.deleted_by)
            case WorklogRestored():
                return replace(self, deleted=False, deleted_by=None)
            case WorklogPurged():
                note = None if self.note is None else ERASED
                return replace(self, note=note, deleted=True, purged=True)
            case _:
                assert_never(event)

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def add(self, added: WorklogAdded) -> list[WorklogEvent]:
        """Log the time; a repeated call is a retry and records nothing."""
        return [] if self.task_id is not None else [added]

    def change(self, minutes: int, day: date, note: str | None) -> list[WorklogEvent]:
        """Change how much time it was, on which day, and what was done."""
        task_id = self.refuse_unless_here()
        if (minutes, day, note) == (self.minutes, self.day, self.note):
            return []
        by = minutes - self.minutes
        return [WorklogChanged(task_id=task_id, minutes=minutes, by=by, day=day, note=note)]

    def delete(self, by: UserId, project_id: ProjectId | None) -> list[WorklogEvent]:
        task_id = self.refuse_unless_here()
        return [
            WorklogDeleted(
                task_id=task_id,
                minutes=self.minutes,
                deleted_by=by,
                project_id=project_id,
                owner=self.user_id,
            )
        ]

    def restore(self) -> list[WorklogEvent]:
        if self.task_id is None or self.purged:
            raise NotFound
        if not self.deleted:
            return []
        return [WorklogRestored(task_id=self.task_id, minutes=self.minutes)]

    def refuse_unless_here(self) -> TaskId:
        """Return the task; raise NotFound if the entry was never logged or is in the trash."""
        if self.task_id is None or self.deleted:
            raise NotFound
        return self.task_id


def refuse_unless_loggable(day: date, today: date) -> None:
    """Refuse a *day* for which no time can be logged *today*.

    :raises DayOutOfRange: it is before `FIRST_DAY` or after tomorrow.
    """
    latest = today + timedelta(days=1)
    if not FIRST_DAY <= day <= latest:
        raise DayOutOfRange(earliest=FIRST_DAY, latest=latest)


# Errors ---------------------------------------------------------------------


class DayOutOfRange(DomainError):
    """Time is logged for a day from `earliest` to `latest`, which is tomorrow."""

    code = "day_out_of_range"
    refusal = Refusal.INVALID


class TooManyWorklogs(DomainError):
    """A task can have at most 10,000 entries of time. Delete some, or log on another task."""

    code = "too_many_worklogs"
    refusal = Refusal.CONFLICT


class TooMuchTime(DomainError):
    """More than `limit` entries would have to be added up. Ask for fewer days or for one person."""

    code = "too_much_time"
    refusal = Refusal.INVALID
