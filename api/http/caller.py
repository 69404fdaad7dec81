"""Identifies the caller: a valid token is not enough, its session must still be active.

Session, account and membership are looked up on every request. A logout, a new password or a
deactivation therefore ends access at once, although the token has not expired. The organization
that the caller works in is that of the session, whatever the token says.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from msgspec import Struct

from api.http.problem import Problem, unauthorized
from commands.base import NoOrganization, NotForApiKeys, refuse_unless_granted
from commands.key_check import CheckedKey, KeyCheck
from commands.states import Loaded, States
from domain.base import NotFound, OrgId, SessionId, State, UserId
from domain.identity.organization.barring import Barred, barred_from
from domain.identity.organization.membership import Role
from domain.identity.organization.sso import LoginWayNotAccepted
from domain.identity.organization.state import Organization
from domain.identity.session.events import SessionOrigin
from domain.identity.session.limits import UNLIMITED
from domain.identity.session.state import Session, end_of, end_within
from domain.identity.user.state import User
from domain.permission import Permission, Scopes
from domain.work.task.state import Task
from eventstore.recorded import Actor, ActorKind
from security.api_keys import PresentedKey
from security.tokens import AccessClaims

Named = Sequence[UUID]
"""Streams that a request names: they are looked up together with the caller's."""

_Read = tuple[Loaded[Session], Loaded[User], Loaded[Organization] | None]

KNOWN_MAX = 10_000
"""Callers that a process remembers: about 20 MB."""

_BARRED = {
    Barred.SUSPENDED: "Your access to this organization is suspended. Ask an administrator, or"
    " switch to another organization.",
    Barred.NO_TOTP: "This organization requires two-factor login. Set up an authenticator first.",
    Barred.OTHER_WAY: str(LoginWayNotAccepted()),
}


class Caller(Struct, frozen=True):
    """An authenticated user with an active session and account, or the API key of one.

    ``org_id`` is None without an organization, or if the caller is ``barred`` from it. ``seen``
    maps the streams this was read from to their versions, which a command's append verifies.
    ``fresh`` says whether they were read just now rather than taken from memory. ``origin`` is how
    their session began, None with an API key.
    """

    user_id: UserId
    session: SessionId | None
    org_id: OrgId | None
    role: Role | None
    user: User
    seen: dict[UUID, int]
    fresh: bool
    barred: Barred | None = None
    key: CheckedKey | None = None
    origin: SessionOrigin | None = None

    @property
    def confined(self) -> bool:
        """Whether their session works in one organization only, whose provider began it."""
        return self.origin is not None and self.origin.by_provider

    def refuse_if_barred(self) -> None:
        """Refuse a member who has no access to the organization of their session.

        :raises Problem: 403.
        """
        if self.barred is not None:
            raise Problem(403, self.barred.value, _BARRED[self.barred])

    @property
    def session_id(self) -> SessionId:
        """The session of a person.

        :raises NotForApiKeys: an API key is used.
        """
        if self.session is None:
            raise NotForApiKeys
        return self.session

    @property
    def actor(self) -> Actor:
        """The person, or the API key that is used on their behalf."""
        if self.key is None:
            return Actor(ActorKind.USER, self.user_id)
        return Actor(ActorKind.API_KEY, self.key.api_key_id)

    @property
    def scopes(self) -> Scopes | None:
        """What the API key that is used was created for; None for a person."""
        return None if self.key is None else self.key.scopes

    def refuse_unless_may(self, needed: Permission) -> None:
        """Refuse unless the role, and the API key if one is used, grant *needed*.

        :raises NoOrganization: the caller works in none.
        :raises DomainError: one of them does not grant it.
        """
        if self.role is None:
            raise NoOrganization
        refuse_unless_granted(self.role, self.scopes, needed)

    def is_as(self, other: "Caller") -> bool:
        """Return whether both were identified from the same versions of the same organization."""
        return self.seen == other.seen and self.org_id == other.org_id


class Recalled(Struct, frozen=True, gc=False):
    """A caller by the versions ``heads``; time ends their token or session at ``until``."""

    until: datetime
    claims: AccessClaims
    caller: Caller
    heads: dict[UUID, int]


class Access:
    """Checks the session behind a token against the event log."""

    def __init__(self, states: States, keys: KeyCheck) -> None:
        self._states, self.keys = states, keys
        self._known: dict[bytes, Recalled] = {}

    def recall(self, sent: bytes, now: datetime, *, fresh: bool) -> Recalled | None:
        """Return whoever *sent* this as Authorization before, if they have not changed since.

        Not *fresh*, that is as far as memory knows, which is no reason to bar them.
        """
        known = self._known.get(sent)
        if known is None or now >= known.until or (known.caller.barred and not fresh):
            return None
        holds = self._states.still_has if fresh else self._states.cache.has
        return known if holds(known.heads) else None

    async def check(
        self,
        claims: AccessClaims,
        now: datetime,
        heads: dict[UUID, int] | None,
        named: Named = (),
        sent: bytes = b"",
    ) -> Caller:
        """Return the caller, who *sent* this as Authorization.

        Without *heads*, states in memory are enough to accept the caller, because a command's
        append verifies their versions. A refusal always rests on states that were read just now.
        With them, what was read is added: the versions of the caller's streams, and of those that
        are *named* in the path.

        :raises Problem: 401 if the session or the account is no longer active.
        """
        if heads is None and (known := self._from_memory(claims, now, sent)) is not None:
            return known
        read = await self._from_log(claims, {} if heads is None else heads, named)
        caller = _identify(claims, now, read, fresh=True)
        self._remember(sent, claims, caller, read)
        return caller

    def _remember(self, sent: bytes, claims: AccessClaims, caller: Caller, read: _Read) -> None:
        """Remember who *sent* this, with the versions by which to tell that they are the same."""
        session, _, organization = read
        limits, heads = UNLIMITED, {**caller.seen}
        if organization is not None and organization.org_id is not None:
            limits = organization.state.settings.session_limits
            heads[organization.org_id] = organization.version
        ends = claims.ends_at(), end_of(session.state), end_within(session.state, limits)
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        if sent:  # or anybody who sends nothing would be taken for them
            self._known[sent] = Recalled(min(filter(None, ends)), claims, caller, heads)

    async def check_key(
        self,
        presented: PresentedKey,
        ip: str | None,
        now: datetime,
        heads: dict[UUID, int] | None,
        named: Named = (),
    ) -> Caller:
        """Return the caller who uses an API key from *ip*; the rest is as in ``check``.

        :raises Problem: 401 if there is no such key.
        :raises DomainError: the key cannot be used, or not from there.
        """
        if heads is None and (known := self.keys.from_memory(presented, ip, now)) is not None:
            return _by_key(known, fresh=False)
        found = await self.keys.from_log(
            presented,
            ip,
            now,
            {} if heads is None else heads,
            lambda: self._with_what_they_hang_on(named),
        )
        if found is None:
            raise unauthorized()
        return _by_key(found, fresh=True)

    def _from_memory(self, claims: AccessClaims, now: datetime, sent: bytes) -> Caller | None:
        cache = self._states.cache
        session, user = cache.get(claims.sid), cache.get(claims.sub)
        if session is None or user is None:
            return None
        org_id = cast(Session, session.state).organization_id
        organization = None if org_id is None else cache.get(org_id)
        if org_id is not None and organization is None:
            return None
        read = session, user, organization
        try:
            found = _identify(claims, now, read, fresh=False)
        except Problem:
            return None
        self._remember(sent, claims, found, read)
        return None if found.barred else found

    async def _from_log(self, claims: AccessClaims, heads: dict[UUID, int], named: Named) -> _Read:
        known = self._states.cache.get(claims.sid)
        said = None if claims.org is None else OrgId(claims.org)
        org_id = said if known is None else cast(Session, known.state).organization_id
        read = await self._read(claims, org_id, heads, named)
        now_in = read[0].state.organization_id
        if now_in != org_id:
            heads.clear()  # what is named was looked up where another organization's events stand
            read = await self._read(claims, now_in, heads, named)
        return read

    async def _read(
        self, claims: AccessClaims, org_id: OrgId | None, heads: dict[UUID, int], named: Named
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
        limits = organization.settings.session_limits
        if role is not None and not session.is_within(limits, now):
            raise unauthorized()
        totp = user.totp is not None
        barred = barred_from(organization, user_id, session.origin, totp=totp)
        if role is None or barred is not None:
            role = None
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
        origin=session.origin,
    )


def _by_key(key: CheckedKey, *, fresh: bool) -> Caller:
    return Caller(key.user_id, None, key.org_id, key.role, key.user, key.seen, fresh, key=key)
