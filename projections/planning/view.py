"""Saved views as their readers see them: one document per view."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType

from domain.base import OrgId, ProjectId, UserId, ViewId
from domain.name import folded
from domain.planning.criteria import (
    LONE_FILTERS,
    NamedAssignee,
    NamedCycle,
    NamedGroup,
    NamedLabel,
    NamedPerson,
    NamedPriority,
    NamedThing,
)
from domain.planning.view import SavedView, ViewEvent
from eventstore.recorded import Recorded
from projections.base import AggregateProjection, View, tags_of, text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index, Kind, Value

_encode = msgspec.json.Encoder().encode


class ViewCriteria(Struct, frozen=True, kw_only=True):
    """Which tasks a view shows: the filters of a list of tasks, those that it has."""

    status: list[str] | UnsetType = UNSET
    group: list[NamedGroup] | UnsetType = UNSET
    priority: list[NamedPriority] | UnsetType = UNSET
    assignee: list[NamedAssignee] | UnsetType = UNSET
    label: list[NamedLabel] | UnsetType = UNSET
    parent: list[NamedThing] | UnsetType = UNSET
    creator: list[NamedPerson] | UnsetType = UNSET
    watcher: list[NamedPerson] | UnsetType = UNSET
    cycle: list[NamedCycle] | UnsetType = UNSET
    milestone: list[NamedThing] | UnsetType = UNSET
    field: list[str] | UnsetType = UNSET
    due: str | UnsetType = UNSET
    created: str | UnsetType = UNSET
    updated: str | UnsetType = UNSET
    completed: str | UnsetType = UNSET
    overdue: bool | UnsetType = UNSET
    blocked: bool | UnsetType = UNSET


class SavedViewView(View, frozen=True, kw_only=True):
    """A saved view as the API shows it; without a project it shows tasks of all projects.

    `columns` are what a list of its tasks is to show; none leaves that to the client.
    """

    id: ViewId
    name: str
    shared: bool
    project_id: ProjectId | None
    filter: ViewCriteria
    sort: str
    columns: list[str]
    created_by: UserId | None
    created_at: datetime | None
    updated_at: datetime
    deleted_at: datetime | None
    version: int


def render_view(view_id: UUID, saved: SavedView, version: int, updated_at: datetime) -> bytes:
    """Return the JSON of *saved*, the same after a command as in a later GET."""
    view = SavedViewView(
        id=ViewId(view_id),
        name=saved.name,
        shared=saved.shared,
        project_id=saved.project_id,
        filter=criteria_of(saved),
        sort=saved.sort,
        columns=[*saved.columns],
        created_by=saved.created_by,
        created_at=saved.created_at,
        updated_at=updated_at,
        deleted_at=updated_at if saved.deleted else None,
        version=version,
    )
    return _encode(view)


def criteria_of(saved: SavedView) -> ViewCriteria:
    """Return which tasks a view shows, as readers see it."""
    told: dict[str, Any] = {}
    for name, _, value in (each.partition(":") for each in saved.criteria):
        if name in LONE_FILTERS:
            told[name] = value
        else:
            told.setdefault(name, []).append(value)
    if saved.values:
        told["field"] = [*saved.values]
    return msgspec.convert(told, ViewCriteria, strict=False)


class Views(AggregateProjection[SavedView]):
    """Saved views in the order of their names, by where they belong and who has them."""

    name = "views"
    version = 3
    tags = tags_of(ViewEvent)
    state = SavedView
    more: ClassVar[Mapping[str, Kind]] = {"audience": Kind.TEXT, "order": Kind.TEXT}
    indexes: ClassVar[Sequence[Index]] = (
        Index(("org", "audience", "deleted"), "order"),
        Index(("org", "project_id", "deleted"), "id"),
    )

    def render(self, key: str, state: SavedView, recorded: Recorded) -> bytes:
        return render_view(recorded.stream_id, state, recorded.version, recorded.at)

    def fields(self, state: SavedView) -> Mapping[str, Value]:
        owner = None if state.shared else state.created_by
        # Names are unique among shared views and among private ones; those in the trash need not
        # be, but lists do not show them.
        return {
            "audience": _audience(state.project_id, owner),
            "order": f"{folded(state.name)}!{int(state.shared)}",
        }


def _audience(project_id: UUID | None, owner: UUID | None) -> str:
    """Return who has a view and where: everybody, unless it has an *owner* who keeps it private."""
    place = "organization" if project_id is None else text_of(project_id)
    return f"{place}:{'everybody' if owner is None else text_of(owner)}"


async def views_of(  # noqa: PLR0913, PLR0917 - whose views, of what, and the page
    models: ReadModels,
    org_id: OrgId,
    user_id: UserId,
    project_id: ProjectId | None = None,
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
) -> ListSlice:
    """Return the views that somebody has of a project, or of all, behind the sort key *after*."""
    audiences = [_audience(project_id, None), _audience(project_id, user_id)]
    query = Query(
        model="views",
        where={"org": text_of(org_id), "deleted": False},
        either=("audience", audiences),
        sort="order",
        limit=limit,
        above=after,
    )
    return await models.page(query)
