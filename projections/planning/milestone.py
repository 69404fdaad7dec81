"""Milestones as their readers see them: one document per milestone."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.base import MilestoneId, OrgId, ProjectId, UserId
from domain.name import folded
from domain.planning.milestone import Milestone, MilestoneEvent
from eventstore.recorded import Recorded
from projections.base import AggregateProjection, View, tags_of, text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index, Kind, Value

_encode = msgspec.json.Encoder().encode


class MilestoneView(View, frozen=True, kw_only=True):
    """A milestone as its document shows it; ``date`` is the day by which to reach it."""

    id: MilestoneId
    project_id: ProjectId | None
    name: str
    date: date | None
    created_by: UserId | None
    created_at: datetime | None
    updated_at: datetime
    deleted_at: datetime | None
    version: int


def render_milestone(
    milestone_id: UUID, milestone: Milestone, version: int, updated_at: datetime
) -> bytes:
    """Return the JSON of *milestone*, the same after a command as in a later GET."""
    view = MilestoneView(
        id=MilestoneId(milestone_id),
        project_id=milestone.project_id,
        name=milestone.name,
        date=milestone.due_on,
        created_by=milestone.created_by,
        created_at=milestone.created_at,
        updated_at=updated_at,
        deleted_at=updated_at if milestone.deleted else None,
        version=version,
    )
    return _encode(view)


class Milestones(AggregateProjection[Milestone]):
    """Milestones of a project, the next one first and those without a day last."""

    name = "milestones"
    version = 3
    tags = tags_of(MilestoneEvent)
    state = Milestone
    more: ClassVar[Mapping[str, Kind]] = {"order": Kind.TEXT}
    indexes = (Index(("org", "project_id", "deleted"), "order"),)

    def render(self, key: str, state: Milestone, recorded: Recorded) -> bytes:
        return render_milestone(recorded.stream_id, state, recorded.version, recorded.at)

    def fields(self, state: Milestone) -> Mapping[str, Value]:
        # Names in the trash need not be unique, but lists do not show them.
        return {"order": f"{state.due_on or date.max}!{folded(state.name)}"}


async def milestones_of(
    models: ReadModels,
    org_id: OrgId,
    project_id: ProjectId,
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
) -> ListSlice:
    """Return milestones of a project behind the sort key *after*."""
    query = Query(
        model="milestones",
        where={"org": text_of(org_id), "project_id": text_of(project_id), "deleted": False},
        sort="order",
        limit=limit,
        above=after,
    )
    return await models.page(query)
