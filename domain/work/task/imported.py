"""Where an imported task, comment or file came from: what was known there; it orders nothing."""

from datetime import datetime
from typing import Annotated, Protocol

from msgspec import Struct

from domain.base import DomainError, Event, Personal, Refusal
from domain.name import one_line
from domain.work.task.custom_field import TaskFieldSet
from domain.work.task.mentions import TaskMentioned
from domain.work.task.recurrence_events import TaskRecurrenceEvent
from domain.work.task.templated import TaskTemplated

ExternalId = Annotated[str, one_line(200)]
"""What a task is called where it came from; unique among the tasks imported into a project."""


class TaskOrigin(Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """What an imported thing was called where it came from, and by whom it was created there."""

    external_id: str
    occurred_at: datetime | None = None
    author: str | None = None


class MaybeImported(Protocol):
    """A task, comment or file; without an external id it was not imported."""

    @property
    def external_id(self) -> str | None: ...

    @property
    def occurred_at(self) -> datetime | None: ...

    @property
    def author(self) -> str | None: ...


def imported_from(thing: MaybeImported) -> TaskOrigin | None:
    """Return where something was imported from; None if it was made here."""
    if thing.external_id is None:
        return None
    return TaskOrigin(
        external_id=thing.external_id, occurred_at=thing.occurred_at, author=thing.author
    )


class TaskImported(Event, frozen=True, kw_only=True, omit_defaults=True, tag="task.imported"):
    """A task that was just created came from elsewhere, where it has this id.

    `occurredAt` and `author` tell when and by whom it was created there.
    """

    sets = ("external_id", "occurred_at", "author")
    external_id: Personal
    occurred_at: datetime | None = None
    author: Personal | None = None


TaskDetailEvent = TaskFieldSet | TaskImported | TaskMentioned | TaskRecurrenceEvent | TaskTemplated
"""What only some tasks have."""


class UnknownPerson(DomainError):
    """No member of the organization has this address. Map it to the address of one."""

    code = "unknown_person"
    refusal = Refusal.INVALID


class UnknownParent(DomainError):
    """Neither the project nor the file has a task with the id that `parent` names."""

    code = "unknown_parent"
    refusal = Refusal.INVALID


class UnknownTask(DomainError):
    """Neither the project nor the file has a task with the id that `task` names."""

    code = "unknown_task"
    refusal = Refusal.INVALID


class UnknownCycle(DomainError):
    """The project has no cycle with this name. Create it first."""

    code = "unknown_cycle"
    refusal = Refusal.INVALID


class UnknownMilestone(DomainError):
    """The project has no milestone with this name. Create it first."""

    code = "unknown_milestone"
    refusal = Refusal.INVALID


class DuplicateId(DomainError):
    """Another line of the file has the same id."""

    code = "duplicate_id"
    refusal = Refusal.CONFLICT


class AlreadyImported(DomainError):
    """The project has a task, or the task a comment or file, with this external id already."""

    code = "already_imported"
    refusal = Refusal.CONFLICT
