"""Labels as their readers see them: one document per label."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.base import LabelId, OrgId, ProjectId, UserId
from domain.name import folded
from domain.work.label import Label, LabelEvent
from eventstore.recorded import Recorded
from projections.base import AggregateProjection, View, tags_of, text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index, Kind, Value

_encode = msgspec.json.Encoder().encode


class LabelView(View, frozen=True, kw_only=True):
    """A label as the API shows it; without a project it is the whole organization's."""

    id: LabelId
    name: str
    color: str
    project_id: ProjectId | None
    created_by: UserId | None
    created_at: datetime | None
    updated_at: datetime
    deleted_at: datetime | None
    version: int


def render_label(label_id: UUID, label: Label, version: int, updated_at: datetime) -> bytes:
    """Return the JSON of *label*, the same after a command as in a later GET."""
    view = LabelView(
        id=LabelId(label_id),
        name=label.name,
        color=label.color,
        project_id=label.project_id,
        created_by=label.created_by,
        created_at=label.created_at,
        updated_at=updated_at,
        deleted_at=updated_at if label.deleted else None,
        version=version,
    )
    return _encode(view)


class Labels(AggregateProjection[Label]):
    """Labels of the organization, or of a project, in the order of their names."""

    name = "labels"
    version = 3
    tags = tags_of(LabelEvent)
    state = Label
    more: ClassVar[Mapping[str, Kind]] = {"order": Kind.TEXT}
    indexes = (Index(("org", "project_id", "deleted"), "order"),)

    def render(self, key: str, state: Label, recorded: Recorded) -> bytes:
        return render_label(recorded.stream_id, state, recorded.version, recorded.at)

    def fields(self, state: Label) -> Mapping[str, Value]:
        # Names in the trash need not be unique, but lists do not show them.
        return {"order": folded(state.name)}


async def labels_of(
    models: ReadModels,
    org_id: OrgId,
    project_id: ProjectId | None = None,
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
) -> ListSlice:
    """Return labels of a project, or the organization's, with names above *after*."""
    where: dict[str, Value] = {
        "org": text_of(org_id),
        "project_id": None if project_id is None else text_of(project_id),
        "deleted": False,
    }
    query = Query(model="labels", where=where, sort="order", limit=limit, above=after)
    return await models.page(query)
