"""What happened to a task or a project: one document per event and thing that it is about.

An event about a comment or a file is about its task, one about a custom field about its project,
one about a relation about both tasks, and a move also about both projects. The text of a comment is
left out: it is read at the comment, where a deleted one is gone. Nothing says where a request came
from; that is in the audit log.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.base import Event, OrgId
from domain.planning.field import FieldEvent
from domain.work.attachment import AttachmentEvent
from domain.work.comment import CommentEdited, CommentEvent, CommentPosted
from domain.work.project.events import ProjectEvent
from domain.work.relation import RelationAdded, RelationEvent, RelationRemoved
from domain.work.task.events import TaskCreated, TaskEvent, TaskMoved
from eventstore.event_json import event_data, told_json
from eventstore.recorded import Recorded
from projections.base import Projection, View, tags_of, text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index

_encode = msgspec.json.Encoder().encode


class Happened(Struct, frozen=True, kw_only=True):
    """One event, by its number in the organization, and the thing whose activity it is."""

    about: UUID
    seq: int


class ActivityView(View, frozen=True, kw_only=True):
    """An event as the activity shows it: as in the audit log, without where it came from."""

    id: UUID
    type: str
    version: int
    seq: int
    organization_id: UUID
    stream: dict[str, Any]
    actor: dict[str, Any]
    on_behalf_of: UUID | None = None
    at: datetime
    command: str
    request_id: str | None
    correlation_id: str | None
    causation_id: UUID | None
    data: dict[str, Any]


class Activity(Projection[Happened]):
    """Events by the task or project that they are about, the newest first."""

    name = "activity"
    version = 3
    tags = tags_of(
        TaskEvent, ProjectEvent, CommentEvent, AttachmentEvent, RelationEvent, FieldEvent
    )
    state = Happened
    indexes = (Index(("org", "about"), "seq"),)

    def keys(self, recorded: Recorded) -> Sequence[str]:
        return [
            f"{text_of(recorded.org_id)}:{text_of(thing)}:{recorded.org_seq}"
            for thing in things_of(recorded.event, recorded.stream_id)
        ]

    def fold(self, key: str, state: Happened | None, recorded: Recorded) -> Happened:
        return Happened(about=UUID(key.split(":")[1]), seq=recorded.org_seq)

    def render(self, key: str, state: Happened, recorded: Recorded) -> bytes:
        data = event_data(recorded.event)
        if isinstance(recorded.event, CommentPosted | CommentEdited):
            del data["body"]
        return _encode(told_json(recorded, recorded.metadata, data, recorded.at))


def things_of(event: Event, stream: UUID) -> tuple[UUID, ...]:
    """Return the tasks and projects whose activity an event in *stream* belongs to."""
    if isinstance(event, TaskCreated):
        return (stream, event.project_id)
    if isinstance(event, TaskMoved):
        return (stream, event.from_project_id, event.project_id)
    if isinstance(event, CommentEvent | AttachmentEvent):
        return (event.task_id,)
    if isinstance(event, RelationAdded | RelationRemoved):
        return (event.from_, event.to)
    if isinstance(event, FieldEvent):
        return (event.project_id,)
    return (stream,)


async def activity_of(
    models: ReadModels,
    org_id: OrgId,
    thing: UUID,
    limit: int = PAGE_DEFAULT,
    below: int | None = None,
) -> ListSlice:
    """Return what happened to a task or a project before *below*, the newest first.

    Its keys are the sequence numbers of the events.
    """
    query = Query(
        model="activity",
        where={"org": text_of(org_id), "about": text_of(thing)},
        sort="seq",
        descending=True,
        limit=limit,
        below=below,
        keyed=True,
    )
    return await models.page(query)
