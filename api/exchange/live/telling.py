"""Events as live readers are told them: encoded once, with what decides who is shown each.

An event about something that is deleted by now is told only if it says so: what it holds is no
longer shown anywhere else either. The text of a comment, and the note of an entry of time, are left
out; they are read there.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from commands.states import States
from deliveries.event_projects import names_of
from domain.base import Event, NotFound, OrgId, State
from domain.catalog import EVENT_TYPES, PUBLIC_EVENT_TYPES, state_of
from domain.event_permission import permission_to_read
from domain.permission import Permission
from domain.planning.worklog import Worklog, WorklogAdded, WorklogChanged
from domain.work.attachment import Attachment
from domain.work.comment import Comment, CommentEdited, CommentPosted
from domain.work.project.state import Project
from domain.work.task.state import Task
from eventstore.event_json import event_data, told_json
from eventstore.log import EventLog
from eventstore.recorded import Recorded, Row, recorded_time

_ABOUT_THE_DELETED = ("deleted", "purged")
"""The last part of the names of events that are told although the thing itself is gone."""

_encode = msgspec.json.Encoder().encode


class ToldEvent(Struct, frozen=True, gc=False):
    """One event: the bytes of its frame, empty if nobody is told it, and whom it is for.

    ``names`` are the ids that it is about, its project among them.
    """

    seq: int
    tag: str
    needs: Permission
    names: frozenset[UUID]
    frame: bytes


async def tell(log: EventLog, states: States, rows: Sequence[Row]) -> list[ToldEvent]:
    """Return an organization's *rows* as they are told now."""
    return [await _told(log, states, row) for row in rows]


async def _told(log: EventLog, states: States, row: Row) -> ToldEvent:
    names, frame = frozenset[UUID](), b""
    if row.tag in PUBLIC_EVENT_TYPES and not await _is_gone(states, row):
        try:
            [recorded] = await log.decoded([row])
            frame = _frame(recorded)
            names = frozenset(await names_of(log, states, row))
        except msgspec.MsgspecError:  # the audit log shows that it cannot be read
            frame = b""
    return ToldEvent(row.org_seq, row.tag, permission_to_read(row.tag), names, frame)


def _frame(recorded: Recorded) -> bytes:
    """Return an event as the HTML standard frames it (section 9.2.6), with its number as id."""
    data = event_json_of(recorded)
    lines = (
        b"id: %d" % recorded.org_seq,
        b"event: " + recorded.tag.encode(),
        b"data: " + _encode(data),
        b"\n",
    )
    return b"\n".join(lines)


def event_json_of(recorded: Recorded) -> dict[str, Any]:
    """Return an event as members read it, without where it came from."""
    data = event_data(recorded.event)
    if isinstance(recorded.event, CommentPosted | CommentEdited):
        del data["body"]
    elif isinstance(recorded.event, WorklogAdded | WorklogChanged):
        del data["note"]
    return told_json(recorded, recorded.metadata, data, recorded_time(recorded.recorded_at))


async def _is_gone(states: States, row: Row) -> bool:
    """Return whether the thing, or what it hangs on, is deleted now."""
    event = EVENT_TYPES[row.tag]
    if row.tag.rpartition(".")[2].startswith(_ABOUT_THE_DELETED):
        return await _hangs_on_nothing(states, row, event)
    return await _is_deleted(states, row.org_id, state_of(event), row.stream_id)


async def _hangs_on_nothing(states: States, row: Row, event: type[Event]) -> bool:
    """Return whether what a deleted thing hung on is deleted as well."""
    try:
        [found] = await states.all_fresh([(state_of(event), row.stream_id)], row.org_id)
    except NotFound:
        return True
    return await _is_below_the_deleted(states, row.org_id, found.state)


async def _is_deleted(states: States, org_id: OrgId, kind: type[State], stream: UUID) -> bool:
    try:
        [found] = await states.all_fresh([(kind, stream)], org_id)
    except NotFound:
        return True
    if getattr(found.state, "deleted", False):
        return True
    return await _is_below_the_deleted(states, org_id, found.state)


async def _is_below_the_deleted(states: States, org_id: OrgId, state: Any) -> bool:
    if isinstance(state, Comment | Attachment | Worklog) and state.task_id is not None:
        return await _is_deleted(states, org_id, Task, state.task_id)
    if isinstance(state, Task) and state.project_id is not None:
        return await _is_deleted(states, org_id, Project, state.project_id)
    return False
