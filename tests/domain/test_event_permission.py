"""Who is told which events: members of their work, others only with the permission for them."""

from domain.catalog import PUBLIC_EVENT_TYPES
from domain.event_permission import permission_to_read
from domain.identity.organization.membership import Role
from domain.permission import Permission, is_allowed


def seen_by(role: Role) -> set[str]:
    return {tag for tag in PUBLIC_EVENT_TYPES if is_allowed(role, permission_to_read(tag))}


def test_members_are_told_of_work_and_not_of_invitations_keys_or_access() -> None:
    seen = seen_by(Role.MEMBER)

    assert {"task.created", "comment.posted", "project.archived", "member.joined"} <= seen
    hidden = ("access.", "api_key.", "audit.", "log.", "webhook.")
    assert not [tag for tag in seen if tag.startswith(hidden)]
    assert not seen & {
        *("member.invited", "member.linked", "member.unlinked", "organization.sso_configured")
    }


def test_managers_are_told_more_and_administrators_everything() -> None:
    assert seen_by(Role.MANAGER) - seen_by(Role.MEMBER) >= {"member.invited", "webhook.created"}
    assert seen_by(Role.ADMIN) == set(PUBLIC_EVENT_TYPES)


def test_an_event_that_nobody_listed_is_only_for_the_audit_log() -> None:
    assert permission_to_read("novelty.invented") is Permission.AUDIT_READ
