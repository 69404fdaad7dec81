"""Access record: how one person reached the data of an organization, for its administrators.

It belongs to the organization, unlike the person's account and sessions.

Invariants
    1. Reading the audit log is recorded at most once in ``READ_EVERY``.
    2. Failures and refusals are recorded together with others of about a minute, with their count.
"""

from datetime import datetime, timedelta
from typing import ClassVar, assert_never, get_args
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import replace

from domain.base import Event, OrgId, SessionId, UserId

READ_EVERY = timedelta(hours=1)
_NAMESPACE = UUID("7c1de5a8-3f0b-5d5e-9a64-0c9b7d2e41f3")


# Events ---------------------------------------------------------------------


class LoggedIn(Event, frozen=True, kw_only=True, tag="access.logged_in"):
    """A member logged in."""

    user_id: UserId
    session_id: SessionId


class NewNetworkUsed(Event, frozen=True, kw_only=True, tag="access.new_network_used"):
    """A member logged in from a network that they had not used before."""

    user_id: UserId
    session_id: SessionId


class LoginRefused(Event, frozen=True, kw_only=True, tag="access.login_failed"):
    """Logins to a member's account failed: *count* since the last such event."""

    user_id: UserId
    count: int


class SsoRefused(Event, frozen=True, kw_only=True, tag="access.sso_refused"):
    """Logins through the organization's provider failed: *count* since the last such event.

    ``user_id`` is null unless the person is known. A failure that the provider only reported, or
    that happened before it named anybody, has none.
    """

    user_id: UserId | None
    reason: str  # the code of a refusal, or a word for what was wrong with the provider's answer
    count: int


class AccessDenied(Event, frozen=True, kw_only=True, tag="access.denied"):
    """A member asked for what their role does not allow: *count* times since the last event."""

    user_id: UserId
    needs: str  # the permission that was missing, or the code of the refusal
    count: int


class AuditRead(Event, frozen=True, kw_only=True, tag="access.audit_read"):
    """A member read the audit log; more reads of the same hour are not recorded."""

    sets = ("audit_read_at",)
    user_id: UserId
    at: datetime


AccessEvent = LoggedIn | NewNetworkUsed | LoginRefused | SsoRefused | AccessDenied | AuditRead


# State ----------------------------------------------------------------------


class AccessRecord(Struct, frozen=True, gc=False):
    """When the person last read the organization's audit log."""

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(AccessEvent)

    audit_read_at: datetime | None = None

    def evolve(self, event: AccessEvent) -> "AccessRecord":
        match event:
            case AuditRead():
                return replace(self, audit_read_at=event.at)
            case LoggedIn() | NewNetworkUsed() | LoginRefused() | SsoRefused() | AccessDenied():
                return self
            case _:
                assert_never(event)

    # Decisions: each returns the events to record.

    def read_audit(self, user_id: UserId, now: datetime) -> list[AccessEvent]:
        """Record that *user_id* reads the audit log, unless that is recorded for this hour."""
        if self.audit_read_at is not None and now - self.audit_read_at < READ_EVERY:
            return []
        return [AuditRead(user_id=user_id, at=now)]


UNKNOWN_PERSON = UserId(UUID(int=0))
"""Stands for people whom nobody knows, and whose failures are recorded all the same."""


def access_record(org_id: OrgId, user_id: UserId) -> UUID:
    """Return the stream that records how *user_id* reached the data of an organization."""
    return uuid5(_NAMESPACE, org_id.hex + user_id.hex)
