"""Events of an organization, except those of its members and its settings."""

from msgspec import field

from domain.base import Event, Personal
from domain.identity.organization.forked import OrganizationForked
from domain.identity.organization.legal_hold import LegalHoldEvent
from domain.identity.organization.membership import (
    MembershipEvent,
)
from domain.identity.organization.settings import SettingsChanged
from domain.identity.organization.sso import SsoEvent
from domain.identity.plan import Plan


class OrganizationCreated(Event, frozen=True, kw_only=True, tag="organization.created"):
    """A customer created an organization."""

    name: Personal
    subdomain: str
    plan: Plan


class OrganizationRenamed(Event, frozen=True, kw_only=True, tag="organization.renamed"):
    """An organization was renamed."""

    sets = ("name",)
    from_: Personal = field(name="from")
    to: Personal


class SubdomainChanged(Event, frozen=True, kw_only=True, tag="organization.subdomain_changed"):
    """An organization moved to another subdomain."""

    sets = ("subdomain",)
    from_: str = field(name="from")
    to: str


class PlanChanged(Event, frozen=True, kw_only=True, tag="organization.plan_changed"):
    """An organization changed its plan."""

    sets = ("plan",)
    from_: Plan = field(name="from")
    to: Plan


class OrganizationDeleted(Event, frozen=True, kw_only=True, tag="organization.deleted"):
    """An organization was moved to the trash with everything it owns."""

    sets = ("deleted",)


class OrganizationRestored(Event, frozen=True, kw_only=True, tag="organization.restored"):
    """An organization was restored from the trash, unchanged."""

    sets = ("deleted",)


class OrganizationPurged(Event, frozen=True, kw_only=True, tag="organization.purged"):
    """An organization in the trash is gone for good, with the texts of everything in it."""

    sets = ("name", "settings:security_contacts", "legal_hold", "purged")


OrganizationEvent = (
    OrganizationCreated
    | OrganizationRenamed
    | SubdomainChanged
    | PlanChanged
    | SettingsChanged
    | OrganizationDeleted
    | OrganizationRestored
    | OrganizationPurged
    | OrganizationForked
    | LegalHoldEvent
    | SsoEvent
    | MembershipEvent
)
