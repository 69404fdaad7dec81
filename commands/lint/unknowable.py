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
from commands.happening import Happening
from commands.label_claims import LABEL_NAME
from commands.project_claims import TEAM_NAME
from commands.reservations import EMAIL, SUBJECT
from domain.base import ERASED
from eventstore.claim import ClaimKey

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
_HASHED = frozenset({EMAIL, *EXTERNAL, *_NAMES})
"""The scopes whose values are hashes of a text."""


def is_unknowable(happened: Happening, claim: ClaimKey) -> bool:
    """Return whether what *happened* claims is erased: a claim on the word that stands for it."""
    if claim.scope == SUBJECT:
        return getattr(happened.event, "subject", None) == ERASED
    return claim.scope in _HASHED and claim.value == happened.fingerprint(claim.scope, ERASED)
