"""Attachments as their readers see them: one document per attachment, without its contents."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.base import AttachmentId, OrgId, TaskId, UserId
from domain.work.attachment import Attachment, AttachmentEvent, ScanState
from domain.work.task.imported import TaskOrigin
from eventstore.recorded import Recorded
from projections.base import AggregateProjection, View, tags_of, text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index, Value

_encode = msgspec.json.Encoder().encode


class AttachmentView(View, frozen=True, kw_only=True):
    """An attachment as the API shows it; ``scanned`` tells whether a scanner has looked at it."""

    id: AttachmentId
    task_id: TaskId | None
    name: str
    type: str
    size: int
    sha256: str
    state: ScanState
    scanned: bool
    created_by: UserId | None
    created_at: datetime | None
    updated_at: datetime
    deleted_at: datetime | None
    imported: TaskOrigin | None
    version: int


def render_attachment(
    attachment_id: UUID, attachment: Attachment, version: int, updated_at: datetime
) -> bytes:
    """Return the JSON of *attachment*, the same after a command as in a later GET."""
    view = AttachmentView(
        id=AttachmentId(attachment_id),
        task_id=attachment.task_id,
        name=attachment.name,
        type=attachment.media_type,
        size=attachment.size,
        sha256=attachment.sha256,
        state=attachment.state,
        scanned=attachment.scanned,
        created_by=attachment.created_by,
        created_at=attachment.created_at,
        updated_at=updated_at,
        deleted_at=updated_at if attachment.deleted else None,
        imported=attachment.origin,
        version=version,
    )
    return _encode(view)


class Attachments(AggregateProjection[Attachment]):
    """Attachments by id, and by task, the oldest first, since their ids grow with time."""

    name = "attachments"
    version = 4
    tags = tags_of(AttachmentEvent)
    state = Attachment
    indexes = (Index(("org", "task_id", "deleted"), "id"),)

    def render(self, key: str, state: Attachment, recorded: Recorded) -> bytes:
        return render_attachment(recorded.stream_id, state, recorded.version, recorded.at)


async def attachments_of(
    models: ReadModels,
    org_id: OrgId,
    task_id: TaskId,
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
) -> ListSlice:
    """Return attachments of a task, oldest first, behind *after*."""
    where: dict[str, Value] = {
        "org": text_of(org_id),
        "task_id": text_of(task_id),
        "deleted": False,
    }
    query = Query(model="attachments", where=where, sort="id", limit=limit, above=after)
    return await models.page(query)
