"""Profile: an account as its owner sees it."""

import msgspec
from msgspec import Struct

from api.http.caller import Caller
from domain.base import OrgId, UserId
from domain.identity.organization.membership import Role

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
    return ProfileView(
        id=caller.user_id,
        email=caller.user.email,
        email_confirmed=caller.user.email_confirmed,
        name=caller.user.name,
        role=caller.role,
        organization_id=caller.org_id,
        totp=caller.user.totp is not None,
    )


def render_profile(profile: ProfileView) -> bytes:
    """Return the JSON of *profile*."""
    return _encode(profile)
