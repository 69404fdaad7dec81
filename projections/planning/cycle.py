"""Cycles as their readers see them: one document per cycle."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.base import CycleId, OrgId, ProjectId, UserId
from domain.planning.cycle import Cycle, CycleEvent
from eventstore.recorded import Recorded
from projections.base import AggregateProjection, View, tags_of, text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index

_encode = msgspec.json.Encoder().encode


class CycleView(View, frozen=True, kw_only=True):
    """A cycle as its document shows it."""

    id: CycleId
    project_id: ProjectId | None
    name: str
    starts_on: date
    ends_on: date
    created_by: UserId | None
    created_at: datetime | None
    updated_at: datetime
    deleted_at: datetime | None
    version: int


class _Days(Struct, frozen=True, rename="camel"):
    """Which cycle it is, and when it ends."""

    id: CycleId
    ends_on: date


_decode = msgspec.json.Decoder(list[_Days]).decode


def render_cycle(cycle_id: UUID, cycle: Cycle, version: int, updated_at: datetime) -> bytes:
    """Return the JSON of *cycle*, the same after a command as in a later GET."""
    view = CycleView(
        id=CycleId(cycle_id),
        project_id=cycle.project_id,
        name=cycle.name,
        starts_on=cycle.starts_on,
        ends_on=cycle.ends_on,
        created_by=cycle.created_by,
        created_at=cycle.created_at,
        updated_at=updated_at,
        deleted_at=updated_at if cycle.deleted else None,
        version=version,
    )
    return _encode(view)


class Cycles(AggregateProjection[Cycle]):
    """Cycles of a project, in the order of their days, which no two share."""

    name = "cycles"
    version = 3
    tags = tags_of(CycleEvent)
    state = Cycle
    indexes = (Index(("org", "project_id", "deleted"), "starts_on"),)

    def render(self, key: str, state: Cycle, recorded: Recorded) -> bytes:
        return render_cycle(recorded.stream_id, state, recorded.version, recorded.at)


async def cycles_of(
    models: ReadModels,
    org_id: OrgId,
    project_id: ProjectId,
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
) -> ListSlice:
    """Return cycles of a project that begin after the day *after*."""
    query = Query(
        model="cycles",
        where={"org": text_of(org_id), "project_id": text_of(project_id), "deleted": False},
        sort="starts_on",
        limit=limit,
        above=after,
    )
    return await models.page(query)


async def cycles_on(
    models: ReadModels, org_id: OrgId, projects: Collection[ProjectId], day: date
) -> list[CycleId]:
    """Return the cycles of *projects* that run on *day*: of each, one at most."""
    begun = [
        Query(
            model="cycles",
            where={"org": text_of(org_id), "project_id": text_of(each), "deleted": False},
            sort="starts_on",
            descending=True,
            limit=1,
            below=str(day + timedelta(days=1)),
        )
        for each in projects
    ]
    found = await models.pages(*begun)
    latest = _decode(b"[%b]" % b",".join([page.json for page in found if page.size]))
    return [each.id for each in latest if each.ends_on >= day]
