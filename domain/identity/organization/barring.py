"""Why a member has no access to their organization although they are one."""

from enum import StrEnum

from domain.base import UserId
from domain.identity.organization.sign_on import accepts
from domain.identity.organization.state import Organization
from domain.identity.session.events import SessionOrigin


class Barred(StrEnum):
    """Why a member has no access to the organization of their session; the code of the refusal."""

    SUSPENDED = "membership_suspended"
    NO_TOTP = "totp_required"
    OTHER_WAY = "login_way_not_accepted"


def barred_from(
    organization: Organization, user_id: UserId, origin: SessionOrigin, *, totp: bool
) -> Barred | None:
    """Return why somebody in a session that began like this has no access; None if they have.

    Nobody is barred from an organization that they are no member of: it does not exist for them.
    *totp* tells whether their logins need a second factor.
    """
    member = organization.member(user_id)
    if member is None or organization.deleted:
        return None
    if not member.active:
        return Barred.SUSPENDED
    if not accepts(organization, user_id, origin):
        return Barred.OTHER_WAY
    if origin.by_provider:  # which asks for a second factor, if the organization wants one
        return None
    return Barred.NO_TOTP if organization.settings.require_totp and not totp else None
