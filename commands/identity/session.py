"""Commands on sessions: login, refresh, another organization, logout."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from commands.access import on_record
from commands.base import Change, Command, Context, Decision, changes_of
from commands.identity.session_room import free_place
from commands.reads import Reads
from commands.session_places import session_places
from domain.access import AccessEvent, LoggedIn, NewNetworkUsed
from domain.base import NotFound, OrgId, SessionId, UserId
from domain.identity.organization.sign_on import accepts
from domain.identity.organization.sso import LoginWayNotAccepted
from domain.identity.organization.state import Organization
from domain.identity.session.errors import SessionIsOver
from domain.identity.session.events import (
    Factor,
    RefreshTokenReuseDetected,
    RevocationCause,
    SessionEnded,
    SessionOrigin,
    SessionReauthenticated,
    SessionRevoked,
    SessionRotated,
    SessionStarted,
    SessionSwitchedOrganization,
)
from domain.identity.session.state import IDLE_LIFETIME, NewSession, Session
from domain.identity.user.events import HomeOrganizationChanged, NewNetworkSeen, UserEvent
from domain.identity.user.state import User
from domain.identity.user.totp import RecoveryCodeUsed, SecondProof, TotpUsed, WrongCode
from domain.permission import Permission
from eventstore.append import Secret

KNOWN_NETWORKS = "known networks"
"""The name under which the networks that a user logged in from are kept."""


class LogIn(Command, frozen=True, kw_only=True):
    """Start a session for a user whose password was verified, in their home organization.

    If the user has as many sessions as allowed, the oldest ends. The organization of the context
    learns of the login; it is their home, unless that changed just now.
    """

    needs: ClassVar[Permission | None] = None
    records = (
        NewNetworkSeen,
        TotpUsed,
        RecoveryCodeUsed,
        SessionRevoked,
        SessionStarted,
        LoggedIn,
        NewNetworkUsed,
    )
    session_id: SessionId
    user_id: UserId
    nonce: str
    credentials: int
    """How many times the password had been changed when it was verified."""
    second: SecondProof | None = None
    """The second factor, if the account has one."""
    proved: bool = False
    """Whether another session of the user has proved it already."""
    new_network: NewNetworkSeen | None = None
    known_networks: bytes | None = None
    """The networks to be known from now on, sealed; None leaves them as they are."""
    idle: timedelta = IDLE_LIFETIME
    """How long the session lives without a refresh."""

    @property
    def target(self) -> UUID | None:
        return self.user_id

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = await read(User, self.user_id)
        user.refuse_unless_active()
        if user.credentials != self.credentials:
            raise SessionIsOver
        session = read.new(Session, self.session_id)
        if session.user_id is not None:  # a retry, which must not end another session
            return []
        own: list[UserEvent] = [] if self.new_network is None else [self.new_network]
        if self.second is not None:
            own += user.use_second_factor(self.second)
        elif user.totp is not None and not self.proved:
            raise WrongCode
        place, making_room = await free_place(read, context, (self.user_id, None), user.credentials)
        new = NewSession(
            place=place,
            origin=SessionOrigin(factor_of(self.second)),
            user_id=self.user_id,
            nonce=self.nonce,
            credentials=self.credentials,
            organization_id=user.home_organization_id,
        )
        started = session.start(new, context.now, idle=self.idle)
        seen: list[AccessEvent] = [LoggedIn(user_id=self.user_id, session_id=self.session_id)]
        if self.new_network is not None:
            seen.append(NewNetworkUsed(user_id=self.user_id, session_id=self.session_id))
        return [
            *changes_of(self.user_id, own),
            *making_room,
            *changes_of(self.session_id, started),
            *self._networks(),
            *await on_record(read, context, self.user_id, seen),
        ]

    def _networks(self) -> list[Secret]:
        if self.known_networks is None:
            return []
        return [Secret(self.user_id, KNOWN_NETWORKS, self.known_networks)]


def factor_of(second: SecondProof | None) -> Factor:
    """Return by what somebody proved who they are."""
    if second is None:
        return Factor.PASSWORD
    return Factor.RECOVERY_CODE if second.step is None else Factor.TOTP


class SessionCommand(Command, frozen=True, kw_only=True):
    """A command on one session."""

    needs: ClassVar[Permission | None] = None
    session_id: SessionId

    @property
    def target(self) -> UUID | None:
        return self.session_id


class RotateRefreshToken(SessionCommand, frozen=True, kw_only=True):
    """Exchange an authentic refresh token for the next one of its session.

    A token whose successor was used ends the session, because somebody else may have a copy.
    """

    records = (
        RefreshTokenReuseDetected,
        SessionRevoked,
        SessionRotated,
    )
    presented: int
    used: bool = True
    """Whether anything of the session's current generation was used."""
    idle: timedelta = IDLE_LIFETIME
    """How long the session lives without another refresh."""

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        session = await read(Session, self.session_id)
        if session.user_id is None:
            raise SessionIsOver
        user = await read(User, session.user_id)
        if not user.active or user.credentials != session.credentials:
            raise SessionIsOver
        events = session.rotate(self.presented, context.now, self.idle, used=self.used)
        return changes_of(self.session_id, events)

    def is_accepted(self, session: Session, now: datetime) -> bool:
        """Return whether *session* would go on, for when nothing can be recorded.

        :raises SessionExpired: it was idle for too long or is too old.
        :raises SessionIsOver: it was ended, revoked or never started.
        """
        events = session.rotate(self.presented, now, self.idle, used=self.used)
        return all(isinstance(event, SessionRotated) for event in events)


class Reauthenticate(SessionCommand, frozen=True, kw_only=True):
    """Record that the caller proved again who they are, in this session."""

    records = (TotpUsed, RecoveryCodeUsed, SessionReauthenticated)
    second: SecondProof | None = None
    """The code that was verified, instead of the password."""
    credentials: int
    """How many times the password had been changed when it was verified."""

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        session = await read(Session, self.session_id)
        user = await read(User, context.user_id)
        known = session.user_id == context.user_id and session.is_live(context.now)
        if not known or user.credentials != self.credentials:
            raise SessionIsOver
        used: Decision = []
        if self.second is not None:
            used = changes_of(context.user_id, user.use_second_factor(self.second))
        events = session.reauthenticate(factor_of(self.second), context.now)
        return [*used, *changes_of(self.session_id, events)]


class SwitchOrganization(Command, frozen=True, kw_only=True):
    """Work in another organization that you are a member of: in this session, and in new ones."""

    needs: ClassVar[Permission | None] = None
    records = (SessionSwitchedOrganization, HomeOrganizationChanged)
    organization_id: OrgId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read(Organization, self.organization_id)
        if organization.role_of(context.user_id) is None:
            raise NotFound
        if context.origin is not None and not accepts(
            organization, context.user_id, context.origin
        ):
            raise LoginWayNotAccepted
        if context.session_id is not None:
            session = await read(Session, context.session_id)
            session.refuse_beyond(organization.settings.session_limits, context.now)
        return await working_in(read, context, self.organization_id)


async def working_in(
    read: Reads, context: Context, organization_id: OrgId, own: Sequence[UserEvent] = ()
) -> Decision:
    """Return what makes the caller work in an organization from now on.

    That is in the session of the request, if there is one, and in those that they start later.
    *own* are other events of the same decision on their account.
    """
    user = await read(User, context.user_id)
    home = changes_of(context.user_id, [*own, *user.make_home(organization_id)])
    if context.session_id is None:
        return home
    session = await read(Session, context.session_id)
    return [*changes_of(context.session_id, session.switch(organization_id)), *home]


class LogOut(SessionCommand, frozen=True, kw_only=True):
    """End the caller's session."""

    records = (SessionEnded,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        session = await read(Session, self.session_id)
        return changes_of(self.session_id, session.end())


class RevokeOtherSessions(SessionCommand, frozen=True, kw_only=True):
    """End all sessions of the caller but one."""

    records = (SessionRevoked,)
    listed: tuple[SessionId, ...] = ()
    """Those that are shown to them: some began through identity providers, with other places."""

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        own = await read(Session, self.session_id)
        if own.user_id != context.user_id:
            raise NotFound
        return await end_others(
            read, context, self.session_id, RevocationCause.BY_USER, self.listed
        )


async def end_others(
    read: Reads,
    context: Context,
    kept: SessionId | None,
    cause: RevocationCause,
    listed: Sequence[SessionId] = (),
) -> list[Change]:
    """Return what ends all sessions of the caller but the one that is *kept*.

    Those that began through identity providers have other places, and are ended if they are
    *listed*.
    """
    held = await read.holders(session_places(context.user_id))
    changes: list[Change] = []
    for holder in dict.fromkeys([*held.values(), *listed]):
        session = await read(Session, holder)
        if holder != kept and session.user_id == context.user_id:
            events = session.revoke(cause, by=context.user_id)
            changes += [Change(holder, events)] if events else []
    return changes


class RevokeSession(SessionCommand, frozen=True, kw_only=True):
    """End another session of the caller."""

    records = (SessionRevoked,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        session = await read(Session, self.session_id)
        if session.user_id != context.user_id:
            raise NotFound
        events = session.revoke(RevocationCause.BY_USER, by=context.user_id)
        return changes_of(self.session_id, events)
