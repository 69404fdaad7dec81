"""Commands on sessions: login, refresh, logout."""

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from commands.base import Command, Context, Decision, changes_of
from commands.reads import Reads
from domain.base import NotFound, SessionId, UserId
from domain.identity.session import (
    IDLE_LIFETIME,
    RefreshTokenReuseDetected,
    RevocationCause,
    Session,
    SessionEnded,
    SessionIsOver,
    SessionRevoked,
    SessionRotated,
    SessionStarted,
)
from domain.identity.user import User
from domain.permission import Permission


class LogIn(Command, frozen=True, kw_only=True):
    """Start a session for a user whose password was verified."""

    needs: ClassVar[Permission | None] = None
    records = (SessionStarted,)
    session_id: SessionId
    user_id: UserId
    nonce: str
    credentials: int
    """How many times the password had been changed when it was verified."""
    idle: timedelta = IDLE_LIFETIME
    """How long the session lives without a refresh."""

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = await read(User, self.user_id)
        user.refuse_unless_active()
        if user.credentials != self.credentials:
            raise SessionIsOver
        session = read.new(Session, self.session_id)
        events = session.start(
            self.user_id,
            self.nonce,
            context.now,
            credentials=self.credentials,
            idle=self.idle,
        )
        return changes_of(self.session_id, events)


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


class LogOut(SessionCommand, frozen=True, kw_only=True):
    """End the caller's session."""

    records = (SessionEnded,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        session = await read(Session, self.session_id)
        return changes_of(self.session_id, session.end())


class RevokeSession(SessionCommand, frozen=True, kw_only=True):
    """End another session of the caller."""

    records = (SessionRevoked,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        session = await read(Session, self.session_id)
        if session.user_id != context.user_id:
            raise NotFound
        events = session.revoke(RevocationCause.BY_USER, by=context.user_id)
        return changes_of(self.session_id, events)
