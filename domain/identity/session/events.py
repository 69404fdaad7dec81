"""Events of a session."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from domain.base import Event, OrgId, UserId


class RevocationCause(StrEnum):
    """Why a session was revoked. The values are stored, so they never change."""

    REUSE = "reuse"
    BY_USER = "by_user"
    BY_ADMIN = "by_admin"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason, not a secret
    TOO_MANY_SESSIONS = "too_many_sessions"
    ACCOUNT_DEACTIVATED = "account_deactivated"
    EXPIRED = "expired"
    SECOND_FACTOR = "second_factor"  # it was turned on, and the session began without it
    ACCOUNT_ERASED = "account_erased"
    LEFT_ORGANIZATION = "left_organization"


class Factor(StrEnum):
    """By what users prove who they are. The values are stored, so they never change."""

    PASSWORD = "password"  # noqa: S105 - a name, not a secret
    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"
    OIDC = "oidc"


class SessionOrigin(Struct, frozen=True, gc=False):
    """How a session began; ``issuer`` is the identity provider of the organization, if by one."""

    factor: Factor
    issuer: str | None = None

    @property
    def by_provider(self) -> bool:
        """Whether the identity provider of an organization vouched for the user."""
        return self.issuer is not None


class SessionStarted(Event, frozen=True, kw_only=True, tag="session.started"):
    """A user logged in on a device."""

    user_id: UserId
    organization_id: OrgId | None = None  # where the user works until they switch
    nonce: str  # random; useless without the key that tokens are computed with
    credentials: int = 0  # how many times the user had changed their password
    factor: Factor = Factor.PASSWORD  # the last one that the login needed
    issuer: str | None = None  # the provider of the organization, to which the session is confined
    proved_at: datetime | None = None  # when that provider asked the user who they are, if it says
    place: int = 0  # which of the places of the user's sessions this one takes
    started_at: datetime  # a rule needs it: who logged in just now need not prove it again
    expires_at: datetime
    idle_expires_at: datetime


class SessionReauthenticated(Event, frozen=True, kw_only=True, tag="session.reauthenticated"):
    """A user proved again who they are, as sensitive commands require."""

    sets = ("authenticated_at",)
    factor: Factor
    at: datetime  # a rule needs it: the proof is good for a while


class SessionRotated(Event, frozen=True, kw_only=True, tag="session.rotated"):
    """A device exchanged its refresh token for the next one."""

    sets = ("generation", "rotated_at", "idle_expires_at")
    generation: int
    rotated_at: datetime  # a rule needs it: the grace period starts here
    idle_expires_at: datetime


class SessionSwitchedOrganization(
    Event, frozen=True, kw_only=True, tag="session.switched_organization"
):
    """A user now works in another organization, in this session only."""

    sets = ("organization_id",)
    to: OrgId


class RefreshTokenReuseDetected(Event, frozen=True, kw_only=True, tag="session.reuse_detected"):
    """A spent refresh token was presented, so somebody else may have a copy."""

    generation: int


class SessionEnded(Event, frozen=True, kw_only=True, tag="session.ended"):
    """A user logged out."""

    sets = ("ended",)


class SessionRevoked(Event, frozen=True, kw_only=True, tag="session.revoked"):
    """A user (on another device), an administrator or, if null, a rule ended a session."""

    sets = ("ended",)
    by: UserId | None
    cause: RevocationCause


SessionEvent = (
    SessionStarted
    | SessionReauthenticated
    | SessionRotated
    | SessionSwitchedOrganization
    | RefreshTokenReuseDetected
    | SessionEnded
    | SessionRevoked
)
