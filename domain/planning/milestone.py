"""Milestone: something that a project wants to reach, perhaps by a certain day.

Invariants
    1. Its name is unique in its project, whatever the case of its letters, while it is not in the
       trash; the append claims it (``commands/claims/planning.py``).
    2. A deleted milestone can only be restored; tasks keep it meanwhile, and no other gets it.
    3. Setting something to the value it has records no event.
"""

from datetime import date, datetime
from typing import ClassVar, assert_never, get_args

from msgspec import Struct, field
from msgspec.structs import replace

from domain.base import ERASED, DomainError, Event, NotFound, Personal, ProjectId, Refusal, UserId

# Events ---------------------------------------------------------------------


class MilestoneCreated(
    Event, frozen=True, kw_only=True, omit_defaults=True, tag="milestone.created"
):
    """A milestone was planned for a project."""

    project_id: ProjectId
    name: Personal
    due_on: date | None = None
    created_by: UserId
    created_at: datetime


class MilestoneRenamed(Event, frozen=True, kw_only=True, tag="milestone.renamed"):
    """A milestone was renamed."""

    sets = ("name",)
    project_id: ProjectId
    from_: Personal = field(name="from")
    to: Personal


class MilestoneDated(Event, frozen=True, kw_only=True, tag="milestone.dated"):
    """The day by which to reach a milestone was changed or (null) removed."""

    sets = ("due_on",)
    project_id: ProjectId
    from_: date | None = field(name="from")
    to: date | None


class MilestoneDeleted(Event, frozen=True, kw_only=True, tag="milestone.deleted"):
    """A milestone was moved to the trash, from which it can be restored."""

    sets = ("deleted",)
    project_id: ProjectId


class MilestoneRestored(Event, frozen=True, kw_only=True, tag="milestone.restored"):
    """A milestone was restored from the trash, unchanged."""

    sets = ("deleted",)
    project_id: ProjectId


class MilestonePurged(Event, frozen=True, kw_only=True, tag="milestone.purged"):
    """The name of a milestone is gone for good; which tasks had it stays known."""

    sets = ("name", "deleted", "purged")
    project_id: ProjectId


MilestoneEvent = (
    MilestoneCreated
    | MilestoneRenamed
    | MilestoneDated
    | MilestoneDeleted
    | MilestoneRestored
    | MilestonePurged
)


# State ----------------------------------------------------------------------


class Milestone(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about a milestone, and the fields of its view."""

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(MilestoneEvent)

    project_id: ProjectId | None = None
    name: str = ""
    due_on: date | None = None
    created_by: UserId | None = None
    created_at: datetime | None = None
    deleted: bool = False
    purged: bool = False

    def evolve(self, event: MilestoneEvent) -> "Milestone":
        match event:
            case MilestoneCreated():
                return Milestone(
                    project_id=event.project_id,
                    name=event.name,
                    due_on=event.due_on,
                    created_by=event.created_by,
                    created_at=event.created_at,
                )
            case MilestoneRenamed():
                return replace(self, name=event.to)
            case MilestoneDated():
                return replace(self, due_on=event.to)
            case MilestoneDeleted():
                return replace(self, deleted=True)
            case MilestoneRestored():
                return replace(self, deleted=False)
            case MilestonePurged():
                return replace(self, name=ERASED, deleted=True, purged=True)
            case _:
                assert_never(event)

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def create(self, created: MilestoneCreated) -> list[MilestoneEvent]:
        """Create the milestone; a repeated call is a retry and records nothing."""
        return [] if self.created_at is not None else [created]

    def rename(self, name: str) -> list[MilestoneEvent]:
        here = self.refuse_unless_here()
        if name == self.name:
            return []
        return [MilestoneRenamed(project_id=here, from_=self.name, to=name)]

    def set_date(self, to: date | None) -> list[MilestoneEvent]:
        here = self.refuse_unless_here()
        return (
            [] if to == self.due_on else [MilestoneDated(project_id=here, from_=self.due_on, to=to)]
        )

    def delete(self) -> list[MilestoneEvent]:
        return [MilestoneDeleted(project_id=self.refuse_unless_here())]

    def restore(self) -> list[MilestoneEvent]:
        if self.project_id is None or self.purged:
            raise NotFound
        return [MilestoneRestored(project_id=self.project_id)] if self.deleted else []

    def refuse_unless_here(self) -> ProjectId:
        """Return the project, or raise NotFound if the milestone is missing or in the trash."""
        if self.project_id is None or self.deleted:
            raise NotFound
        return self.project_id


# Errors ---------------------------------------------------------------------


class MilestoneNameTaken(DomainError):
    """Another milestone of this project has this name. Choose a different one."""

    code = "milestone_name_taken"
    refusal = Refusal.CONFLICT
