"""Catalog of all kinds of streams, and of their events by stored name."""

from domain.access import AccessRecord
from domain.audit import AuditTrail
from domain.base import Event, State
from domain.hooks.webhook.state import Webhook, pattern_covers
from domain.identity.api_key.state import ApiKey
from domain.identity.organization.state import Organization
from domain.identity.session.state import Session
from domain.identity.user.state import User
from domain.planning.cycle import Cycle
from domain.planning.field import Field
from domain.planning.inbox import Inbox
from domain.planning.milestone import Milestone
from domain.planning.template.state import TaskTemplate
from domain.planning.view import SavedView
from domain.planning.worklog import Worklog
from domain.redaction import Redaction
from domain.undo import Undo
from domain.work.attachment import Attachment
from domain.work.comment import Comment
from domain.work.label import Label
from domain.work.project.state import Project
from domain.work.relation import DependencyGraph
from domain.work.task.state import Task
from domain.work.team import Team

STATES: tuple[type[State], ...] = (
    User,
    Session,
    Organization,
    AccessRecord,
    AuditTrail,
    Redaction,
    Undo,
    Team,
    Project,
    Task,
    DependencyGraph,
    Comment,
    Worklog,
    Label,
    Field,
    Cycle,
    Milestone,
    SavedView,
    TaskTemplate,
    Inbox,
    Attachment,
    Webhook,
    ApiKey,
)
"""Every kind of stream, by the state that its events are folded into."""


def tag_of(event: Event | type[Event]) -> str:
    """Return the stored name of an event or event class."""
    return str(event.__struct_config__.tag)


EVENT_TYPES: dict[str, type[Event]] = {
    tag_of(event): event
    for event in sorted((event for state in STATES for event in state.folds), key=tag_of)
}

_STATE_OF = {event: state for state in STATES for event in state.folds}

PUBLIC_EVENT_TYPES = {
    tag: event for tag, event in EVENT_TYPES.items() if not _STATE_OF[event].platform
}
"""The events that webhooks can deliver. Accounts and sessions are left out because they belong to
no organization."""


def state_of(event: type[Event]) -> type[State]:
    """Return the kind of stream that an event belongs to."""
    return _STATE_OF[event]


def events_covered_by(pattern: str) -> tuple[str, ...]:
    """Return the names of the events that *pattern* matches; empty if it matches none."""
    return tuple(tag for tag in PUBLIC_EVENT_TYPES if pattern_covers(pattern, tag))
