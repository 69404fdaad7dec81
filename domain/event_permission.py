"""Which permission somebody needs to be shown an event while it happens.

What is not listed is only for those who may read the audit log.
"""

from domain.permission import Permission

_OF_KIND = {
    "attachment": Permission.TASK_READ,
    "comment": Permission.TASK_READ,
    "label": Permission.TASK_READ,
    "member": Permission.ORG_READ,
    "organization": Permission.ORG_READ,
    "project": Permission.PROJECT_READ,
    "relation": Permission.TASK_READ,
    "task": Permission.TASK_READ,
    "team": Permission.TEAM_READ,
    "webhook": Permission.WEBHOOK_READ,
    "worklog": Permission.TASK_READ,
}
"""By the kind of stream, which is the first part of an event's name."""

_OF_EVENT = {
    "member.invitation_accepted": Permission.INVITATION_READ,
    "member.invitation_expired": Permission.INVITATION_READ,
    "member.invitation_revoked": Permission.INVITATION_READ,
    "member.invited": Permission.INVITATION_READ,
    "member.linked": Permission.AUDIT_READ,
    "member.unlinked": Permission.AUDIT_READ,
    "organization.settings_changed": Permission.ORG_MANAGE,
    "organization.domain_proven": Permission.SSO_READ,
    "organization.sso_configured": Permission.SSO_READ,
    "organization.sso_removed": Permission.SSO_READ,
}
"""Events that fewer people may read than others of their kind."""


def permission_to_read(tag: str) -> Permission:
    """Return the permission that shows events with the name *tag*."""
    of_kind = _OF_KIND.get(tag.partition(".")[0], Permission.AUDIT_READ)
    return _OF_EVENT.get(tag, of_kind)
