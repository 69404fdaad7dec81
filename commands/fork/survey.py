"""What of an organization goes into its fork: found in one pass over its log, before any copy."""

from array import array
from bisect import bisect_left
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from commands.fork.new_ids import NewIds
from domain.access import AccessRecord
from domain.audit import AuditTrail
from domain.base import Event, OrgId, State, TaskId
from domain.catalog import EVENT_TYPES, state_of, tag_of
from domain.hooks.webhook.state import Webhook
from domain.identity.api_key.state import ApiKey
from domain.identity.organization.state import Organization
from domain.planning.field import FieldCreated, stream_of_field
from domain.redaction import ContentRedacted, redaction_of
from domain.undo import ChangesUndone, undo_of
from domain.work.attachment import AttachmentUploaded
from domain.work.relation import graph_of
from domain.work.task.recurrence_events import Recurrence, TaskRecurrenceSet, TaskRepeated
from domain.work.team import TeamCreated
from eventstore.log import EventLog
from eventstore.recorded import Row

COPIED_AT_ONCE = 500

NOT_COPIED: tuple[type[State], ...] = (Organization, AccessRecord, AuditTrail, Webhook, ApiKey)
"""The kinds of streams that are not copied.

The organization's own is not: the fork says of itself what it is. The others say who reached the
original, what was done to its log, and what has secrets that only the original has.
"""

_LEFT_OUT = frozenset(tag for tag, kind in EVENT_TYPES.items() if state_of(kind) in NOT_COPIED)
_TELLING = frozenset(
    tag_of(kind) for kind in (FieldCreated, ContentRedacted, ChangesUndone, TaskRecurrenceSet)
)
"""The events that say from what the id of their stream is made, or what ids are made from."""
_REPEATING = frozenset(tag_of(kind) for kind in (TaskRecurrenceSet, TaskRepeated))
_UPLOADED, _TEAM = tag_of(AttachmentUploaded), tag_of(TeamCreated)


class Survey:
    """What is copied of an organization up to a sequence number, and under which ids."""

    def __init__(self, log: EventLog, ids: NewIds, at: int) -> None:
        self._log, self.ids, self.at = log, ids, at
        self._left_out = array("Q")  # the sequence numbers, in order
        self._passed_over: set[UUID] = set()  # what was redacted of streams that are not copied
        self.repeating: set[TaskId] = set()
        """The tasks, by their old ids, that repeat or once did."""
        self.files: list[UUID] = []
        """The attachments, by their old ids, that had a file."""
        self.teams: list[UUID] = []
        """The teams, by their old ids."""

    async def read(self) -> None:
        """Read the log up to where the fork begins."""
        self.ids.make(graph_of(self.ids.org_id), graph_of(self.ids.fork))
        async for rows in rows_up_to(self._log, self.ids.org_id, 0, self.at):
            self.ids.add(row.stream_id for row in rows if row.tag not in _LEFT_OUT)
            telling = [row for row in rows if row.tag in _TELLING]
            for row, event in zip(telling, await self._log.events(telling), strict=True):
                self._derive(row.stream_id, event)
            for row in rows:
                if not self.is_copied(row):
                    self._left_out.append(row.org_seq)
                elif row.tag in _REPEATING:
                    self.repeating.add(TaskId(row.stream_id))
                elif row.tag == _UPLOADED:
                    self.files.append(row.stream_id)
                elif row.tag == _TEAM:
                    self.teams.append(row.stream_id)

    def is_copied(self, row: Row) -> bool:
        """Return whether an event is copied."""
        return row.tag not in _LEFT_OUT and row.stream_id not in self._passed_over

    def seq(self, old: int) -> int:
        """Return the sequence number that the copy of an event has in the fork."""
        return old - bisect_left(self._left_out, old)

    def copy_of(self, event: Event) -> Event:
        """Return *event* as it is recorded in the fork."""
        new = self.ids.event(event)
        if not isinstance(new, ContentRedacted):
            return new
        texts = (replace(each, seq=self.seq(each.seq)) for each in new.texts)
        return replace(new, texts=tuple(texts))

    def _derive(self, stream: UUID, event: Any) -> None:
        ids = self.ids
        match event:
            case FieldCreated():
                ids.make(stream, stream_of_field(ids.of(event.project_id), event.key))
            case ContentRedacted() if not ids.copies(event.of):
                self._passed_over.add(stream)
            case ContentRedacted():
                ids.make(stream, redaction_of(ids.of(event.of)))
            case ChangesUndone():
                ids.make(stream, undo_of(ids.fork, event.correlation_id))
            case TaskRecurrenceSet(to=Recurrence(series_id=series_id)):
                ids.add([series_id])
            case _:
                pass


async def rows_up_to(log: EventLog, org_id: OrgId, after: int, at: int) -> AsyncIterator[list[Row]]:
    """Yield the rows of an organization above sequence *after*, up to *at*, some at a time."""
    while after < at:
        rows = await log.organization(org_id, after, min(COPIED_AT_ONCE, at - after))
        if not rows:
            return
        yield rows
        after = rows[-1].org_seq
