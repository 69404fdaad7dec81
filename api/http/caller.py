"""Who asks: a token is only a hint, the write side says whether it still counts.

On every request the session, the account and the membership are looked up, so a logout, a new
password or a deactivation ends access at once although the token would be good for minutes.
"""

from datetime import datetime
from typing import cast
from uuid import UUID

from msgspec import Struct

from api.http.problem import Problem, unauthorized
from commands.loading import Loader
from commands.reading import Loaded
from domain.base import NotFound, OrgId, SessionId, State, UserId
from domain.identity.organization.membership import Role
from domain.identity.organization.state import Organization
from domain.identity.session import Session
from domain.identity.user import User
from security.tokens import AccessClaims

Read = tuple[Loaded, Loaded, Loaded | None]
"""Session, account and, if there is one, organization."""


class Caller(Struct, frozen=True):
    """A person whose token, session and account are good.

    ``org_id`` is None without an organization; ``seen`` are the versions by which they were let
    in, which a command's append verifies; ``fresh`` says whether these were read just now.
    """

    user_id: UserId
    session_id: SessionId
    org_id: OrgId | None
    role: Role | None
    user: User
    seen: dict[UUID, int]
    fresh: bool

    def is_as(self, other: "Caller") -> bool:
        """Say whether both were let in by the same facts."""
        return self.seen == other.seen and self.org_id == other.org_id


class Access:
    """Checks tokens' sessions against the event log."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    async def check(self, claims: AccessClaims, now: datetime, *, fresh: bool) -> Caller:
        """Return who asks.

        Without *fresh*, states in memory will do if they let the caller in: a command's append
        verifies their versions. A refusal is always decided on what was read just now.

        :raises Problem: 401 when the session or the account is over, 403 when the membership is
            suspended.
        """
        if not fresh:
            caller = self._from_memory(claims, now)
            if caller is not None:
                return caller
        return await self._from_log(claims, now)

    def _from_memory(self, claims: AccessClaims, now: datetime) -> Caller | None:
        cache = self._loader.cache
        session, user = cache.get(claims.sid), cache.get(claims.sub)
        if session is None or user is None:
            return None
        org_id = cast(User, user.state).organization_id
        organization = None if org_id is None else cache.get(org_id)
        if org_id is not None and organization is None:
            return None
        try:
            return _identify(claims, now, (session, user, organization), fresh=False)
        except Problem:
            return None

    async def _from_log(self, claims: AccessClaims, now: datetime) -> Caller:
        known = self._loader.cache.get(claims.sub)
        org_id = None if known is None else cast(User, known.state).organization_id
        read = await self._read(claims, org_id)
        now_in = cast(User, read[1].state).organization_id
        if now_in != org_id:
            read = await self._read(claims, now_in)
        return _identify(claims, now, read, fresh=True)

    async def _read(self, claims: AccessClaims, org_id: OrgId | None) -> Read:
        wanted: list[tuple[type[State], UUID]] = [(Session, claims.sid), (User, claims.sub)]
        if org_id is not None:
            wanted.append((Organization, org_id))
        try:
            session, user, *rest = await self._loader.fresh_loaded(wanted, org_id)
        except NotFound:
            raise unauthorized() from None
        return session, user, rest[0] if rest else None


def _identify(claims: AccessClaims, now: datetime, read: Read, *, fresh: bool) -> Caller:
    session_read, user_read, organization_read = read
    session, user = cast(Session, session_read.state), cast(User, user_read.state)
    good = (
        session.user_id == claims.sub
        and session.is_live(now)
        and user.active
        and session.credentials == user.credentials
    )
    if not good:
        raise unauthorized()
    user_id = UserId(claims.sub)
    org_id, role = user.organization_id, None
    if organization_read is not None:
        organization = cast(Organization, organization_read.state)
        role = organization.role_of(user_id)
        if role is None:
            _refuse_if_suspended(organization, user_id)
            org_id = None  # deleted, or left a moment ago: a person without organization
    return Caller(
        user_id,
        SessionId(claims.sid),
        org_id,
        role,
        user,
        {claims.sid: session_read.version, claims.sub: user_read.version},
        fresh,
    )


def _refuse_if_suspended(organization: Organization, user_id: UserId) -> None:
    member = organization.member(user_id)
    if member is not None and not member.active and not organization.deleted:
        raise Problem(403, "membership_suspended", "Your access to this organization is suspended.")
