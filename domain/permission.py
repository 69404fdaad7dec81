"""Permissions of each role. What the table does not grant is denied.

Rules that need more than the role are decided by the aggregate: ``domain/identity/organization``
lets a MANAGER remove only a MEMBER, ``domain/work/task`` lets a MEMBER delete only tasks that they
created in the last 24 hours.

In the projects of a team, its LEADs may do what ``LEAD_PERMISSIONS`` grants as well, whatever their
role; they do it as persons, not with API keys.

An API key may do what its scopes, its creator's role and ``KEY_PERMISSIONS`` allow, all three.
"""

from enum import StrEnum
from functools import lru_cache

from domain.identity.organization.membership import Role


class Permission(StrEnum):
    """What a command or route requires, as ``resource:action``."""

    ORG_READ = "org:read"
    ORG_MANAGE = "org:manage"  # rename, subdomain, plan, delete, restore
    SSO_READ = "sso:read"
    SSO_MANAGE = "sso:manage"  # the identity provider and its secret
    MEMBER_INVITE = "member:invite"
    INVITATION_READ = "invitation:read"
    MEMBER_REMOVE = "member:remove"
    MEMBER_MANAGE = "member:manage"  # roles, deactivation
    MEMBER_LEAVE = "member:leave"
    TEAM_READ = "team:read"
    TEAM_CREATE = "team:create"  # and delete, restore
    TEAM_EDIT = "team:edit"  # name and members
    PROJECT_READ = "project:read"
    PROJECT_CREATE = "project:create"
    PROJECT_EDIT = "project:edit"
    PROJECT_ARCHIVE = "project:archive"
    PROJECT_HOLD = "project:hold"
    PROJECT_WORKFLOW = "project:workflow"
    PROJECT_DELETE = "project:delete"  # and restore
    TASK_READ = "task:read"
    TASK_CREATE = "task:create"
    TASK_EDIT = "task:edit"
    TASK_DELETE = "task:delete"  # and restore
    TASK_DELETE_OWN = "task:delete_own"  # and restore, within the first 24 hours
    TASK_FORCE = "task:force"
    COMMENT_POST = "comment:post"  # and edit, delete and restore one's own
    COMMENT_DELETE = "comment:delete"  # and restore, everybody's
    WORKLOG_LOG = "worklog:log"  # and change, delete and restore one's own
    WORKLOG_MANAGE = "worklog:manage"  # log for others; change, delete and restore everybody's
    ATTACHMENT_ADD = "attachment:add"  # and delete and restore one's own
    ATTACHMENT_DELETE = "attachment:delete"  # and restore, everybody's
    TRASH_READ = "trash:read"  # MEMBERs: their own things, LEADs: their team's projects, too
    TRASH_PURGE = "trash:purge"  # for good, before its time
    CONTENT_REDACT = "content:redact"  # a single text, for good
    WEBHOOK_READ = "webhook:read"
    WEBHOOK_MANAGE = "webhook:manage"
    AUDIT_READ = "audit:read"
    CHANGE_UNDO = "change:undo"  # what one did oneself, as far as one may do the opposite
    CHANGE_UNDO_OTHERS = "change:undo_others"
    APIKEY_READ = "apikey:read"
    APIKEY_CREATE = "apikey:create"  # and change, rotate and revoke one's own
    APIKEY_MANAGE = "apikey:manage"  # everybody's


_MEMBER = frozenset(
    {
        Permission.ORG_READ,
        Permission.MEMBER_LEAVE,
        Permission.TEAM_READ,
        Permission.PROJECT_READ,
        Permission.TASK_READ,
        Permission.TASK_CREATE,
        Permission.TASK_EDIT,
        Permission.TASK_DELETE_OWN,
        Permission.COMMENT_POST,
        Permission.WORKLOG_LOG,
        Permission.ATTACHMENT_ADD,
        Permission.TRASH_READ,
        Permission.CHANGE_UNDO,
        Permission.APIKEY_READ,
        Permission.APIKEY_CREATE,
    }
)

_MANAGER = _MEMBER | {
    Permission.MEMBER_INVITE,
    Permission.INVITATION_READ,
    Permission.MEMBER_REMOVE,
    Permission.TEAM_CREATE,
    Permission.TEAM_EDIT,
    Permission.PROJECT_CREATE,
    Permission.PROJECT_EDIT,
    Permission.PROJECT_ARCHIVE,
    Permission.PROJECT_HOLD,
    Permission.PROJECT_WORKFLOW,
    Permission.PROJECT_DELETE,
    Permission.TASK_DELETE,
    Permission.TASK_FORCE,
    Permission.COMMENT_DELETE,
    Permission.WORKLOG_MANAGE,
    Permission.ATTACHMENT_DELETE,
    Permission.CHANGE_UNDO_OTHERS,
    Permission.WEBHOOK_READ,
}

_ADMIN = _MANAGER | {
    Permission.ORG_MANAGE,
    Permission.SSO_READ,
    Permission.SSO_MANAGE,
    Permission.MEMBER_MANAGE,
    Permission.TRASH_PURGE,
    Permission.CONTENT_REDACT,
    Permission.WEBHOOK_MANAGE,
    Permission.AUDIT_READ,
    Permission.APIKEY_MANAGE,
}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.MEMBER: _MEMBER,
    Role.MANAGER: _MANAGER,
    Role.ADMIN: _ADMIN,
}

LEAD_PERMISSIONS = frozenset(
    {
        Permission.TEAM_EDIT,
        Permission.PROJECT_HOLD,
        Permission.PROJECT_WORKFLOW,
        Permission.TASK_DELETE,
        Permission.TASK_FORCE,
        Permission.COMMENT_DELETE,
        Permission.WORKLOG_MANAGE,
        Permission.ATTACHMENT_DELETE,
    }
)
"""What the LEAD of a team may do beyond their role, in that team and in the projects of it."""


Scopes = frozenset[Permission]
"""What an API key was created for."""

KEY_PERMISSIONS: Scopes = frozenset(
    {
        Permission.ORG_READ,
        Permission.TEAM_READ,
        Permission.TEAM_CREATE,
        Permission.TEAM_EDIT,
        Permission.PROJECT_READ,
        Permission.PROJECT_CREATE,
        Permission.PROJECT_EDIT,
        Permission.PROJECT_ARCHIVE,
        Permission.PROJECT_HOLD,
        Permission.PROJECT_WORKFLOW,
        Permission.PROJECT_DELETE,
        Permission.TASK_READ,
        Permission.TASK_CREATE,
        Permission.TASK_EDIT,
        Permission.TASK_DELETE,
        Permission.TASK_DELETE_OWN,
        Permission.TASK_FORCE,
        Permission.COMMENT_POST,
        Permission.WORKLOG_LOG,
        Permission.COMMENT_DELETE,
        Permission.WORKLOG_MANAGE,
        Permission.ATTACHMENT_ADD,
        Permission.ATTACHMENT_DELETE,
        Permission.TRASH_READ,
        Permission.WEBHOOK_READ,
        Permission.WEBHOOK_MANAGE,
        Permission.AUDIT_READ,
        Permission.CHANGE_UNDO,
        Permission.CHANGE_UNDO_OTHERS,
    }
)
"""What an API key can be created for. Whoever steals one can neither let people in, change roles
or the plan, nor create further keys: members, the organization and keys are left to people."""

_READ_ONLY = frozenset(
    {Permission.ORG_READ, Permission.TEAM_READ, Permission.PROJECT_READ, Permission.TASK_READ}
)


@lru_cache(1_000)
def scopes_named(names: tuple[str, ...]) -> Scopes:
    """Return the permissions with these names; a name that no longer exists grants nothing."""
    return frozenset(permission for permission in Permission if permission in names)


def permissions_of_key(role: Role) -> Scopes:
    """Return what the keys of somebody with *role* may do at most; those of a MEMBER only read."""
    return _READ_ONLY if role is Role.MEMBER else ROLE_PERMISSIONS[role] & KEY_PERMISSIONS


def is_allowed(role: Role | None, permission: Permission, scopes: Scopes | None = None) -> bool:
    """Return whether *role* grants *permission*; no role grants none.

    *scopes* are those of the API key that is used, None for a person.
    """
    if role is None:
        return False
    if scopes is None:
        return permission in ROLE_PERMISSIONS[role]
    return permission in scopes and permission in permissions_of_key(role)
