"""Cycle: some weeks in which a project wants to finish certain tasks.

Invariants
    1. It begins no later than it ends, and lasts at most ``CYCLE_DAYS_MAX`` days.
    2. No two cycles of a project that are not in the trash share a day, and none share a name,
       whatever the case of its letters; the append claims both (``commands/claims/planning.py``).
    3. A deleted cycle can only be restored; tasks stay in it meanwhile, and no other gets into it.
    4. Setting something to the value it has records no event.
"""

from datetime import date, datetime, timedelta
from typing import ClassVar, assert_never, get_args

from msgspec import Struct, field
from msgspec.structs import replace

from domain.base import ERASED, DomainError, Event, NotFound, Personal, ProjectId, Refusal, UserId

CYCLE_DAYS_MAX = 92
"""As many as the longest quarter has: each day is claimed by itself."""


# Events ---------------------------------------------------------------------


class CycleDates(Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """The first and the last day of a cycle."""

    starts_on: date
    ends_on: date

    @property
    def days(self) -> frozenset[date]:
        """All days from the first to the last."""
        count = (self.ends_on - self.starts_on).days + 1
        return frozenset(self.starts_on + timedelta(days=n) for n in range(count))


class CycleCreated(Event, frozen=True, kw_only=True, tag="cycle.created"):
    """A cycle was planned for a project."""

    project_id: ProjectId
    name: Personal
    dates: CycleDates
    created_by: UserId
    created_at: datetime


class CycleRenamed(Event, frozen=True, kw_only=True, tag="cycle.renamed"):
    """A cycle was renamed."""

    sets = ("name",)
    project_id: ProjectId
    from_: Personal = field(name="from")
    to: Personal


class CycleRescheduled(Event, frozen=True, kw_only=True, tag="cycle.rescheduled"):
    """The first or the last day of a cycle changed."""

    project_id: ProjectId
    from_: CycleDates = field(name="from")
    to: CycleDates

    def field_keys(self) -> tuple[str, ...]:
        before, after = self.from_, self.to
        return tuple(
            name
            for name in CycleDates.__struct_fields__
            if getattr(before, name) != getattr(after, name)
        )


class CycleDeleted(Event, frozen=True, kw_only=True, tag="cycle.deleted"):
    """A cycle was moved to the trash, from which it can be restored."""

    sets = ("deleted",)
    project_id: ProjectId


class CycleRestored(Event, frozen=True, kw_only=True, tag="cycle.restored"):
    """A cycle was restored from the trash, unchanged."""

    sets = ("deleted",)
    project_id: ProjectId


class CyclePurged(Event, frozen=True, kw_only=True, tag="cycle.purged"):
    """The name of a cycle is gone for good; which tasks were in it stays known."""

    sets = ("name", "deleted", "purged")
    project_id: ProjectId


CycleEvent = (
    CycleCreated | CycleRenamed | CycleRescheduled | CycleDeleted | CycleRestored | CyclePurged
)


# State ----------------------------------------------------------------------


class Cycle(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about a cycle, and the fields of its view."""

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(CycleEvent)

    project_id: ProjectId | None = None
    name: str = ""
    starts_on: date = date.min
    ends_on: date = date.min
    created_by: UserId | None = None
    created_at: datetime | None = None
    deleted: bool = False
    purged: bool = False

    def evolve(self, event: CycleEvent) -> "Cycle":
        match event:
            case CycleCreated():
                return Cycle(
                    project_id=event.project_id,
                    name=event.name,
                    starts_on=event.dates.starts_on,
                    ends_on=event.dates.ends_on,
                    created_by=event.created_by,
                    created_at=event.created_at,
                )
            case CycleRenamed():
                return replace(self, name=event.to)
            case CycleRescheduled():
                return replace(self, starts_on=event.to.starts_on, ends_on=event.to.ends_on)
            case CycleDeleted():
                return replace(self, deleted=True)
            case CycleRestored():
                return replace(self, deleted=False)
            case CyclePurged():
                return replace(self, name=ERASED, deleted=True, purged=True)
            case _:
                assert_never(event)

    @property
    def dates(self) -> CycleDates:
        """The first and the last day."""
        return CycleDates(starts_on=self.starts_on, ends_on=self.ends_on)

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def create(self, created: CycleCreated) -> list[CycleEvent]:
        """Create the cycle; a repeated call is a retry and records nothing.

        :raises CycleNotValid: it cannot have these dates.
        """
        _refuse_unless_valid(created.dates)
        return [] if self.created_at is not None else [created]

    def rename(self, name: str) -> list[CycleEvent]:
        here = self.refuse_unless_here()
        return (
            [] if name == self.name else [CycleRenamed(project_id=here, from_=self.name, to=name)]
        )

    def reschedule(self, to: CycleDates) -> list[CycleEvent]:
        """Change the first and the last day.

        :raises CycleNotValid: it cannot have these dates.
        """
        here, before = self.refuse_unless_here(), self.dates
        if to == before:
            return []
        _refuse_unless_valid(to)
        return [CycleRescheduled(project_id=here, from_=before, to=to)]

    def delete(self) -> list[CycleEvent]:
        return [CycleDeleted(project_id=self.refuse_unless_here())]

    def restore(self) -> list[CycleEvent]:
        if self.project_id is None or self.purged:
            raise NotFound
        return [CycleRestored(project_id=self.project_id)] if self.deleted else []

    def refuse_unless_here(self) -> ProjectId:
        """Return the project, or raise NotFound if the cycle is missing or in the trash."""
        if self.project_id is None or self.deleted:
            raise NotFound
        return self.project_id


def _refuse_unless_valid(dates: CycleDates) -> None:
    if not 0 <= (dates.ends_on - dates.starts_on).days < CYCLE_DAYS_MAX:
        raise CycleNotValid(starts_on=dates.starts_on, ends_on=dates.ends_on)


# Errors ---------------------------------------------------------------------


class CycleNotValid(DomainError):
    """A cycle ends on the day on which it begins or later, and lasts at most 92 days."""

    code = "cycle_not_valid"
    refusal = Refusal.INVALID


class CyclesOverlap(DomainError):
    """Another cycle of this project has days of this one. Change the dates of one of them."""

    code = "cycles_overlap"
    refusal = Refusal.CONFLICT


class CycleNameTaken(DomainError):
    """Another cycle of this project has this name. Choose a different one."""

    code = "cycle_name_taken"
    refusal = Refusal.CONFLICT
