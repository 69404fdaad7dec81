"""Audit: what was taken out of an organization's log, by whom and how much.

Invariants
    1. Every export is itself an event, recorded before its first byte leaves.
"""

from typing import ClassVar, assert_never
from uuid import UUID, uuid5

from msgspec import Struct, field

from domain.base import Event, OrgId

_NAMESPACE = UUID("b3a5c0de-2f4b-5b0f-8d3e-51a7c9e0d6aa")


# Events ---------------------------------------------------------------------


class AuditExported(Event, frozen=True, kw_only=True, tag="audit.exported"):
    """Somebody took a part of the log out of the system, readable values included."""

    from_: int = field(name="from")
    to: int
    format: str


AuditEvent = AuditExported


# State ----------------------------------------------------------------------


class AuditTrail(Struct, frozen=True, gc=False):
    """How often the log of an organization was exported."""

    platform: ClassVar[bool] = False

    exports: int = 0

    def evolve(self, event: AuditEvent) -> "AuditTrail":
        match event:
            case AuditExported():
                return AuditTrail(self.exports + 1)
            case _:
                assert_never(event)

    # Decisions: each returns the events to record.

    def export(self, first: int, last: int, format_: str) -> list[AuditEvent]:
        """Note an export of the events *first* to *last* of the organization, both included."""
        return [AuditExported(from_=first, to=last, format=format_)]


def audit_trail(org_id: OrgId) -> UUID:
    """Return the stream in which an organization's exports are noted."""
    return uuid5(_NAMESPACE, org_id.hex)
