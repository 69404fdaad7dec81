"""Catalog of all events by their stored names."""

from typing import get_args

from domain.audit import AuditEvent
from domain.base import Event
from domain.hooks.webhook.events import WebhookEvent
from domain.hooks.webhook.state import pattern_covers
from domain.identity.organization.events import OrganizationEvent
from domain.identity.session import SessionEvent
from domain.identity.user import UserEvent
from domain.work.project import ProjectEvent
from domain.work.task.events import TaskEvent

AnyEvent = (
    UserEvent
    | SessionEvent
    | OrganizationEvent
    | ProjectEvent
    | TaskEvent
    | WebhookEvent
    | AuditEvent
)


def tag_of(event: Event | type[Event]) -> str:
    """Return the stored name of an event or event class."""
    return str(event.__struct_config__.tag)


EVENT_TYPES: dict[str, type[Event]] = {
    tag_of(event): event for event in sorted(get_args(AnyEvent), key=tag_of)
}


_INTERNAL = {tag_of(event) for event in get_args(UserEvent | SessionEvent)}

PUBLIC_EVENT_TYPES = {tag: kind for tag, kind in EVENT_TYPES.items() if tag not in _INTERNAL}
"""The events that webhooks can deliver. Accounts and sessions are left out because they belong to
no organization."""


def events_covered_by(pattern: str) -> tuple[str, ...]:
    """Return the names of the events that *pattern* matches; empty if it matches none."""
    return tuple(tag for tag in PUBLIC_EVENT_TYPES if pattern_covers(pattern, tag))
