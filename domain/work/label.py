"""Label: a coloured name for tasks, of the whole organization or of one project.

Invariants
    1. Its name is unique where it belongs, whatever the case of its letters; the append claims it
       (``commands/label_claims.py``).
    2. Where it belongs never changes, so that a task that has it may have it.
    3. A deleted label can only be restored; tasks keep it meanwhile, and get no new one.
    4. Setting a field to the value it has records no event.
"""

from datetime import datetime
from typing import ClassVar, assert_never, get_args

from msgspec import Struct, field
from msgspec.structs import replace

from domain.base import ERASED, DomainError, Event, NotFound, Personal, ProjectId, Refusal, UserId

COLOR_PATTERN = r"^#[0-9a-fA-F]{6}$"
"""Red, green and blue in hexadecimal, as in CSS Color 4, section 5.2."""


# Events ---------------------------------------------------------------------


class LabelCreated(Event, frozen=True, kw_only=True, tag="label.created"):
    """A label was created for the tasks of a project or, without one, of the organization."""

    name: Personal
    color: str
    project_id: ProjectId | None = None
    created_by: UserId
    created_at: datetime


class LabelRenamed(Event, frozen=True, kw_only=True, tag="label.renamed"):
    """A label was renamed."""

    sets = ("name",)
    from_: Personal = field(name="from")
    to: Personal


class LabelRecolored(Event, frozen=True, kw_only=True, tag="label.recolored"):
    """The colour of a label changed."""

    sets = ("color",)
    from_: str = field(name="from")
    to: str


class LabelDeleted(Event, frozen=True, kw_only=True, omit_defaults=True, tag="label.deleted"):
    """A label was moved to the trash, from which it can be restored."""

    sets = ("deleted",)
    hidden = ("projectId", "owner")
    project_id: ProjectId | None = None
    owner: UserId | None = None


class LabelRestored(Event, frozen=True, kw_only=True, tag="label.restored"):
    """A label was restored from the trash, unchanged."""

    sets = ("deleted",)


class LabelPurged(Event, frozen=True, kw_only=True, tag="label.purged"):
    """The name of a label is gone for good; tasks that had it keep its id."""

    sets = ("name", "deleted", "purged")


LabelEvent = (
    LabelCreated | LabelRenamed | LabelRecolored | LabelDeleted | LabelRestored | LabelPurged
)


# State ----------------------------------------------------------------------


class Label(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about a label, and the fields of its view."""

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(LabelEvent)

    name: str = ""
    color: str = ""
    project_id: ProjectId | None = None
    created_by: UserId | None = None
    created_at: datetime | None = None
    deleted: bool = False
    purged: bool = False

    def evolve(self, event: LabelEvent) -> "Label":
        match event:
            case LabelCreated():
                return Label(
                    name=event.name,
                    color=event.color,
                    project_id=event.project_id,
                    created_by=event.created_by,
                    created_at=event.created_at,
                )
            case LabelRenamed():
                return replace(self, name=event.to)
            case LabelRecolored():
                return replace(self, color=event.to)
            case LabelDeleted():
                return replace(self, deleted=True)
            case LabelRestored():
                return replace(self, deleted=False)
            case LabelPurged():
                return replace(self, name=ERASED, deleted=True, purged=True)
            case _:
                assert_never(event)

    @property
    def created(self) -> bool:
        return self.created_at is not None

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def create(self, created: LabelCreated) -> list[LabelEvent]:
        """Create the label; a repeated call is a retry and records nothing."""
        return [] if self.created else [created]

    def rename(self, name: str) -> list[LabelEvent]:
        self.refuse_unless_here()
        return [] if name == self.name else [LabelRenamed(from_=self.name, to=name)]

    def recolor(self, color: str) -> list[LabelEvent]:
        self.refuse_unless_here()
        return [] if color == self.color else [LabelRecolored(from_=self.color, to=color)]

    def delete(self) -> list[LabelEvent]:
        self.refuse_unless_here()
        return [LabelDeleted(project_id=self.project_id, owner=self.created_by)]

    def restore(self) -> list[LabelEvent]:
        if not self.created or self.purged:
            raise NotFound
        return [LabelRestored()] if self.deleted else []

    def refuse_unless_here(self) -> None:
        """Raise NotFound if the label was never created or is in the trash."""
        if not self.created or self.deleted:
            raise NotFound


# Errors ---------------------------------------------------------------------


class LabelNameTaken(DomainError):
    """Another label has this name. Choose a different one."""

    code = "label_name_taken"
    refusal = Refusal.CONFLICT
