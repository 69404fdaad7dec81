"""How an organization ends: for somebody whose account is erased, and for everybody."""

from datetime import datetime

from domain.base import NotFound, UserId
from domain.identity.organization.events import OrganizationEvent, OrganizationPurged
from domain.identity.organization.legal_hold import refuse_if_held
from domain.identity.organization.membership import InvitationRevoked
from domain.identity.organization.sso import MemberUnlinked
from domain.identity.organization.state import Organization
from domain.identity.plan import PLAN_LIMITS


def close_account(organization: Organization, user_id: UserId) -> list[OrganizationEvent]:
    """End a membership, and forget who its holder was to the identity provider.

    Somebody stays a member of a deleted organization, where they are shown as erased if it comes
    back.

    :raises LegalHold: they belong to it, and it is under a legal hold.
    :raises LastAdmin: nobody else could administer the organization.
    """
    if organization.member(user_id) is not None:
        refuse_if_held(organization.legal_hold)
    here = not organization.deleted and organization.member(user_id) is not None
    left = organization.remove(user_id, by=None) if here else []
    linked = user_id in organization.sign_on.links
    return [*left, *([MemberUnlinked(user_id=user_id)] if linked else [])]


def purge_organization(
    organization: Organization, deleted_at: datetime | None, now: datetime
) -> list[OrganizationEvent]:
    """End an organization that has been in the trash for as long as its plan keeps it.

    Who is invited to it is invited no more. Nothing happens before the time has come.

    :raises NotFound: it is not in the trash, or purged already.
    :raises LegalHold: it is under a legal hold.
    """
    if not organization.deleted or organization.purged:
        raise NotFound
    refuse_if_held(organization.legal_hold)
    kept = PLAN_LIMITS[organization.plan].trash_retention
    if deleted_at is None or now < deleted_at + kept:
        return []
    ended = [InvitationRevoked(invitation_id=each) for each in sorted(organization.invitations)]
    return [*ended, OrganizationPurged()]
