"""Audit trail: which parts of an organization's log were exported, and by whom.

Invariants
    1. Every export is itself an event, recorded before its first byte is sent.
"""

from typing import ClassVar, assert_never
from uuid import UUID, uuid5

from msgspec import Struct, field

from domain.base import Event, OrgId

_NAMESPACE = UUID("b3a5c0de-2f4b-5b0f-8d3e-51a7c9e0d6aa")


# Events ---------------------------------------------------------------------


class AuditExported(Event, frozen=True, kw_only=True, tag="audit.exported"):
    """Somebody exported part of the audit log, with personal data in readable form."""

    sets = ("exports",)
    from_: int = field(name="from")
    to: int
    format: str


AuditEvent = AuditExported


# State ----------------------------------------------------------------------


class AuditTrail(Struct, frozen=True, gc=False):
    """The number of times an organization's log was exported."""

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = (AuditExported,)

    exports: int = 0

    def evolve(self, event: AuditEvent) -> "AuditTrail":
        match event:
            case AuditExported():
                return AuditTrail(self.exports + 1)
            case _:
                assert_never(event)

    # Decisions: each returns the events to record.

    def export(self, first: int, last: int, format_: str) -> list[AuditEvent]:
        """Record an export of the organization's events *first* to *last*, both included."""
        return [AuditExported(from_=first, to=last, format=format_)]


def audit_trail(org_id: OrgId) -> UUID:
    """Return the stream that records an organization's exports."""
    return uuid5(_NAMESPACE, org_id.hex)
