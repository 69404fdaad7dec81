"""Events of an account."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from domain.base import Event, OrgId, Personal
from domain.identity.user.address import AddressEvent
from domain.identity.user.erasure import ErasureEvent
from domain.identity.user.totp import TotpEvent


class UserRegistered(Event, frozen=True, kw_only=True, tag="user.registered"):
    """A person created an account."""

    email: Personal
    name: Personal


class EmailConfirmed(Event, frozen=True, kw_only=True, tag="user.email_confirmed"):
    """A user proved that they receive what is sent to their address."""

    sets = ("email_confirmed",)


class PasswordChanged(Event, frozen=True, kw_only=True, tag="user.password_changed"):
    """A user changed their password; all their sessions end."""

    sets = ("credentials",)


class PasswordResetRequested(Event, frozen=True, kw_only=True, tag="user.password_reset_requested"):
    """Somebody asked to choose a new password for an account; its address gets a token."""

    sets = ("reset",)
    reset_id: UUID
    token_hash: str  # SHA-256 (hex) of a token of 256 unknown bits
    expires_at: datetime


class UserProfileChanged(Event, frozen=True, kw_only=True, tag="user.profile_changed"):
    """A user changed their name or time zone; holds only what changed."""

    name: Personal | UnsetType = UNSET
    time_zone: Personal | UnsetType | None = UNSET  # of the IANA database; null: none of their own

    def field_keys(self) -> tuple[str, ...]:
        return tuple(name for name in self.__struct_fields__ if getattr(self, name) is not UNSET)


class UserDeactivated(Event, frozen=True, kw_only=True, tag="user.deactivated"):
    """An account was deactivated: it cannot log in, but nothing was deleted."""

    sets = ("active",)
    reason: Personal | None = None


class UserReactivated(Event, frozen=True, kw_only=True, tag="user.reactivated"):
    """A deactivated account was reactivated."""

    sets = ("active",)


class LoginFailed(Event, frozen=True, kw_only=True, tag="user.login_failed"):
    """Logins to this account failed: *count* since the last such event, within about a minute."""

    count: int = 1


class NewNetworkSeen(Event, frozen=True, kw_only=True, tag="user.new_network_seen"):
    """A user logged in from a network that they had not used before."""

    network: Personal
    device: Personal  # as the User-Agent says, coarsely


class HomeOrganizationChanged(
    Event, frozen=True, kw_only=True, tag="user.home_organization_changed"
):
    """A user's next sessions start in another organization: the one they chose last."""

    sets = ("home_organization_id",)
    organization_id: OrgId


UserEvent = (
    UserRegistered
    | EmailConfirmed
    | PasswordChanged
    | PasswordResetRequested
    | UserProfileChanged
    | UserDeactivated
    | UserReactivated
    | LoginFailed
    | HomeOrganizationChanged
    | NewNetworkSeen
    | AddressEvent
    | ErasureEvent
    | TotpEvent
)
