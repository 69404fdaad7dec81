"""The letter to the security contacts of an organization, about what an attacker would do.

They are told of who became an ADMIN, of an ADMIN on a new network, of secrets and keys, and of a
changed plan or changed settings. Contacts that were removed are told of that once more.
"""

from collections.abc import Callable, Mapping
from typing import Any

from domain.access import NewNetworkUsed
from domain.base import ERASED, Event, NotFound, UserId
from domain.hooks.webhook.events import WebhookCreated, WebhookSecretRotated
from domain.identity.api_key.events import ApiKeyCreated, ApiKeyRotated
from domain.identity.organization.events import OrganizationDeleted, PlanChanged
from domain.identity.organization.membership import MemberJoined, MemberRoleChanged, Role
from domain.identity.organization.settings import SettingsChanged
from domain.identity.organization.state import Organization
from domain.identity.user.state import User
from eventstore.recorded import ActorKind, Recorded
from mail.letter import NEWS_KEPT, Letter
from runtime.system import System

_NAMES = {
    "require_totp": "whether two-factor login is required",
    "login_ways": "how members can log in",
    "session_idle": "how long sessions live without use",
    "session_max": "how long sessions live without a new proof",
    "time_zone": "the time zone",
    "security_contacts": "who gets mails like this one",
}


async def security_letter(system: System, recorded: Recorded) -> Letter | None:
    """Return what the contacts are told of an event; None if there are none, or nothing to tell."""
    if recorded.at + NEWS_KEPT < system.clock():
        return None
    org_id = recorded.org_id
    try:
        organization = await system.commands.states.fresh(Organization, org_id, org_id)
    except NotFound:
        return None
    contacts = _contacts(organization, recorded)
    told = _TOLD[type(recorded.event)](recorded.event, organization)
    if not contacts or told is None:
        return None
    text, about = told
    whose = "" if about is None else f" {await _address_of(system, about)}"
    return Letter(
        to=contacts,
        subject=f"Security of {organization.name}",
        text=(
            f"{text.format(whose=whose)}\n\n"
            f"It was done by {await _author(system, recorded)}, at {recorded.at:%H:%M} UTC on"
            f" {recorded.at:%d %B %Y}.\n\n"
            f"You are a security contact of {organization.name} on Trackrecord. If nobody there"
            " knows of this, have an administrator look at the audit log.\n"
        ),
    )


def _contacts(organization: Organization, recorded: Recorded) -> tuple[str, ...]:
    found = dict.fromkeys(organization.settings.security_contacts)
    event = recorded.event
    if isinstance(event, SettingsChanged) and isinstance(event.former_contacts, str):
        found |= dict.fromkeys(event.former_contacts.splitlines())
    found.pop(ERASED, None)
    return tuple(found)


async def _author(system: System, recorded: Recorded) -> str:
    metadata = recorded.metadata
    if metadata.actor.kind is ActorKind.SYSTEM:
        return "the system itself"
    if metadata.on_behalf_of is None:
        return await _address_of(system, UserId(metadata.actor.id))
    return f"an API key of {await _address_of(system, UserId(metadata.on_behalf_of))}"


async def _address_of(system: System, user_id: UserId) -> str:
    try:
        return (await system.commands.states.fresh(User, user_id)).email
    except NotFound:
        return "somebody"


# What is told of each event, and of whom; None: nothing. ---------------------

Told = tuple[str, UserId | None] | None


def _new_network(event: NewNetworkUsed, organization: Organization) -> Told:
    if organization.role_of(event.user_id) is not Role.ADMIN:
        return None
    return "An administrator logged in from a network that they had not used before.", None


def _role(event: MemberRoleChanged, _: Organization) -> Told:
    if event.to is not Role.ADMIN:
        return None
    return "A member,{whose}, was made an administrator.", event.user_id


def _joined(event: MemberJoined, _: Organization) -> Told:
    if event.role is not Role.ADMIN:
        return None
    return "Somebody,{whose}, joined as an administrator.", event.user_id


def _plan(event: PlanChanged, _: Organization) -> Told:
    return f"The plan was changed from {event.from_} to {event.to}.", None


def _settings(event: SettingsChanged, _: Organization) -> Told:
    changed = ", ".join(_NAMES[name] for name in event.named())
    return f"Settings were changed: {changed}.", None


def _saying(text: str) -> Callable[[Any, Organization], Told]:
    def told(_event: Event, _organization: Organization) -> Told:
        return text, None

    return told


_TOLD: Mapping[type[Event], Callable[[Any, Organization], Told]] = {
    NewNetworkUsed: _new_network,
    MemberJoined: _joined,
    MemberRoleChanged: _role,
    PlanChanged: _plan,
    SettingsChanged: _settings,
    OrganizationDeleted: _saying("The organization was moved to the trash."),
    WebhookCreated: _saying("A webhook was created, which sends events to another system."),
    WebhookSecretRotated: _saying("The signing secret of a webhook was replaced."),
    ApiKeyCreated: _saying("An API key was created."),
    ApiKeyRotated: _saying("An API key was replaced by a new one."),
}

TOLD_TO_CONTACTS = tuple(_TOLD)
"""The events that security contacts are told of, if they ask for attention."""
