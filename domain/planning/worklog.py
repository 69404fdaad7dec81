"""Worklog: time that somebody spent on a task, on one day.

Invariants
    1. An entry is of 1 to 1,440 minutes, the length of a day. How much the entries of one person
       and one day come to is not limited: they may have been logged in another time zone.
    2. Its day is at the earliest `FIRST_DAY` and at the latest tomorrow, in the time zone of the
       organization, when it is set.
    3. A deleted entry can only be restored, and a purged one not even that.
    4. Setting what it has records no event.
    5. An imported entry of somebody who is no member here is nobody's; who it was, and when it was
       logged, is data that orders nothing.
    6. Each event says what the task gains or loses by it, so that its total needs no other entry.
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
from domain.work.task.imported import TaskOrigin, imported_from

MINUTES_MAX = 24 * 60
"""The minutes of one entry at most: those of a day."""
WORKLOGS_MAX = 10_000
"""How many entries a task has at most outside the trash: as many as an issue of Jira."""
FIRST_DAY = date(2000, 1, 1)
"""The first day that time can be logged for; what is before is mistyped."""

# Events ---------------------------------------------------------------------


class WorklogAdded(Event, frozen=True, kw_only=True, tag="worklog.added"):
    """Somebody spent time on a task; `userId` is who, and `createdBy` who says so.

    `userId` is null for somebody elsewhere, of whom an import tells.
    """

    task_id: TaskId
    user_id: UserId | None
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

    sets = ("note", "deleted", "purged", "external_id", "occurred_at", "author")
    task_id: TaskId


class WorklogImported(Event, frozen=True, kw_only=True, omit_defaults=True, tag="worklog.imported"):
    """An entry that was just logged came from elsewhere, where it has this id.

    `occurredAt` tells when it was logged there, and `author` whose time it is.
    """

    sets = ("external_id", "occurred_at", "author")
    task_id: TaskId
    external_id: Personal
    occurred_at: datetime | None = None
    author: Personal | None = None


WorklogEvent = (
    WorklogAdded
    | WorklogImported
    | WorklogChanged
    | WorklogDeleted
    | WorklogRestored
    | WorklogPurged
)


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
    external_id: str | None = None
    occurred_at: datetime | None = None
    author: str | None = None

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
            case WorklogImported():
                return replace(
                    self,
                    external_id=event.external_id,
                    occurred_at=event.occurred_at,
                    author=event.author,
                )
            case WorklogChanged():
                return replace(self, minutes=event.minutes, day=event.day, note=event.note)
            case WorklogDeleted():
                return replace(self, deleted=True, deleted_by=event.deleted_by)
            case WorklogRestored():
                return replace(self, deleted=False, deleted_by=None)
            case WorklogPurged():
                return replace(
                    self,
                    note=None if self.note is None else ERASED,
                    deleted=True,
                    purged=True,
                    external_id=None,
                    occurred_at=None,
                    author=None,
                )
            case _:
                assert_never(event)

    @property
    def origin(self) -> TaskOrigin | None:
        """Where the entry was imported from; None if it was logged here."""
        return imported_from(self)

    @property
    def whose(self) -> UserId | None:
        """Who may change it as their own: of nobody's, who imported it."""
        return self.user_id or self.created_by

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
                owner=self.whose,
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
    """At most `entries` are added up at once, to at most `sums`. Ask for fewer days."""

    code = "too_much_time"
    refusal = Refusal.INVALID
