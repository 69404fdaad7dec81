"""Custom fields as their readers see them: one document per field."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.base import FieldId, OrgId, ProjectId, UserId
from domain.planning.field import Field, FieldEvent
from domain.work.task.custom_field import FieldType
from eventstore.recorded import Recorded
from projections.base import AggregateProjection, View, tags_of, text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index

_encode = msgspec.json.Encoder().encode


class OptionView(View, frozen=True, kw_only=True):
    """An option of a custom field; no task gets one that is retired."""

    key: str
    name: str
    retired: bool


class FieldView(View, frozen=True, kw_only=True):
    """A custom field as the API shows it; only those of the select types have options."""

    id: FieldId
    project_id: ProjectId | None
    key: str
    name: str
    type: FieldType
    options: list[OptionView]
    created_by: UserId | None
    created_at: datetime | None
    updated_at: datetime
    deleted_at: datetime | None
    version: int


def render_field(field_id: UUID, field: Field, version: int, updated_at: datetime) -> bytes:
    """Return the JSON of *field*, the same after a command as in a later GET."""
    view = FieldView(
        id=FieldId(field_id),
        project_id=field.project_id,
        key=field.key,
        name=field.name,
        type=field.kind,
        options=[
            OptionView(key=key, name=name, retired=key in field.retired)
            for key, name in zip(field.options, field.option_names, strict=True)
        ],
        created_by=field.created_by,
        created_at=field.created_at,
        updated_at=updated_at,
        deleted_at=updated_at if field.deleted else None,
        version=version,
    )
    return _encode(view)


class Fields(AggregateProjection[Field]):
    """Custom fields of a project, in the order of their keys."""

    name = "fields"
    version = 3
    tags = tags_of(FieldEvent)
    state = Field
    indexes = (Index(("org", "project_id", "deleted"), "key"),)

    def render(self, key: str, state: Field, recorded: Recorded) -> bytes:
        return render_field(recorded.stream_id, state, recorded.version, recorded.at)


async def custom_fields_of(
    models: ReadModels,
    org_id: OrgId,
    project_id: ProjectId,
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
) -> ListSlice:
    """Return custom fields of a project, with keys above *after*."""
    query = Query(
        model="fields",
        where={"org": text_of(org_id), "project_id": text_of(project_id), "deleted": False},
        sort="key",
        limit=limit,
        above=after,
    )
    return await models.page(query)
