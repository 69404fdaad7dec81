"""What happened to a task or a project: one document per event and thing that it is about.

An event about a comment or a file is about its task, one about a part of a plan about its project,
one about a relation about both tasks, and a move also about both projects. A cycle and a milestone
have an activity of their own, with the tasks that were put there, and a person with being assigned
and mentioned, which their inbox shows. Any other event is about its stream. All that was recorded
for one purpose is found by its correlation id, to be undone. A document holds no texts: they are
read in the log, from which what is purged is gone.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.access import AccessRecord
from domain.audit import AuditTrail
from domain.base import Event, OrgId, UserId
from domain.catalog import PUBLIC_EVENT_TYPES, state_of
from domain.planning.cycle import CycleEvent
from domain.planning.field import FieldEvent
from domain.planning.milestone import MilestoneEvent
from domain.planning.worklog import WorklogAdded, WorklogChanged, WorklogEvent
from domain.redaction import ContentRedacted
from domain.undo import Undo
from domain.work.attachment import AttachmentEvent
from domain.work.comment import CommentEdited, CommentEvent, CommentPosted, ReactionAdded
from domain.work.relation import RelationAdded, RelationRemoved
from domain.work.task.events import TaskAssigned, TaskCreated, TaskMoved
from domain.work.task.mentions import TaskMentioned
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from eventstore.codec import PERSONAL
from eventstore.event_json import event_data, told_json
from eventstore.recorded import Recorded
from projections.base import Projection, View, text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import LIMIT_MAX, ListSlice, Query
from projections.shape import Index

_encode = msgspec.json.Encoder().encode
_MADE_CHARS, _MARK_CHARS = 32, 15
_TELLING = (AccessRecord, AuditTrail, Undo)
"""Kinds of streams that tell of what people did, and change nothing that they see."""


class Happened(Struct, frozen=True, kw_only=True):
    """One event, by its number in the organization, and the thing whose activity it is.

    ``correlation`` is the mark of its correlation id, in one document of each event.
    """

    about: UUID
    seq: int
    correlation: int | None = None


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
    version = 11
    tags = tuple(
        tag for tag, event in PUBLIC_EVENT_TYPES.items() if state_of(event) not in _TELLING
    )
    state = Happened
    indexes = (Index(("org", "about"), "seq"), Index(("org", "correlation"), "seq"))
    patient = True

    def keys(self, recorded: Recorded) -> Sequence[str]:
        return [
            f"{text_of(recorded.org_id)}:{text_of(thing)}:{recorded.org_seq}"
            for thing in things_of(recorded.event, recorded.stream_id)
        ]

    def fold(self, key: str, state: Happened | None, recorded: Recorded) -> Happened:
        about, mark = UUID(key.split(":")[1]), None
        if about == things_of(recorded.event, recorded.stream_id)[0]:
            mark = correlation_mark(recorded.metadata.correlation)
        return Happened(about=about, seq=recorded.org_seq, correlation=mark)

    def render(self, key: str, state: Happened, recorded: Recorded) -> bytes:
        texts = PERSONAL[type(recorded.event)].attributes
        data = {k: v for k, v in event_data(recorded.event).items() if k not in texts}
        return _encode(told_json(recorded, recorded.metadata, data, recorded.at))


def correlation_mark(correlation_id: str | None) -> int | None:
    """Return the number by which events with a correlation id are found, of 60 bits.

    Others may have the same one: whoever finds an event compares what it says. Ids that are made
    here begin with the time, so that the entries of new events are written side by side.
    """
    if correlation_id is None:
        return None
    if len(correlation_id) == _MADE_CHARS:
        with suppress(ValueError):
            return int(correlation_id[:_MARK_CHARS], 16)
    return int(hashlib.sha256(correlation_id.encode()).hexdigest()[:_MARK_CHARS], 16)


def told_of(recorded: Recorded) -> bytes:
    """Return the JSON of an event as the activity shows it.

    The text of a comment is left out: it is read at the comment, where a deleted one is gone. So
    is the note of an entry of time.
    Nothing says where a request came from; that is in the audit log.
    """
    data = event_data(recorded.event)
    if isinstance(recorded.event, CommentPosted | CommentEdited):
        del data["body"]
    elif isinstance(recorded.event, WorklogAdded | WorklogChanged):
        del data["note"]
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
    elif isinstance(event, AttachmentEvent | WorklogEvent):
        found = (event.task_id,)
    elif isinstance(event, ContentRedacted):
        found = (event.task_id or event.project_id or event.of,)
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


async def recorded_under(
    models: ReadModels, org_id: OrgId, correlation_id: str, most: int
) -> list[int]:
    """Return the sequence numbers of events that seem to have a correlation id, in order.

    Of more than *most*, one more than that.
    """
    query = Query(
        model="activity",
        where={"org": text_of(org_id), "correlation": correlation_mark(correlation_id)},
        sort="seq",
        limit=min(most + 1, LIMIT_MAX),
        keyed=True,
    )
    found: list[int] = []
    while len(found) <= most:
        page = await models.page(query)
        found += [int(each) for each in page.keys]
        if page.next_key is None:
            break
        query = replace(query, above=page.next_key)
    return found[: most + 1]


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
