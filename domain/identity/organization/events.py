"""What can happen to an organization."""

from msgspec import field

from domain.base import Event, Personal
from domain.identity.organization.membership import (
    MembershipEvent,
)
from domain.identity.plan import Plan


class OrganizationCreated(Event, frozen=True, kw_only=True, tag="organization.created"):
    """A customer opened an organization."""

    name: Personal
    subdomain: str
    plan: Plan


class OrganizationRenamed(Event, frozen=True, kw_only=True, tag="organization.renamed"):
    """An organization goes by another name."""

    from_: Personal = field(name="from")
    to: Personal


class SubdomainChanged(Event, frozen=True, kw_only=True, tag="organization.subdomain_changed"):
    """An organization is addressed by another subdomain."""

    from_: str = field(name="from")
    to: str


class PlanChanged(Event, frozen=True, kw_only=True, tag="organization.plan_changed"):
    """An organization subscribed to a larger or smaller plan."""

    from_: Plan = field(name="from")
    to: Plan


class OrganizationDeleted(Event, frozen=True, kw_only=True, tag="organization.deleted"):
    """An organization was put in the trash with all that it owns."""


class OrganizationRestored(Event, frozen=True, kw_only=True, tag="organization.restored"):
    """An organization came back from the trash exactly as it was."""


OrganizationEvent = (
    OrganizationCreated
    | OrganizationRenamed
    | SubdomainChanged
    | PlanChanged
    | OrganizationDeleted
    | OrganizationRestored
    | MembershipEvent
)
