"""Decisions about single sign-on: the provider, who may enter through it, and as what.

Invariants
    1. The provider gives at most the role that the organization maps to what it says, and never
       takes the role of the last active ADMIN.
    2. Whoever left, was removed or suspended does not come back by logging in; who left needs an
       invitation.
    3. A person is one subject of the provider, and a subject is one person, for good.
    4. Where passwords are not accepted, only an ADMIN with a second factor still enters by one.
    5. The provider vouches only for addresses in domains that the organization has proven to be its
       own: else it could name anybody.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from domain.base import NotFound, UserId
from domain.identity.organization.events import OrganizationEvent
from domain.identity.organization.membership import MemberRoleChanged, Role, is_last_admin
from domain.identity.organization.settings import LoginWay
from domain.identity.organization.sso import (
    DomainNotAccepted,
    DomainNotProven,
    DomainProven,
    Link,
    LinkedToAnother,
    LoginWayNotAccepted,
    MemberLinked,
    MembershipEnded,
    MembershipSuspended,
    Provider,
    SsoConfigured,
    SsoLoginIsOver,
    SsoRemoved,
    SsoStillDemanded,
)
from domain.identity.organization.state import Organization
from domain.identity.session.events import Factor, SessionOrigin


class Arrival(Struct, frozen=True):
    """Who the provider says somebody is; ``email`` in canonical form."""

    user_id: UserId
    subject: str
    email: str
    role_values: tuple[str, ...]


def configure(organization: Organization, wanted: SsoConfigured) -> list[OrganizationEvent]:
    """Name the provider, or change it; a repeated call is a retry and records nothing."""
    organization.refuse_unless_here()
    known = organization.sign_on.provider
    repeated = known is not None and known.configuration_id == wanted.configuration_id
    return [] if repeated else [wanted]


def remove(organization: Organization) -> list[OrganizationEvent]:
    """Have no provider any more.

    :raises SsoStillDemanded: nobody could log in.
    """
    organization.refuse_unless_here()
    if organization.sign_on.provider is None:
        return []
    if LoginWay.PASSWORD not in organization.settings.login_ways:
        raise SsoStillDemanded
    return [SsoRemoved()]


def prove_domain(organization: Organization, domain: str) -> list[OrganizationEvent]:
    """Note that a domain of the provider was proven; once is enough.

    :raises NotFound: it is none of the provider's.
    """
    organization.refuse_unless_here()
    provider = organization.sign_on.provider
    if provider is None or domain not in provider.domains:
        raise NotFound
    return [] if domain in organization.sign_on.proven else [DomainProven(domain=domain)]


def refuse_foreign_domain(organization: Organization, provider: Provider, email: str) -> None:
    """Refuse an address, in canonical form, for which the provider cannot vouch.

    :raises DomainNotAccepted: it is in none of the provider's domains.
    :raises DomainNotProven: it is in one that the organization has not proven to be its own.
    """
    domain = email.rpartition("@")[2]
    if domain not in provider.domains:
        raise DomainNotAccepted
    if domain not in organization.sign_on.proven:
        raise DomainNotProven


def provider_of(organization: Organization, configuration_id: UUID) -> Provider:
    """Return the provider with which a login began.

    :raises SsoLoginIsOver: the organization changed or removed it since.
    :raises LoginWayNotAccepted: its logins are not accepted.
    """
    organization.refuse_unless_here()
    provider = organization.sign_on.provider
    if provider is None or provider.configuration_id != configuration_id:
        raise SsoLoginIsOver
    if LoginWay.OIDC not in organization.settings.login_ways:
        raise LoginWayNotAccepted
    return provider


def arrive(
    organization: Organization, provider: Provider, arrival: Arrival, now: datetime
) -> list[OrganizationEvent]:
    """Let somebody in who logged in through the *provider*.

    :raises LinkedToAnother: they are another subject of this provider.
    :raises DomainError: they may not enter, or the plan allows no more members.
    """
    organization.refuse_unless_here()
    refuse_foreign_domain(organization, provider, arrival.email)
    link = Link(provider.issuer, arrival.subject)
    known = organization.sign_on.links.get(arrival.user_id)
    if known is not None and known.issuer == link.issuer and known != link:
        raise LinkedToAnother
    events = _membership(organization, provider, arrival, now, returning=known is not None)
    if known != link:
        linked = MemberLinked(user_id=arrival.user_id, issuer=link.issuer, subject=link.subject)
        events.append(linked)
    return events


def accepts(organization: Organization, user_id: UserId, origin: SessionOrigin) -> bool:
    """Return whether a session that began like this has access for a member."""
    ways, provider = organization.settings.login_ways, organization.sign_on.provider
    if origin.by_provider:
        known = provider is not None and provider.issuer == origin.issuer
        return known and LoginWay.OIDC in ways
    return LoginWay.PASSWORD in ways or _breaks_glass(organization, user_id, origin)


def vouches_for(organization: Organization, user_id: UserId) -> bool:
    """Return whether the provider has vouched for a member, who then needs no second factor here.

    This is for the API keys that they created: a session says itself how it began.
    """
    link, provider = organization.sign_on.links.get(user_id), organization.sign_on.provider
    return link is not None and provider is not None and link.issuer == provider.issuer


def _membership(
    organization: Organization,
    provider: Provider,
    arrival: Arrival,
    now: datetime,
    *,
    returning: bool,
) -> list[OrganizationEvent]:
    user_id, member = arrival.user_id, organization.member(arrival.user_id)
    role = provider.role_for(arrival.role_values)
    if member is None:
        return _joined(organization, provider, arrival, now, returning=returning)
    if not member.active:
        raise MembershipSuspended
    if (
        provider.role_claim is None
        or role is member.role
        or is_last_admin(organization.members, user_id)
    ):
        return []
    return [MemberRoleChanged(user_id=user_id, from_=member.role, to=role)]


def _joined(
    organization: Organization,
    provider: Provider,
    arrival: Arrival,
    now: datetime,
    *,
    returning: bool,
) -> list[OrganizationEvent]:
    role = provider.role_for(arrival.role_values)
    open_ones = (
        (invitation_id, invitation)
        for invitation_id, invitation in organization.invitations.items()
        if invitation.email == arrival.email and invitation.expires_at > now
    )
    invited = next(open_ones, None)
    if invited is not None:
        role = invited[1].role if provider.role_claim is None else role
        return organization.accept_invitation(invited[0], arrival.user_id, now, role)
    if returning:
        raise MembershipEnded
    return organization.add_member(arrival.user_id, role)


def _breaks_glass(organization: Organization, user_id: UserId, origin: SessionOrigin) -> bool:
    """Return whether an ADMIN may enter by password although others may not.

    Else nobody could repair a provider that is broken.
    """
    if origin.factor not in (Factor.TOTP, Factor.RECOVERY_CODE):
        return False
    return organization.role_of(user_id) is Role.ADMIN
