"""Identifies the caller: a valid token is not enough, its session must still be active.

Session, account and membership are looked up on every request. A logout, a new password or a
deactivation therefore ends access at once, although the token has not expired. The organization
that the caller works in is that of the session, whatever the token says.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import cast
from uuid import UUID

from msgspec import Struct

from api.http.problem import Problem, unauthorized
from commands.states import Loaded, States
from domain.base import NotFound, OrgId, SessionId, State, UserId
from domain.identity.organization.membership import Role
from domain.identity.organization.state import Organization
from domain.identity.session.state import Session
from domain.identity.user.state import User
from domain.work.task.state import Task
from security.tokens import AccessClaims

Named = Sequence[UUID]
"""Streams that a request names: they are looked up together with the caller's."""

_Read = tuple[Loaded[Session], Loaded[User], Loaded[Organization] | None]
"""Session, account and the organization, if any."""


class Barred(StrEnum):
    """Why a member has no access to the organization of their session; the code of the refusal."""

    SUSPENDED = "membership_suspended"


_BARRED = {
    Barred.SUSPENDED: "Your access to this organization is suspended. Ask an administrator, or"
    " switch to another organization.",
}


class Caller(Struct, frozen=True):
    """An authenticated user with an active session and account.

    ``org_id`` is None without an organization, or if the caller is ``barred`` from it. ``seen``
    maps the streams this was read from to their versions, which a command's append verifies.
    ``fresh`` says whether they were read just now rather than taken from memory.
    """

    user_id: UserId
    session_id: SessionId
    org_id: OrgId | None
    role: Role | None
    user: User
    seen: dict[UUID, int]
    fresh: bool
    barred: Barred | None = None

    def refuse_if_barred(self) -> None:
        """Refuse a member who has no access to the organization of their session.

        :raises Problem: 403.
        """
        if self.barred is not None:
            raise Problem(403, self.barred.value, _BARRED[self.barred])

    def is_as(self, other: "Caller") -> bool:
        """Return whether both were identified from the same versions of the same organization."""
        return self.seen == other.seen and self.org_id == other.org_id


class Access:
    """Checks the session behind a token against the event log."""

    def __init__(self, states: States) -> None:
        self._states = states

    async def check(
        self, claims: AccessClaims, now: datetime, heads: dict[UUID, int] | None, named: Named = ()
    ) -> Caller:
        """Return the caller.

        Without *heads*, states in memory are enough to accept the caller, because a command's
        append verifies their versions. A refusal always rests on states that were read just now.
        With them, what was read is added: the versions of the caller's streams, and of those that
        are *named* in the path.

        :raises Problem: 401 if the session or the account is no longer active.
        """
        if heads is None:
            caller = self._from_memory(claims, now)
            if caller is not None:
                return caller
        return await self._from_log(claims, now, {} if heads is None else heads, named)

    def _from_memory(self, claims: AccessClaims, now: datetime) -> Caller | None:
        cache = self._states.cache
        session, user = cache.get(claims.sid), cache.get(claims.sub)
        if session is None or user is None:
            return None
        org_id = cast(Session, session.state).organization_id
        organization = None if org_id is None else cache.get(org_id)
        if org_id is not None and organization is None:
            return None
        try:
            found = _identify(claims, now, (session, user, organization), fresh=False)
        except Problem:
            return None
        return None if found.barred else found

    async def _from_log(
        self, claims: AccessClaims, now: datetime, heads: dict[UUID, int], named: Named
    ) -> Caller:
        known = self._states.cache.get(claims.sid)
        said = None if claims.org is None else OrgId(claims.org)
        org_id = said if known is None else cast(Session, known.state).organization_id
        read = await self._read(claims, org_id, heads, named)
        now_in = read[0].state.organization_id
        if now_in != org_id:
            heads.clear()  # what is named was looked up where another organization's events stand
            read = await self._read(claims, now_in, heads, named)
        return _identify(claims, now, read, fresh=True)

    async def _read(
        self,
        claims: AccessClaims,
        org_id: OrgId | None,
        heads: dict[UUID, int],
        named: Named,
    ) -> _Read:
        wanted: list[tuple[type[State], UUID]] = [(Session, claims.sid), (User, claims.sub)]
        if org_id is not None:
            wanted.append((Organization, org_id))
        beside = () if org_id is None else self._with_what_they_hang_on(named)
        try:
            session, user, *rest = await self._states.all_fresh(wanted, org_id, heads, beside)
        except NotFound:
            raise unauthorized() from None
        return session, user, rest[0] if rest else None

    def _with_what_they_hang_on(self, named: Named) -> list[UUID]:
        """Return the streams that are *named*, and those without which they are not shown."""
        streams = list(named)
        for stream in named:
            known = self._states.cache.get(stream)
            if known is not None and isinstance(known.state, Task) and known.state.project_id:
                streams.append(known.state.project_id)
        return streams


def _identify(claims: AccessClaims, now: datetime, read: _Read, *, fresh: bool) -> Caller:
    session_read, user_read, organization_read = read
    session, user = session_read.state, user_read.state
    good = (
        session.user_id == claims.sub
        and session.is_live(now)
        and user.active
        and session.credentials == user.credentials
    )
    if not good:
        raise unauthorized()
    user_id = UserId(claims.sub)
    org_id, role, barred = session.organization_id, None, None
    if organization_read is not None:
        organization = organization_read.state
        role = organization.role_of(user_id)
        if role is None:
            barred = _barred_from(organization, user_id)
            org_id = None  # deleted, left or closed to the caller: a user without an organization
    return Caller(
        user_id,
        SessionId(claims.sid),
        org_id,
        role,
        user,
        {claims.sid: session_read.version, claims.sub: user_read.version},
        fresh,
        barred,
    )


def _barred_from(organization: Organization, user_id: UserId) -> Barred | None:
    member = organization.member(user_id)
    suspended = member is not None and not member.active and not organization.deleted
    return Barred.SUSPENDED if suspended else None
