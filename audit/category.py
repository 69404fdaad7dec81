"""Categories of events in the audit log, for people who look for one kind of event."""

from enum import StrEnum
from functools import cache

from domain.catalog import PUBLIC_EVENT_TYPES
from domain.hooks.webhook.state import pattern_covers


class Category(StrEnum):
    """What an event is about; some are about two things."""

    WORK = "work"
    MEMBERS = "members"
    SECURITY = "security"
    ACCESS = "access"


PATTERNS = {
    Category.MEMBERS: ("member.*", "organization.*"),
    Category.SECURITY: (
        "member.joined",
        "member.left",
        "member.role_changed",
        "member.deactivated",
        "member.reactivated",
        "member.linked",
        "member.unlinked",
        "organization.plan_changed",
        "organization.settings_changed",
        "organization.domain_proven",
        "organization.sso_configured",
        "organization.sso_removed",
        "organization.deleted",
        "organization.restored",
        "webhook.*",
        "api_key.*",
        "access.*",
        "audit.*",
        "content.redacted",
        "log.*",
    ),
    Category.ACCESS: ("access.*", "audit.*"),
}
"""The events of each category, named as webhooks subscribe to them. WORK is all others."""


@cache
def events_of(category: Category) -> frozenset[str]:
    """Return the names of the events in *category*."""
    found = {
        each: frozenset(
            tag for tag in PUBLIC_EVENT_TYPES if any(pattern_covers(one, tag) for one in patterns)
        )
        for each, patterns in PATTERNS.items()
    }
    found[Category.WORK] = frozenset(PUBLIC_EVENT_TYPES).difference(*found.values())
    return found[category]
