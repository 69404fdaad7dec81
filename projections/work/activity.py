"""What happened to a task or a project: one document per event and thing that it is about.

An event about a comment or a file is about its task, one about a part of a plan about its project,
one about a relation about both tasks, and a move also about both projects. A cycle and a milestone
have an activity of their own, with the tasks that were put there, and a person with being assigned
and mentioned, which their inbox shows. A document holds no texts: they are read in the log, from
which what is purged is gone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.base import Event, OrgId, UserId
from domain.planning.cycle import CycleEvent
from domain.planning.field import FieldEvent
from domain.planning.milestone import MilestoneEvent
from domain.work.attachment import AttachmentEvent
from domain.work.comment import CommentEdited, CommentEvent, CommentPosted, ReactionAdded
from domain.work.project.events import ProjectEvent
from domain.work.relation import RelationAdded, RelationEvent, RelationRemoved
from domain.work.task.events import TaskAssigned, TaskCreated, TaskEvent, TaskMoved
from domain.work.task.mentions import TaskMentioned
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from eventstore.codec import PERSONAL
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
    version = 9
    tags = tags_of(
        TaskEvent,
        ProjectEvent,
        CommentEvent,
        AttachmentEvent,
        RelationEvent,
        FieldEvent,
        CycleEvent,
        MilestoneEvent,
    )
    state = Happened
    indexes = (Index(("org", "about"), "seq"),)
    patient = True

    def keys(self, recorded: Recorded) -> Sequence[str]:
        return [
            f"{text_of(recorded.org_id)}:{text_of(thing)}:{recorded.org_seq}"
            for thing in things_of(recorded.event, recorded.stream_id)
        ]

    def fold(self, key: str, state: Happened | None, recorded: Recorded) -> Happened:
        return Happened(about=UUID(key.split(":")[1]), seq=recorded.org_seq)

    def render(self, key: str, state: Happened, recorded: Recorded) -> bytes:
        texts = PERSONAL[type(recorded.event)].attributes
        data = {k: v for k, v in event_data(recorded.event).items() if k not in texts}
        return _encode(told_json(recorded, recorded.metadata, data, recorded.at))


def told_of(recorded: Recorded) -> bytes:
    """Return the JSON of an event as the activity shows it.

    The text of a comment is left out: it is read at the comment, where a deleted one is gone.
    Nothing says where a request came from; that is in the audit log.
    """
    data = event_data(recorded.event)
    if isinstance(recorded.event, CommentPosted | CommentEdited):
        del data["body"]
    return _encode(told_json(recorded, recorded.metadata, data, recorded.at))


def things_of(event: Event, stream: UUID) -> tuple[UUID, ...]:
    """Return what an event in *stream* is about: tasks, projects, parts of plans and persons."""
    found: tuple[UUID | None, ...] = (stream,)
    if isinstance(event, TaskCreated | CycleEvent | MilestoneEvent):
        found = (stream, event.project_id)
    elif isinstance(event, TaskMoved):
        found = (stream, event.from_project_id, event.project_id)
    elif isinstance(event, TaskAssigned | TaskMentioned):
        found = (stream, *(event.added if isinstance(event, TaskMentioned) else (event.user_id,)))
    elif isinstance(event, CommentEvent):
        found = (event.task_id, *_concerned_by(event))
    elif isinstance(event, AttachmentEvent):
        found = (event.task_id,)
    elif isinstance(event, RelationAdded | RelationRemoved):
        found = (event.from_, event.to)
    elif isinstance(event, FieldEvent):
        found = (event.project_id,)
    elif isinstance(event, TaskCycleChanged | TaskMilestoneChanged):
        found = (stream, event.from_, event.to)
    return tuple(thing for thing in found if thing is not None)


def _concerned_by(event: CommentEvent) -> tuple[UserId | None, ...]:
    """Return who is told of an event of a comment beside those who watch its task."""
    match event:
        case CommentPosted():
            return event.mentions
        case CommentEdited():
            return event.added
        case ReactionAdded():
            return (event.author,)
        case _:
            return ()


async def activity_of(
    models: ReadModels,
    org_id: OrgId,
    thing: UUID,
    limit: int = PAGE_DEFAULT,
    below: int | None = None,
) -> ListSlice:
    """Return what happened to a thing before *below*, without its texts, the newest first.

    The keys of the page are the sequence numbers of the events.
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
