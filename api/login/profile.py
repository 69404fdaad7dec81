"""Profile: an account as its owner sees it."""

import msgspec
from msgspec import Struct

from api.http.caller import Caller
from domain.base import OrgId, UserId
from domain.identity.organization.membership import Role
from domain.identity.user.state import User

_encode = msgspec.json.Encoder().encode


class ProfileView(Struct, frozen=True, kw_only=True, rename="camel"):
    """An account as its owner sees it."""

    id: UserId
    email: str
    email_confirmed: bool
    name: str
    role: Role | None
    organization_id: OrgId | None
    totp: bool  # whether logins need a second factor


def profile_of(caller: Caller) -> ProfileView:
    """Return the caller's account."""
    return profile_as(caller.user, caller.user_id, caller.org_id, caller.role)


def profile_as(user: User, user_id: UserId, org_id: OrgId | None, role: Role | None) -> ProfileView:
    """Return an account with the organization that its owner works in, and their role there."""
    return ProfileView(
        id=user_id,
        email=user.email,
        email_confirmed=user.email_confirmed,
        name=user.name,
        role=role,
        organization_id=org_id,
        totp=user.totp is not None,
    )


def render_profile(profile: ProfileView) -> bytes:
    """Return the JSON of *profile*."""
    return _encode(profile)
