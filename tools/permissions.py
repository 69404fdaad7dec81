"""Generates the permissions page: what roles may do, and what commands and events need."""

from commands.base import Command
from domain.catalog import PUBLIC_EVENT_TYPES
from domain.event_permission import permission_to_read
from domain.identity.organization.membership import Role
from domain.permission import (
    KEY_PERMISSIONS,
    ROLE_PERMISSIONS,
    Permission,
    permissions_of_key,
)
from tools.discover import leaves
from tools.markdown import code, meaning, page, table

_INTRO = """\
What the first table does not grant is denied. The append that records the events verifies the
role, so a command fails if the caller loses the role in the meantime. Rules that need more than
the role (only your own recent tasks, only members with a lower role) are part of their aggregate
in `domain/` and mentioned in the summaries below.

The last column lists the scopes of API keys. A key has those that it was created for, as far as its
creator's role grants them at the moment; a key of a MEMBER has only those that say so."""

_ROLES = sorted(Role, key=lambda role: -role.rank)


def permissions_page() -> str:
    """Return the page: permissions of each role, then commands, then events."""
    granted = [
        (
            code(permission),
            *("yes" if permission in ROLE_PERMISSIONS[r] else "" for r in _ROLES),
            _of_keys(permission),
        )
        for permission in Permission
    ]
    commands = [
        (code(command.__name__), code(command.needs or ""), meaning(command))
        for command in leaves(Command, "commands")
    ]
    events = [
        (code(needed), ", ".join(code(tag) for tag in tags)) for needed, tags in _events().items()
    ]
    return page(
        "Permissions",
        _INTRO,
        "## Roles",
        table(("permission", *(role.value for role in _ROLES), "API keys"), granted),
        "## Commands\n\nA command without a permission decides for itself: it concerns only"
        " the caller's own account, or one of our own rules sends it.",
        table(("command", "needs", "summary"), commands),
        "## Events\n\nWhat somebody needs to be told an event by `GET /api/events`, beside seeing"
        " the project that it is about.",
        table(("needs", "events"), events),
    )


def _events() -> dict[Permission, list[str]]:
    """Return the events that live readers are told, by the permission that they need."""
    found: dict[Permission, list[str]] = {}
    for tag in PUBLIC_EVENT_TYPES:
        found.setdefault(permission_to_read(tag), []).append(tag)
    return {needed: found[needed] for needed in Permission if needed in found}


def _of_keys(permission: Permission) -> str:
    if permission not in KEY_PERMISSIONS:
        return ""
    return "yes, of a MEMBER too" if permission in permissions_of_key(Role.MEMBER) else "yes"
