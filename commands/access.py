"""Commands that record how members reach the data of an organization."""

from collections.abc import Sequence
from typing import ClassVar

from commands.base import Change, Command, Context, Decision, changes_of
from commands.reads import Reads
from domain.access import (
    AccessDenied,
    AccessEvent,
    AccessRecord,
    AuditRead,
    access_record,
)
from domain.base import UserId
from domain.identity.organization.state import Organization
from domain.permission import Permission


class RecordDeniedAccess(Command, frozen=True, kw_only=True):
    """Record requests that a member's role did not allow."""

    needs: ClassVar[Permission | None] = None
    records = (AccessDenied,)
    missing: str
    count: int

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        denied = AccessDenied(user_id=context.user_id, needs=self.missing, count=self.count)
        return await on_record(read, context, context.user_id, [denied])


class RecordAuditRead(Command, frozen=True, kw_only=True):
    """Record that a member reads the audit log."""

    needs: ClassVar[Permission | None] = Permission.AUDIT_READ
    records = (AuditRead,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        stream = access_record(context.organization, context.user_id)
        record = await read(AccessRecord, stream)
        return changes_of(stream, record.read_audit(context.user_id, context.now))


async def on_record(
    read: Reads, context: Context, user_id: UserId, events: Sequence[AccessEvent]
) -> list[Change]:
    """Return the change that puts *events* on the record that an organization has of a member.

    There is none without an organization, or for somebody who is no active member.
    """
    org_id = context.org_id
    if org_id is None:
        return []
    organization = await read(Organization, org_id)
    if organization.role_of(user_id) is None:
        return []
    stream = access_record(org_id, user_id)
    await read(AccessRecord, stream)
    return [Change(stream, events, org_id)]
