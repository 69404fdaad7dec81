"""Generates the permissions page: what each role may do, and what each command needs."""

from commands.base import Command
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
    """Return the page: permissions of each role, then commands."""
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
    return page(
        "Permissions",
        _INTRO,
        "## Roles",
        table(("permission", *(role.value for role in _ROLES), "API keys"), granted),
        "## Commands\n\nA command without a permission decides for itself: it concerns only"
        " the caller's own account, or one of our own rules sends it.",
        table(("command", "needs", "summary"), commands),
    )


def _of_keys(permission: Permission) -> str:
    if permission not in KEY_PERMISSIONS:
        return ""
    return "yes, of a MEMBER too" if permission in permissions_of_key(Role.MEMBER) else "yes"
