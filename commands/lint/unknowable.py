"""The claims on values that are erased, so that nobody can know any more what was claimed."""

from commands.claims.exchange import (
    EXTERNAL_COMMENT,
    EXTERNAL_FILE,
    EXTERNAL_ID,
    EXTERNAL_WORKLOG,
)
from commands.claims.planning import CYCLES, FIELDS, MILESTONES
from commands.claims.templates import TEMPLATE_NAME
from commands.claims.views import VIEW_NAME
from commands.label_claims import LABEL_NAME
from commands.project_claims import TEAM_NAME
from commands.reservations import EMAIL, SUBJECT
from domain.base import ERASED, Event

EXTERNAL = (EXTERNAL_ID, EXTERNAL_COMMENT, EXTERNAL_FILE, EXTERNAL_WORKLOG)
_NAMES = (
    LABEL_NAME,
    TEAM_NAME,
    TEMPLATE_NAME,
    VIEW_NAME,
    FIELDS.scope,
    CYCLES.scope,
    MILESTONES.scope,
)
_SCOPES = frozenset({EMAIL, SUBJECT, *EXTERNAL, *_NAMES})
_FIELDS = ("email", "name", "from_", "to", "subject", "external_id")


def unknowable_claims(event: Event) -> frozenset[str]:
    """Return the scopes in which *event* claims or releases what is erased; none otherwise."""
    told = (getattr(event, name, None) for name in _FIELDS)
    return _SCOPES if ERASED in told else frozenset()
