"""Saved view: how somebody looks at tasks, by a name: filters, an order and columns.

Invariants
    1. Without a project it looks at all projects. Where it belongs and whose it is never change.
    2. A private view is there for its owner alone, a shared one for everybody who sees its project.
    3. Its name is unique, whatever the case of its letters: among the shared views of its project
       (or of the organization), or among its owner's private ones there. The append claims it
       (``commands/claims/views.py``).
    4. Only its owner shares it, and makes it private again.
    5. A deleted view can only be restored, and a purged one not even that.
    6. Setting something to the value it has records no event.
"""

from datetime import datetime
from typing import ClassVar, assert_never, get_args

from msgspec import Struct, field
from msgspec.structs import replace

from domain.base import (
    ERASED,
    DomainError,
    Event,
    NotFound,
    Personal,
    ProjectId,
    Refusal,
    UserId,
)
from domain.planning.criteria import (
    NO_CRITERIA,
    Criteria,
    criteria_texts,
    joined_values,
    split_values,
)

NEWEST = "newest"
"""The order of a view that asks for none."""


# Events ---------------------------------------------------------------------


class ViewCreated(Event, frozen=True, kw_only=True, omit_defaults=True, tag="view.created"):
    """Somebody saved a view of the tasks of a project or, without one, of all projects.

    `values` are the values of custom fields that it filters by, joined by commas.
    """

    project_id: ProjectId | None = None
    name: Personal
    shared: bool = False
    criteria: Criteria = NO_CRITERIA
    values: Personal | None = None
    sort: str = NEWEST
    columns: tuple[str, ...] = ()
    created_by: UserId
    created_at: datetime


class ViewRenamed(Event, frozen=True, kw_only=True, tag="view.renamed"):
    """A saved view was renamed."""

    sets = ("name",)
    from_: Personal = field(name="from")
    to: Personal


class ViewShared(Event, frozen=True, kw_only=True, tag="view.shared"):
    """The owner of a private view let everybody use it who sees its project."""

    sets = ("shared",)


class ViewUnshared(Event, frozen=True, kw_only=True, tag="view.unshared"):
    """The owner of a shared view made it private."""

    sets = ("shared",)


class ViewFiltered(Event, frozen=True, kw_only=True, omit_defaults=True, tag="view.filtered"):
    """Which tasks a view shows was changed; `values` are as in `view.created`."""

    sets = ("criteria", "values")
    criteria: Criteria = NO_CRITERIA
    values: Personal | None = None


class ViewSorted(Event, frozen=True, kw_only=True, tag="view.sorted"):
    """The order in which a view shows tasks was changed."""

    sets = ("sort",)
    from_: str = field(name="from")
    to: str


class ViewColumnsChanged(Event, frozen=True, kw_only=True, tag="view.columns_changed"):
    """What a view shows of each task was changed."""

    sets = ("columns",)
    columns: tuple[str, ...]


class ViewDeleted(Event, frozen=True, kw_only=True, omit_defaults=True, tag="view.deleted"):
    """A view was moved to the trash, from which it can be restored."""

    sets = ("deleted",)
    hidden = ("projectId", "owner")
    project_id: ProjectId | None = None
    owner: UserId | None = None


class ViewRestored(Event, frozen=True, kw_only=True, tag="view.restored"):
    """A view was restored from the trash, unchanged."""

    sets = ("deleted",)


class ViewPurged(Event, frozen=True, kw_only=True, tag="view.purged"):
    """The name of a view and the texts that it filters by are gone for good."""

    sets = ("name", "values", "deleted", "purged")


ViewEvent = (
    ViewCreated
    | ViewRenamed
    | ViewShared
    | ViewUnshared
    | ViewFiltered
    | ViewSorted
    | ViewColumnsChanged
    | ViewDeleted
    | ViewRestored
    | ViewPurged
)


# State ----------------------------------------------------------------------


class SavedView(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about a view, and what readers see of it.

    ``criteria`` are texts ``filter:value``, one for each value, so that a read model can keep them.
    """

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(ViewEvent)

    project_id: ProjectId | None = None
    name: str = ""
    shared: bool = False
    criteria: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    sort: str = NEWEST
    columns: tuple[str, ...] = ()
    created_by: UserId | None = None
    created_at: datetime | None = None
    deleted: bool = False
    purged: bool = False

    def evolve(self, event: ViewEvent) -> "SavedView":
        match event:
            case ViewCreated():
                return SavedView(
                    project_id=event.project_id,
                    name=event.name,
                    shared=event.shared,
                    criteria=criteria_texts(event.criteria),
                    values=split_values(event.values),
                    sort=event.sort,
                    columns=event.columns,
                    created_by=event.created_by,
                    created_at=event.created_at,
                )
            case ViewRenamed():
                return replace(self, name=event.to)
            case ViewShared() | ViewUnshared():
                return replace(self, shared=isinstance(event, ViewShared))
            case ViewFiltered():
                return replace(
                    self, criteria=criteria_texts(event.criteria), values=split_values(event.values)
                )
            case ViewSorted():
                return replace(self, sort=event.to)
            case ViewColumnsChanged():
                return replace(self, columns=event.columns)
            case ViewDeleted() | ViewRestored():
                return replace(self, deleted=isinstance(event, ViewDeleted))
            case ViewPurged():
                return replace(self, name=ERASED, values=(), deleted=True, purged=True)
            case _:
                assert_never(event)

    def is_there_for(self, user_id: UserId | None) -> bool:
        """Return whether somebody has this view, provided that they see its project."""
        return self.created_by is not None and (self.shared or self.created_by == user_id)

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def create(self, created: ViewCreated) -> list[ViewEvent]:
        """Create the view; a repeated call is a retry and records nothing."""
        return [] if self.created_at is not None else [created]

    def rename(self, name: str) -> list[ViewEvent]:
        self.refuse_unless_here()
        return [] if name == self.name else [ViewRenamed(from_=self.name, to=name)]

    def share(self, *, shared: bool, by: UserId) -> list[ViewEvent]:
        """Share the view or make it private.

        :raises ViewOfAnother: it is not *by* its owner.
        """
        self.refuse_unless_here()
        if shared is self.shared:
            return []
        if by != self.created_by:
            raise ViewOfAnother
        return [ViewShared() if shared else ViewUnshared()]

    def filter_by(self, criteria: Criteria, values: tuple[str, ...]) -> list[ViewEvent]:
        self.refuse_unless_here()
        if (criteria_texts(criteria), values) == (self.criteria, self.values):
            return []
        return [ViewFiltered(criteria=criteria, values=joined_values(values))]

    def sort_by(self, sort: str) -> list[ViewEvent]:
        self.refuse_unless_here()
        return [] if sort == self.sort else [ViewSorted(from_=self.sort, to=sort)]

    def show_columns(self, columns: tuple[str, ...]) -> list[ViewEvent]:
        self.refuse_unless_here()
        return [] if columns == self.columns else [ViewColumnsChanged(columns=columns)]

    def delete(self) -> list[ViewEvent]:
        self.refuse_unless_here()
        return [ViewDeleted(project_id=self.project_id, owner=self.created_by)]

    def restore(self) -> list[ViewEvent]:
        if self.created_at is None or self.purged:
            raise NotFound
        return [ViewRestored()] if self.deleted else []

    def refuse_unless_here(self) -> None:
        """Raise NotFound if the view was never created or is in the trash."""
        if self.created_at is None or self.deleted:
            raise NotFound


# Errors ---------------------------------------------------------------------


class ViewNameTaken(DomainError):
    """Another view that you see here has this name. Choose a different one."""

    code = "view_name_taken"
    refusal = Refusal.CONFLICT


class ViewOfAnother(DomainError):
    """Only the owner of a view shares it or makes it private."""

    code = "view_of_another"
    refusal = Refusal.FORBIDDEN
