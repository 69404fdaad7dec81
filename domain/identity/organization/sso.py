"""Single sign-on: the identity provider of an organization, and who its people are there.

The decisions are in ``sign_on.py``, because they depend on the members of the organization.
"""

from typing import assert_never
from uuid import UUID

from immutables import Map
from msgspec import Struct
from msgspec.structs import replace

from domain.base import DomainError, Event, KeyOwner, Personal, Refusal, UserId
from domain.identity.organization.membership import Role

# Events ---------------------------------------------------------------------


class MappedRole(Struct, frozen=True, gc=False):
    """The role of those in whose role claim the provider names *value*."""

    value: str
    role: Role


class SsoConfigured(Event, frozen=True, kw_only=True, tag="organization.sso_configured"):
    """An organization named its identity provider, or changed what it said about it."""

    sets = ("sign_on:provider",)
    configuration_id: UUID  # a login that began under another configuration is over
    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    domains: tuple[str, ...]  # of the e-mail addresses of those who may log in, in lower case
    role_claim: str | None
    roles: tuple[MappedRole, ...]
    default_role: Role


class SsoRemoved(Event, frozen=True, kw_only=True, tag="organization.sso_removed"):
    """An organization has no identity provider any more; sessions that it began have no access."""

    sets = ("sign_on:provider",)


class DomainProven(Event, frozen=True, kw_only=True, tag="organization.domain_proven"):
    """An organization proved, by a record in the DNS, that a domain of its provider is its own."""

    domain: str

    def field_keys(self) -> tuple[str, ...]:
        return (f"sign_on:proven:{self.domain}",)


class MemberLinked(Event, frozen=True, kw_only=True, tag="member.linked"):
    """A person logged in through the organization's provider for the first time."""

    sealed_for = KeyOwner("user_id", platform=True)
    user_id: UserId
    issuer: str
    subject: Personal  # who they are to the provider, which never gives it to somebody else

    def field_keys(self) -> tuple[str, ...]:
        return (f"sign_on:links:{self.user_id}",)


class MemberUnlinked(Event, frozen=True, kw_only=True, tag="member.unlinked"):
    """Who a person is to the organization's provider was forgotten, with their account."""

    user_id: UserId

    def field_keys(self) -> tuple[str, ...]:
        return (f"sign_on:links:{self.user_id}",)


SsoEvent = SsoConfigured | SsoRemoved | DomainProven | MemberLinked | MemberUnlinked


# State ----------------------------------------------------------------------


class Link(Struct, frozen=True, gc=False):
    """Who a person is to a provider."""

    issuer: str
    subject: str


class Provider(Struct, frozen=True, kw_only=True, gc=False):
    """The identity provider of an organization, and what it decides."""

    configuration_id: UUID
    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    domains: tuple[str, ...]
    role_claim: str | None
    roles: tuple[MappedRole, ...]
    default_role: Role

    def role_for(self, values: tuple[str, ...]) -> Role:
        """Return the highest role that the *values* of the role claim map to, or the default."""
        mapped = [each.role for each in self.roles if each.value in values]
        return max(mapped, key=lambda role: role.rank, default=self.default_role)


class SignOn(Struct, frozen=True, gc=False):
    """The provider of an organization, if any, and everybody who ever logged in through one.

    ``proven`` are those of its domains that the organization has proven to be its own.
    """

    provider: Provider | None = None
    links: Map[UserId, Link] = Map()
    proven: frozenset[str] = frozenset()

    def after(self, event: SsoEvent) -> "SignOn":
        """Return what *event* makes of this."""
        match event:
            case SsoConfigured():
                proven = self.proven.intersection(event.domains)
                return replace(self, provider=_configured(event), proven=proven)
            case SsoRemoved():
                return replace(self, provider=None, proven=frozenset())
            case DomainProven():
                return replace(self, proven=self.proven | {event.domain})
            case MemberLinked():
                link = Link(event.issuer, event.subject)
                return replace(self, links=self.links.set(event.user_id, link))
            case MemberUnlinked():
                known = event.user_id in self.links
                return replace(self, links=self.links.delete(event.user_id)) if known else self
            case _:
                assert_never(event)


def _configured(event: SsoConfigured) -> Provider:
    return Provider(
        configuration_id=event.configuration_id,
        issuer=event.issuer,
        client_id=event.client_id,
        scopes=event.scopes,
        domains=event.domains,
        role_claim=event.role_claim,
        roles=event.roles,
        default_role=event.default_role,
    )


# Errors ---------------------------------------------------------------------


class SsoLoginIsOver(DomainError):
    """This login took too long, was finished, or began in another browser. Log in again."""

    code = "sso_login_is_over"
    refusal = Refusal.CONFLICT


class DomainNotAccepted(DomainError):
    """Your e-mail address is in none of the domains that this organization accepts."""

    code = "domain_not_accepted"
    refusal = Refusal.FORBIDDEN


class DomainNotProven(DomainError):
    """This organization has not proven yet that the domain of your e-mail address is its own."""

    code = "domain_not_proven"
    refusal = Refusal.FORBIDDEN


class EmailNotVerified(DomainError):
    """Your identity provider does not say that your e-mail address is verified."""

    code = "email_not_verified"
    refusal = Refusal.FORBIDDEN


class AccountUnconfirmed(DomainError):
    """Your account's address is not confirmed. Choose a new password by mail, then log in here."""

    code = "account_unconfirmed"
    refusal = Refusal.FORBIDDEN


class LinkedToAnother(DomainError):
    """This account belongs to somebody else at your identity provider."""

    code = "linked_to_another"
    refusal = Refusal.FORBIDDEN


class MembershipEnded(DomainError):
    """Your membership of this organization ended. Ask an administrator to invite you again."""

    code = "membership_ended"
    refusal = Refusal.FORBIDDEN


class MembershipSuspended(DomainError):
    """Your access to this organization is suspended. Ask an administrator."""

    code = "membership_suspended"
    refusal = Refusal.FORBIDDEN


class LoginWayNotAccepted(DomainError):
    """This organization does not accept this way to log in. Log in in another way."""

    code = "login_way_not_accepted"
    refusal = Refusal.FORBIDDEN


class SsoNotConfigured(DomainError):
    """This organization has no identity provider. Configure one first."""

    code = "sso_not_configured"
    refusal = Refusal.CONFLICT


class SsoStillDemanded(DomainError):
    """Members must log in through the provider. Allow passwords in the settings first."""

    code = "sso_still_demanded"
    refusal = Refusal.CONFLICT


class ClientSecretNeeded(DomainError):
    """A new provider or client needs its own secret. Send `clientSecret`."""

    code = "client_secret_needed"
    refusal = Refusal.INVALID
