"""Commands on the caller's own inbox."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta

from commands.base import Command, Context, Decision, NotForApiKeys, changes_of
from commands.reads import Reads
from domain.base import PLATFORM
from domain.permission import Permission
from domain.planning.inbox import (
    DigestDue,
    DigestSwitched,
    Inbox,
    InboxRead,
    NoticeArchived,
    NoticeId,
    NoticeSnoozed,
    stream_of_inbox,
)
from eventstore.append import Secret
from eventstore.log import EventLog

READ_ON = "read on"
"""The name under which is kept, beside the log, how far somebody has read since it was recorded."""
EventSeq = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class InboxCommand(Command, frozen=True, kw_only=True):
    """A command of a person on their inbox in the organization that they work in."""

    needs: ClassVar[Permission | None] = Permission.TASK_READ

    def turn(self, context: Context, /) -> UUID | None:
        return stream_of_inbox(context.user_id, context.organization)

    async def permit(self, read: Reads, context: Context, /) -> None:
        if context.scopes is not None:
            raise NotForApiKeys
        await super().permit(read, context)


class ReadInbox(InboxCommand, frozen=True, kw_only=True):
    """Mark as read what happened up to an event. It is recorded at most once a minute."""

    records = (InboxRead,)
    up_to_seq: EventSeq

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        stream = stream_of_inbox(context.user_id, context.organization)
        inbox = await read(Inbox, stream)
        if self.up_to_seq > inbox.read_up_to and not inbox.is_to_be_noted(context.now):
            return [Secret(stream, READ_ON, b"%d" % self.up_to_seq)]
        return changes_of(stream, inbox.read(self.up_to_seq, context.now))


class ArchiveNotice(InboxCommand, frozen=True, kw_only=True):
    """Put a notice away, which the inbox does not show any more."""

    records = (NoticeArchived,)
    notice: NoticeId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        stream = stream_of_inbox(context.user_id, context.organization)
        return changes_of(stream, (await read(Inbox, stream)).archive(self.notice))


class SnoozeNotice(InboxCommand, frozen=True, kw_only=True):
    """Put a notice away until a time, or show it again at once, also an archived one."""

    records = (NoticeSnoozed,)
    notice: NoticeId
    until: datetime | None

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        stream = stream_of_inbox(context.user_id, context.organization)
        inbox = await read(Inbox, stream)
        return changes_of(stream, inbox.snooze(self.notice, self.until, context.now))


class SwitchDigest(InboxCommand, frozen=True, kw_only=True):
    """Turn the daily mail about one's inbox on or off."""

    records = (DigestSwitched,)
    on: bool

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        org_id = context.organization
        stream = stream_of_inbox(context.user_id, org_id)
        switched = DigestSwitched(
            user_id=context.user_id, organization_id=org_id, on=self.on, at=context.now
        )
        return changes_of(stream, (await read(Inbox, stream)).switch_digest(switched))


class NoteDueDigest(Command, frozen=True, kw_only=True):
    """Note that the daily mail about an inbox is due. Only a worker sends this."""

    needs: ClassVar[Permission | None] = None
    records = (DigestDue,)
    inbox_id: UUID

    @property
    def target(self) -> UUID | None:
        return self.inbox_id

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        inbox = await read(Inbox, self.inbox_id)
        return changes_of(self.inbox_id, inbox.note_due_digest(context.now))


async def read_up_to(log: EventLog, stream: UUID, inbox: Inbox) -> int:
    """Return up to which number somebody has read, also what is not recorded yet."""
    kept = await log.secret(stream, PLATFORM, READ_ON)
    return max(inbox.read_up_to, int(kept) if kept else 0)
