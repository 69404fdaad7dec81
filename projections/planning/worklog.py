"""Logged time as its readers see it: one document per entry."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.base import OrgId, TaskId, UserId, WorklogId
from domain.planning.worklog import Worklog, WorklogEvent
from domain.work.task.imported import TaskOrigin
from eventstore.recorded import Recorded
from projections.base import AggregateProjection, Document, View, tags_of, text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index, Kind, Value

_encode = msgspec.json.Encoder().encode


class WorklogView(View, frozen=True, kw_only=True):
    """Time that somebody spent on a task; ``userId`` is whose it is, ``createdBy`` who logged it.

    ``date`` is the day on which it was spent. An imported entry of somebody who is no member is
    nobody's; ``imported`` has whose it was.
    """

    id: WorklogId
    task_id: TaskId | None
    user_id: UserId | None
    minutes: int
    date: date | None
    note: str | None
    created_by: UserId | None
    created_at: datetime | None
    imported: TaskOrigin | None
    updated_at: datetime
    deleted_at: datetime | None
    version: int


def render_worklog(worklog_id: UUID, worklog: Worklog, version: int, updated_at: datetime) -> bytes:
    """Return the JSON of an entry, the same after a command as in a later GET."""
    view = WorklogView(
        id=WorklogId(worklog_id),
        task_id=worklog.task_id,
        user_id=worklog.user_id,
        minutes=worklog.minutes,
        date=worklog.day,
        note=worklog.note,
        created_by=worklog.created_by,
        created_at=worklog.created_at,
        imported=worklog.origin,
        updated_at=updated_at,
        deleted_at=updated_at if worklog.deleted else None,
        version=version,
    )
    return _encode(view)


class Worklogs(AggregateProjection[Worklog]):
    """Entries of time by the day on which it was spent: all, of a person, of a task.

    ``spent`` is that day, and the id behind it, so that it is unique and grows with time.
    """

    name = "worklogs"
    version = 2
    since = 2  # entries did not show where they were imported from
    tags = tags_of(WorklogEvent)
    state = Worklog
    more: ClassVar[Mapping[str, Kind]] = {"spent": Kind.TEXT}
    indexes = (
        Index(("org", "deleted"), "spent"),
        Index(("org", "deleted", "user_id"), "spent"),
        Index(("org", "task_id", "deleted"), "spent"),
    )

    def render(self, key: str, state: Worklog, recorded: Recorded) -> bytes:
        return render_worklog(recorded.stream_id, state, recorded.version, recorded.at)

    def document(self, key: str, state: Worklog, recorded: Recorded) -> Document:
        """Return the document; its id is not part of the state, but of what lists sort by."""
        document = super().document(key, state, recorded)
        document.fields["spent"] = f"{state.day}!{text_of(recorded.stream_id)}"
        return document


async def worklogs_of(
    models: ReadModels,
    org_id: OrgId,
    task_id: TaskId,
    limit: int = PAGE_DEFAULT,
    before: str | None = None,
) -> ListSlice:
    """Return entries of a task before the sort key *before*, the latest day first."""
    where: dict[str, Value] = {
        "org": text_of(org_id),
        "task_id": text_of(task_id),
        "deleted": False,
    }
    query = Query(
        model="worklogs", where=where, sort="spent", descending=True, limit=limit, below=before
    )
    return await models.page(query)
