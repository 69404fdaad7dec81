"""Permissions of each role. What the table does not grant is denied.

Rules that need more than the role are decided by the aggregate: ``domain/identity/organization``
lets a MANAGER remove only a MEMBER, ``domain/work/task`` lets a MEMBER delete only tasks that they
created in the last 24 hours.
"""

from enum import StrEnum

from domain.identity.organization.membership import Role


class Permission(StrEnum):
    """What a command or route requires, as ``resource:action``."""

    ORG_READ = "org:read"
    ORG_MANAGE = "org:manage"  # rename, subdomain, plan, delete, restore
    MEMBER_INVITE = "member:invite"
    INVITATION_READ = "invitation:read"
    MEMBER_REMOVE = "member:remove"
    MEMBER_MANAGE = "member:manage"  # roles, deactivation
    MEMBER_LEAVE = "member:leave"
    PROJECT_READ = "project:read"
    PROJECT_CREATE = "project:create"
    PROJECT_EDIT = "project:edit"
    PROJECT_ARCHIVE = "project:archive"
    PROJECT_HOLD = "project:hold"
    PROJECT_DELETE = "project:delete"  # and restore
    TASK_READ = "task:read"
    TASK_CREATE = "task:create"
    TASK_EDIT = "task:edit"
    TASK_DELETE = "task:delete"  # and restore
    TASK_DELETE_OWN = "task:delete_own"  # and restore, within the first 24 hours
    TASK_FORCE = "task:force"
    WEBHOOK_READ = "webhook:read"
    WEBHOOK_MANAGE = "webhook:manage"
    AUDIT_READ = "audit:read"


_MEMBER = frozenset(
    {
        Permission.ORG_READ,
        Permission.MEMBER_LEAVE,
        Permission.PROJECT_READ,
        Permission.TASK_READ,
        Permission.TASK_CREATE,
        Permission.TASK_EDIT,
        Permission.TASK_DELETE_OWN,
    }
)

_MANAGER = _MEMBER | {
    Permission.MEMBER_INVITE,
    Permission.INVITATION_READ,
    Permission.MEMBER_REMOVE,
    Permission.PROJECT_CREATE,
    Permission.PROJECT_EDIT,
    Permission.PROJECT_ARCHIVE,
    Permission.PROJECT_HOLD,
    Permission.PROJECT_DELETE,
    Permission.TASK_DELETE,
    Permission.TASK_FORCE,
    Permission.WEBHOOK_READ,
}

_ADMIN = _MANAGER | {
    Permission.ORG_MANAGE,
    Permission.MEMBER_MANAGE,
    Permission.WEBHOOK_MANAGE,
    Permission.AUDIT_READ,
}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.MEMBER: _MEMBER,
    Role.MANAGER: _MANAGER,
    Role.ADMIN: _ADMIN,
}


def is_allowed(role: Role | None, permission: Permission) -> bool:
    """Return whether *role* grants *permission*; no role grants none."""
    return role is not None and permission in ROLE_PERMISSIONS[role]
