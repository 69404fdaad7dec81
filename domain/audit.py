"""Audit trail: what happened to an organization's log as a whole.

Invariants
    1. Every export is itself an event, recorded before its first byte is sent.
    2. An epoch of the log begins with one event in each organization, before anything else.
"""

from typing import ClassVar, assert_never
from uuid import UUID, uuid5

from msgspec import Struct, field
from msgspec.structs import replace

from domain.base import DomainError, Event, OrgId, Refusal

_NAMESPACE = UUID("b3a5c0de-2f4b-5b0f-8d3e-51a7c9e0d6aa")


# Events ---------------------------------------------------------------------


class AuditExported(Event, frozen=True, kw_only=True, tag="audit.exported"):
    """Somebody exported part of the audit log, with personal data in readable form."""

    sets = ("exports",)
    from_: int = field(name="from")
    to: int
    format: str


class LogRestored(Event, frozen=True, kw_only=True, tag="log.restored"):
    """The log was set back to a backup: events that were signed before are gone.

    ``kept`` is how many of the events are known to be still there. If a signed tree head is known
    that the log contradicts, it covered ``lost_size`` events and had the root hash ``lost_root``
    (base64). Sequence numbers above ``kept`` are used again for other events in the next epoch.
    """

    sets = ("epoch",)
    epoch: int
    kept: int
    lost_size: int | None = None
    lost_root: str | None = None


class LogForked(Event, frozen=True, kw_only=True, tag="log.forked"):
    """The operator made another organization of this one, as it was at an event of its log.

    `at` is the sequence number of that event.
    """

    organization_id: OrgId
    at: int


class LogForkAbandoned(Event, frozen=True, kw_only=True, tag="log.fork_abandoned"):
    """The operator gave up a copy of this organization that was never finished, and purged it.

    `at` is the sequence number of the event as of which it was to be.
    """

    organization_id: OrgId
    at: int


AuditEvent = AuditExported | LogRestored | LogForked | LogForkAbandoned


# State ----------------------------------------------------------------------


class AuditTrail(Struct, frozen=True, gc=False):
    """The number of times an organization's log was exported, and the epoch it is in."""

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = (
        AuditExported,
        LogRestored,
        LogForked,
        LogForkAbandoned,
    )

    exports: int = 0
    epoch: int = 1

    def evolve(self, event: AuditEvent) -> "AuditTrail":
        match event:
            case AuditExported():
                return replace(self, exports=self.exports + 1)
            case LogRestored():
                return replace(self, epoch=event.epoch)
            case LogForked() | LogForkAbandoned():
                return self
            case _:
                assert_never(event)

    # Decisions: each returns the events to record.

    def export(self, first: int, last: int, format_: str) -> list[AuditEvent]:
        """Record an export of the organization's events *first* to *last*, both included."""
        return [AuditExported(from_=first, to=last, format=format_)]

    def restore(self, restored: LogRestored) -> list[AuditEvent]:
        """Record that an epoch begins after the log was set back; nothing if that is recorded."""
        return [restored] if restored.epoch > self.epoch else []


def audit_trail(org_id: OrgId) -> UUID:
    """Return the stream that records what happened to an organization's log."""
    return uuid5(_NAMESPACE, org_id.hex)


def trail_of_fork(org_id: OrgId, fork: OrgId) -> UUID:
    """Return the stream that records in an organization that *fork* was made of it."""
    return uuid5(_NAMESPACE, org_id.hex + fork.hex)


class ExportInProgress(DomainError):
    """Another export of this organization is being sent. Wait until it is complete."""

    code = "export_in_progress"
    refusal = Refusal.CONFLICT
