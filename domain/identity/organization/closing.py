"""What an organization lets go of when the account of somebody who was a member is erased."""

from domain.base import UserId
from domain.identity.organization.events import OrganizationEvent
from domain.identity.organization.legal_hold import refuse_if_held
from domain.identity.organization.sso import MemberUnlinked
from domain.identity.organization.state import Organization


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
