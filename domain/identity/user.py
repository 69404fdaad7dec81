"""User: a person's account, the same in every organization they belong to.

The password's hash is deliberately not here: an old, weak hash in a log would live forever.

Invariants
    1. A deactivated account changes nothing until it is reactivated. Two facts are still
       recorded: a failed login, because it tells of somebody else, and losing the active
       organization, because others decide that.
    2. An unchanged field is no event, so the history holds only changes.
"""

from typing import ClassVar, assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.base import DomainError, Event, NotFound, OrgId, Personal

# Events ---------------------------------------------------------------------


class UserRegistered(Event, frozen=True, kw_only=True, tag="user.registered"):
    """A person opened an account."""

    email: Personal
    name: Personal
    email_claim: UUID  # the stream that keeps the address unique


class PasswordChanged(Event, frozen=True, kw_only=True, tag="user.password_changed"):
    """A user chose a new password; every session they had ends with it."""


class UserProfileChanged(Event, frozen=True, kw_only=True, tag="user.profile_changed"):
    """A user goes by another name."""

    name: Personal


class UserDeactivated(Event, frozen=True, kw_only=True, tag="user.deactivated"):
    """An account was closed to logins; nothing about it was removed."""

    reason: Personal | None = None


class UserReactivated(Event, frozen=True, kw_only=True, tag="user.reactivated"):
    """A closed account was opened again."""


class LoginFailed(Event, frozen=True, kw_only=True, tag="user.login_failed"):
    """Somebody tried to log in to this account and could not prove to be its owner."""


class ActiveOrganizationChanged(
    Event, frozen=True, kw_only=True, tag="user.active_organization_changed"
):
    """A user now works in another organization, or (null) in none."""

    organization_id: OrgId | None


UserEvent = (
    UserRegistered
    | PasswordChanged
    | UserProfileChanged
    | UserDeactivated
    | UserReactivated
    | LoginFailed
    | ActiveOrganizationChanged
)


# State ----------------------------------------------------------------------


class User(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about an account."""

    platform: ClassVar[bool] = True

    registered: bool = False
    email: str = ""
    name: str = ""
    email_claim: UUID | None = None
    active: bool = True
    organization_id: OrgId | None = None
    credentials: int = 0
    """How often the password was changed; a session begun under an earlier count is over."""

    def evolve(self, event: UserEvent) -> "User":
        match event:
            case LoginFailed():
                return self
            case PasswordChanged():
                return replace(self, credentials=self.credentials + 1)
            case UserRegistered():
                return User(
                    registered=True,
                    email=event.email,
                    name=event.name,
                    email_claim=event.email_claim,
                )
            case UserProfileChanged():
                return replace(self, name=event.name)
            case ActiveOrganizationChanged():
                return replace(self, organization_id=event.organization_id)
            case UserDeactivated():
                return replace(self, active=False)
            case UserReactivated():
                return replace(self, active=True)
            case _:
                assert_never(event)

    # Decisions: each returns the events to record; an empty list means "already so".

    def register(self, registered: UserRegistered) -> list[UserEvent]:
        """Open the account; a second time is the retry of the first, as ids are ours."""
        return [] if self.registered else [registered]

    def change_password(self) -> list[UserEvent]:
        self.refuse_unless_active()
        return [PasswordChanged()]

    def change_name(self, name: str) -> list[UserEvent]:
        self.refuse_unless_active()
        return [] if name == self.name else [UserProfileChanged(name=name)]

    def activate_organization(self, organization_id: OrgId | None) -> list[UserEvent]:
        """Work in *organization_id* from now on; leaving (None) is open to closed accounts."""
        if organization_id is None:
            self.refuse_unless_registered()
        else:
            self.refuse_unless_active()
        if organization_id == self.organization_id:
            return []
        return [ActiveOrganizationChanged(organization_id=organization_id)]

    def deactivate(self, reason: str | None = None) -> list[UserEvent]:
        self.refuse_unless_registered()
        return [UserDeactivated(reason=reason)] if self.active else []

    def reactivate(self) -> list[UserEvent]:
        self.refuse_unless_registered()
        return [] if self.active else [UserReactivated()]

    def fail_login(self) -> list[UserEvent]:
        """Record a wrong proof; closed accounts answer alike, so that nobody can tell."""
        self.refuse_unless_registered()
        return [LoginFailed()]

    def refuse_unless_registered(self) -> None:
        """Refuse when there is no such account."""
        if not self.registered:
            raise NotFound

    def refuse_unless_active(self) -> None:
        """Refuse when there is no such account or it is deactivated."""
        self.refuse_unless_registered()
        if not self.active:
            raise AccountDeactivated


# Errors ---------------------------------------------------------------------


class AccountDeactivated(DomainError):
    """This account is deactivated; ask an administrator to reactivate it."""

    code = "account_deactivated"
