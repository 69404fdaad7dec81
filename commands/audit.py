"""Commands on the audit log."""

from typing import ClassVar

from commands.base import Command, Context, Decision, changes_of
from commands.reads import Reads
from domain.audit import AuditExported, AuditTrail, LogRestored, audit_trail
from domain.permission import Permission


class AuditExport(Command, frozen=True, kw_only=True):
    """An export of a range of the organization's log."""

    records = (AuditExported,)
    first: int
    last: int
    format: str

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        stream = audit_trail(context.organization)
        trail = await read(AuditTrail, stream)
        return changes_of(stream, trail.export(self.first, self.last, self.format))


class ExportAudit(AuditExport, frozen=True, kw_only=True):
    """Export a range of the organization's log."""

    needs: ClassVar[Permission | None] = Permission.AUDIT_READ


class ExportAuditAsOperator(AuditExport, frozen=True, kw_only=True):
    """Export a range of an organization's log on the machine; the operator is no member of it."""

    needs: ClassVar[Permission | None] = None


class AcceptRestore(Command, frozen=True, kw_only=True):
    """Begin the next epoch of the organization's log after it was set back to a backup."""

    needs: ClassVar[Permission | None] = None
    although_closed: ClassVar[bool] = True
    records = (LogRestored,)
    restored: LogRestored

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        stream = audit_trail(context.organization)
        trail = await read(AuditTrail, stream)
        return changes_of(stream, trail.restore(self.restored))
