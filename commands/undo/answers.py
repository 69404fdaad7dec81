"""What becomes of each kind of event when it is undone: what takes it back, or why nothing does."""

from commands.undo.changed import Answer, Final
from commands.undo.content import OF_CONTENTS
from commands.undo.plan import OF_PLANS
from commands.undo.project import OF_PROJECTS
from commands.undo.task import OF_TASKS
from commands.undo.template import OF_TEMPLATES
from domain.access import AccessRecord
from domain.audit import AuditTrail
from domain.base import Event
from domain.catalog import PUBLIC_EVENT_TYPES, state_of
from domain.hooks.webhook.state import Webhook
from domain.identity.api_key.state import ApiKey
from domain.identity.organization.state import Organization
from domain.redaction import Redaction
from domain.undo import Undo
from domain.work.relation import DependencyGraph

REVERSIBLE: dict[type[Event], Answer] = {
    **OF_TASKS,
    **OF_CONTENTS,
    **OF_PROJECTS,
    **OF_PLANS,
    **OF_TEMPLATES,
}
"""The answers for the events of what people work with."""

FINAL: dict[type, Final] = {
    Organization: Final(
        "Who belongs to an organization, and how it is run, is changed by its ADMINs alone."
    ),
    Webhook: Final("Who receives events is changed where webhooks are."),
    ApiKey: Final("A key that was revoked may be known to others."),
    AccessRecord: Final("It tells what happened, and changed nothing."),
    AuditTrail: Final("It tells what happened, and changed nothing."),
    Redaction: Final("What is gone cannot come back."),
    Undo: Final("The changes that were made to undo something are undone one by one."),
}
"""The answers for all events of the other kinds of streams."""


def answer_to(kind: type[Event]) -> Answer:
    """Return what becomes of a kind of event."""
    found = REVERSIBLE.get(kind)
    return FINAL[state_of(kind)] if found is None else found


def creates(kind: type[Event]) -> bool:
    """Return whether a kind of event begins a thing; relations are in a stream that is there."""
    state = state_of(kind)
    return kind is state.folds[0] and state is not DependencyGraph


RESTORING = tuple(
    kind
    for kind in PUBLIC_EVENT_TYPES.values()
    if not isinstance(answer_to(kind), Final) and not creates(kind)
)
"""The events that undoing records: all that can be undone, without those that create something."""
