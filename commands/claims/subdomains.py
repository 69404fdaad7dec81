"""What the events of organizations reserve: their subdomains, which nobody else has."""

from datetime import timedelta

from commands.happening import Happening, Reservations, Rule
from domain.base import PLATFORM, Event
from domain.claim import SUBDOMAIN_KEPT, SubdomainTaken
from domain.identity.organization.events import (
    OrganizationCreated,
    OrganizationPurged,
    SubdomainChanged,
)
from eventstore.claim import ClaimChange, ClaimKey

SUBDOMAIN = "subdomain"
_MICROSECOND = timedelta(microseconds=1)


def subdomain_claim(subdomain: str) -> ClaimKey:
    """Return the claim on a subdomain, in lower case."""
    return ClaimKey(PLATFORM, SUBDOMAIN, PLATFORM, subdomain.encode())


def _organization_created(happened: Happening, reserved: Reservations) -> None:
    _take_subdomain(happened, happened.event.subdomain, reserved)


def _subdomain_changed(happened: Happening, reserved: Reservations) -> None:
    _take_subdomain(happened, happened.event.to, reserved)
    until = happened.at + SUBDOMAIN_KEPT // _MICROSECOND
    old = subdomain_claim(happened.event.from_)
    reserved.claims.append(ClaimChange(old, happened.stream, release=True, keep_until=until))


def _organization_purged(happened: Happening, reserved: Reservations) -> None:
    claim = subdomain_claim(happened.before.subdomain)
    reserved.claims.append(ClaimChange(claim, happened.stream, release=True))


def _take_subdomain(happened: Happening, subdomain: str, reserved: Reservations) -> None:
    taken = SubdomainTaken(subdomain=subdomain)
    reserved.claims.append(ClaimChange(subdomain_claim(subdomain), happened.stream, taken))


SUBDOMAIN_RULES: dict[type[Event], Rule] = {
    OrganizationCreated: _organization_created,
    SubdomainChanged: _subdomain_changed,
    OrganizationPurged: _organization_purged,
}
"""The rule of each kind of event that changes whose a subdomain is."""
