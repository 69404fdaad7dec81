"""The trash: one document for each thing that was deleted by itself, not restored, nor purged.

What a deletion hides with it has none. A document holds no content: whoever lists the trash reads
names where they are kept, and what they may see is checked against the states of today.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.base import Event, OrgId, ProjectId, TaskId, UserId
from domain.hooks.webhook.events import WebhookDeleted, WebhookPurged, WebhookRestored
from domain.planning.cycle import CycleDeleted, CyclePurged, CycleRestored
from domain.planning.field import FieldDeleted, FieldPurged, FieldRestored
from domain.planning.milestone import MilestoneDeleted, MilestonePurged, MilestoneRestored
from domain.planning.template.events import TemplateDeleted, TemplatePurged, TemplateRestored
from domain.planning.view import ViewDeleted, ViewPurged, ViewRestored
from domain.planning.worklog import WorklogDeleted, WorklogPurged, WorklogRestored
from domain.work.attachment import AttachmentDeleted, AttachmentPurged, AttachmentRestored
from domain.work.comment import CommentDeleted, CommentPurged, CommentRestored
from domain.work.label import LabelDeleted, LabelPurged, LabelRestored
from domain.work.project.events import ProjectDeleted, ProjectPurged, ProjectRestored
from domain.work.task.events import TaskDeleted, TaskMoved, TaskRestored
from domain.work.task.trash_events import TaskPurged
from domain.work.team import TeamDeleted, TeamPurged, TeamRestored
from domain.work.trash import TrashKind
from eventstore.recorded import Recorded
from projections.base import Projection, View, exact_time, tags_of, text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index, Value

_encode = msgspec.json.Encoder().encode


_DELETIONS: dict[type[Event], TrashKind] = {
    ProjectDeleted: TrashKind.PROJECT,
    TaskDeleted: TrashKind.TASK,
    CommentDeleted: TrashKind.COMMENT,
    AttachmentDeleted: TrashKind.ATTACHMENT,
    LabelDeleted: TrashKind.LABEL,
    TeamDeleted: TrashKind.TEAM,
    WebhookDeleted: TrashKind.WEBHOOK,
    CycleDeleted: TrashKind.CYCLE,
    MilestoneDeleted: TrashKind.MILESTONE,
    FieldDeleted: TrashKind.FIELD,
    ViewDeleted: TrashKind.VIEW,
    WorklogDeleted: TrashKind.WORKLOG,
    TemplateDeleted: TrashKind.TEMPLATE,
}
_ENDS = (
    ProjectRestored,
    TaskRestored,
    CommentRestored,
    AttachmentRestored,
    LabelRestored,
    TeamRestored,
    WebhookRestored,
    CycleRestored,
    MilestoneRestored,
    FieldRestored,
    ViewRestored,
    WorklogRestored,
    TemplateRestored,
    ProjectPurged,
    TaskPurged,
    CommentPurged,
    AttachmentPurged,
    LabelPurged,
    TeamPurged,
    WebhookPurged,
    CyclePurged,
    MilestonePurged,
    FieldPurged,
    ViewPurged,
    WorklogPurged,
    TemplatePurged,
)


class TrashedThing(View, frozen=True, kw_only=True):
    """A deletion as the read model keeps it."""

    kind: TrashKind
    id: UUID
    project_id: ProjectId | None
    task_id: TaskId | None
    deleted_at: datetime
    deleted_by: UUID
    deletion: UUID


class InTrash(Struct, frozen=True, kw_only=True):
    """Where a thing stands in the trash, unless it is out of it again (``deleted`` is false)."""

    kind: TrashKind = TrashKind.TASK
    thing: UUID
    project_id: str = ""
    """Empty without one, so that a list can leave projects out."""
    task_id: TaskId | None = None
    owner: UserId | None = None
    deleted_at: datetime | None = None
    deleted_by: UUID | None = None
    deletion: UUID | None = None
    """The event by which it was deleted."""
    gone: str | None = None
    """The sort key: when it was deleted, and its id."""
    deleted: bool = False


class Trash(Projection[InTrash]):
    """Deletions of an organization, the newest first: all, of a kind, in a project, of a person."""

    name = "trash"
    version = 5
    tags = tags_of(*_DELETIONS, *_ENDS, TaskMoved)
    state = InTrash
    indexes = (
        Index(("org", "deleted"), "gone"),
        Index(("org", "deleted", "kind"), "gone"),
        Index(("org", "deleted", "project_id"), "gone"),
        Index(("org", "deleted", "owner"), "gone"),
    )

    def fold(self, key: str, state: InTrash | None, recorded: Recorded) -> InTrash:
        event: Any = recorded.event  # each kind has its own fields
        before = state or InTrash(thing=recorded.stream_id)
        if isinstance(event, TaskMoved):
            return replace(before, project_id=text_of(event.project_id))
        kind = _DELETIONS.get(type(recorded.event))
        if kind is None:
            return InTrash(thing=recorded.stream_id)
        project_id = getattr(event, "project_id", None)
        if kind is TrashKind.PROJECT:
            project_id = recorded.stream_id
        return InTrash(
            kind=kind,
            thing=recorded.stream_id,
            project_id="" if project_id is None else text_of(project_id),
            task_id=getattr(event, "task_id", None),
            owner=getattr(event, "owner", None),
            deleted_at=recorded.at,
            deleted_by=recorded.metadata.on_behalf_of or recorded.metadata.actor.id,
            deletion=recorded.id,
            gone=f"{exact_time(recorded.at)}!{recorded.stream_id}",
            deleted=True,
        )

    def render(self, key: str, state: InTrash, recorded: Recorded) -> bytes:
        if not state.deleted:
            return b"null"
        assert state.deleted_at and state.deleted_by and state.deletion  # noqa: S101, PT018 - it is there
        view = TrashedThing(
            kind=state.kind,
            id=state.thing,
            project_id=ProjectId(UUID(state.project_id)) if state.project_id else None,
            task_id=state.task_id,
            deleted_at=state.deleted_at,
            deleted_by=state.deleted_by,
            deletion=state.deletion,
        )
        return _encode(view)


decode_trashed = msgspec.json.Decoder(TrashedThing).decode


class TrashFilter(Struct, frozen=True, kw_only=True):
    """Which deletions to list; None means any."""

    kind: TrashKind | None = None
    project_id: ProjectId | None = None
    owner: UserId | None = None
    among: Sequence[ProjectId] | None = None


async def trash_of(  # noqa: PLR0913, PLR0917 - the list, its filter and its page
    models: ReadModels,
    org_id: OrgId,
    wanted: TrashFilter,
    hidden: frozenset[ProjectId] = frozenset(),
    limit: int = PAGE_DEFAULT,
    below: str | None = None,
) -> ListSlice:
    """Return deletions before *below*, the newest first, without those in *hidden* projects."""
    where: dict[str, Value] = {"org": text_of(org_id), "deleted": True}
    filters: dict[str, Value] = {}
    for field, value in (
        ("project_id", wanted.project_id),
        ("owner", wanted.owner),
        ("kind", wanted.kind),
    ):
        if value is None:
            continue
        # One index answers one of the filters; the others are applied to its rows.
        told = value.value if isinstance(value, TrashKind) else text_of(value)
        narrow = len(where) == 2 and wanted.among is None
        (where if narrow else filters)[field] = told
    query = Query(
        model="trash",
        where=where,
        residual=filters,
        sort="gone",
        descending=True,
        limit=limit,
        below=below,
        keyed=True,
    )
    if wanted.among is not None:
        query = replace(query, either=("project_id", [text_of(each) for each in wanted.among]))
    if hidden:
        query = replace(query, without=("project_id", sorted(text_of(one) for one in hidden)))
    return await models.page(query)


async def oldest_in_trash(
    models: ReadModels, org_id: OrgId, limit: int, above: str | None = None
) -> tuple[list[TrashedThing], str | None]:
    """Return the oldest deletions behind the sort key *above*, and where to go on, if anywhere."""
    query = Query(
        model="trash",
        where={"org": text_of(org_id), "deleted": True},
        sort="gone",
        limit=limit,
        above=above,
    )
    page = await models.page(query)
    return [decode_trashed(item) for item in page.items], page.next_key
