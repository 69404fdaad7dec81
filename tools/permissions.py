"""The page of permissions: which role may what, and what each command needs."""

from commands.base import Command
from domain.identity.organization.membership import Role
from domain.permission import ROLE_PERMISSIONS, Permission
from tools.discover import leaves
from tools.markdown import code, meaning, page, table

_INTRO = """\
Whatever the first table does not grant is denied. The role is read in the same append that records
the events, so somebody who loses a role loses every race with it. Rules that need more than the
role (only one's own young tasks, only somebody below oneself) stand with their aggregate in
`domain/`; they are said in the summaries below."""

_ROLES = sorted(Role, key=lambda role: -role.rank)


def permissions_page() -> str:
    """Return the page: roles against permissions, then commands."""
    granted = [
        (code(permission), *("yes" if permission in ROLE_PERMISSIONS[r] else "" for r in _ROLES))
        for permission in Permission
    ]
    commands = [
        (code(command.__name__), code(command.needs or ""), meaning(command))
        for command in leaves(Command, "commands")
    ]
    return page(
        "Permissions",
        _INTRO,
        "## What a role may",
        table(("permission", *(role.value for role in _ROLES)), granted),
        "## What a command needs\n\nWhere nothing is named, the command itself decides: it is about"
        " the caller's own account, or a rule asks for it.",
        table(("command", "needs", "summary"), commands),
    )
