"""Commands on the caller's own inbox."""

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta

from commands.base import Command, Context, Decision, NotForApiKeys, changes_of
from commands.reads import Reads
from domain.base import PLATFORM
from domain.permission import Permission
from domain.planning.inbox import Inbox, InboxRead, NoticeArchived, NoticeId, stream_of_inbox
from eventstore.append import Secret
from eventstore.log import EventLog

READ_ON = "read on"
"""The name under which is kept, beside the log, how far somebody has read since it was recorded."""
Seq = Annotated[int, Meta(ge=0, le=2**53 - 1)]


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
    up_to_seq: Seq

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


async def read_up_to(log: EventLog, stream: UUID, inbox: Inbox) -> int:
    """Return up to which number somebody has read, also what is not recorded yet."""
    kept = await log.secret(stream, PLATFORM, READ_ON)
    return max(inbox.read_up_to, int(kept) if kept else 0)
