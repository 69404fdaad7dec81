"""Catalog: every event there is, by its stored name."""

from typing import get_args

from domain.audit import AuditEvent
from domain.base import Event
from domain.claim import ClaimEvent
from domain.organization import OrganizationEvent
from domain.project import ProjectEvent
from domain.session import SessionEvent
from domain.task import TaskEvent
from domain.user import UserEvent
from domain.webhook import WebhookEvent, pattern_covers

AnyEvent = (
    ClaimEvent
    | UserEvent
    | SessionEvent
    | OrganizationEvent
    | ProjectEvent
    | TaskEvent
    | WebhookEvent
    | AuditEvent
)


def tag_of(event: Event | type[Event]) -> str:
    """Return the stored name of an event or of its class."""
    return str(event.__struct_config__.tag)


EVENT_TYPES: dict[str, type[Event]] = {
    tag_of(event): event for event in sorted(get_args(AnyEvent), key=tag_of)
}


def events_covered_by(pattern: str) -> tuple[str, ...]:
    """Return the names of the events that a webhook's *pattern* asks for; none: it is unknown."""
    return tuple(tag for tag in EVENT_TYPES if pattern_covers(pattern, tag))
