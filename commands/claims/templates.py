"""What the events of task templates reserve: their names, where they belong."""

from commands.happening import Fingerprint, Happening, Reservations, Rule
from domain.base import Event, OrgId
from domain.name import folded
from domain.planning.template.errors import TemplateNameTaken
from domain.planning.template.events import (
    TemplateCreated,
    TemplateDeleted,
    TemplatePurged,
    TemplateRenamed,
    TemplateRestored,
)
from domain.planning.template.state import TaskTemplate
from eventstore.claim import ClaimChange, ClaimKey

TEMPLATE_NAME = "template name"


def template_name_claim(
    fingerprint: Fingerprint, org_id: OrgId, template: TaskTemplate
) -> ClaimKey:
    """Return the claim on the name of a template, in its project or the organization."""
    value = fingerprint(TEMPLATE_NAME, folded(template.name))
    return ClaimKey(org_id, TEMPLATE_NAME, template.project_id or org_id, value)


def _named(happened: Happening, reserved: Reservations) -> None:
    """Hold the name that a template has after the event, and free the one that it had before."""
    before: TaskTemplate = happened.before
    after = before.evolve(happened.event)
    old, new = (_claim(happened, template) for template in (before, after))
    if old == new:
        return
    if new is not None:
        taken = TemplateNameTaken(name=after.name)
        reserved.claims.append(ClaimChange(new, happened.stream, taken))
    if old is not None:
        reserved.claims.append(ClaimChange(old, happened.stream, release=True))


def _claim(happened: Happening, template: TaskTemplate) -> ClaimKey | None:
    if template.created_at is None or template.deleted:
        return None
    return template_name_claim(happened.fingerprint, happened.org_id, template)


TEMPLATE_RULES: dict[type[Event], Rule] = dict.fromkeys(
    (TemplateCreated, TemplateRenamed, TemplateDeleted, TemplateRestored, TemplatePurged),
    _named,
)
"""The rule of each kind of event that changes where which name is taken."""
