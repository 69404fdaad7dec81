"""Session: one login, and the family of refresh tokens that descends from it.

A token is computed from a key, the session's nonce and a generation, so neither a token nor
its hash stands here; the generation alone says which one is current.

Invariants
    1. Only the current generation rotates; each rotation makes the next one current.
    2. The generation before it is answered for ``ROTATION_GRACE`` with the same successor, as a
       client whose answer was lost must not be logged out (RFC 9700, 4.14.2 asks for rotation
       and leaves this race open).
    3. Any other authentic generation was stolen or replayed: it ends the whole session.
    4. An ended session stays ended; an expired one never rotates again.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, assert_never

from msgspec import Struct
from msgspec.structs import replace

from domain.base import DomainError, Event, NotFound, UserId

IDLE_LIFETIME = timedelta(days=7)
"""A session that is not refreshed for this long expires."""

ABSOLUTE_LIFETIME = timedelta(days=30)
"""However busy, a session expires this long after the login."""

ROTATION_GRACE = timedelta(seconds=10)
"""How long the token just rotated away is still answered, with the same successor."""


class RevocationCause(StrEnum):
    """Why a session was revoked; the values are stored, so they never change."""

    REUSE = "reuse"
    BY_USER = "by_user"
    BY_ADMIN = "by_admin"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason, not a secret
    TOO_MANY_SESSIONS = "too_many_sessions"
    ACCOUNT_DEACTIVATED = "account_deactivated"


# Events ---------------------------------------------------------------------


class SessionStarted(Event, frozen=True, kw_only=True, tag="session.started"):
    """A user logged in on a device."""

    user_id: UserId
    nonce: str  # random; worth nothing without the key that tokens are computed with
    credentials: int = 0  # how often the user had changed the password by then
    expires_at: datetime
    idle_expires_at: datetime


class SessionRotated(Event, frozen=True, kw_only=True, tag="session.rotated"):
    """A device came back and its refresh token was exchanged for the next one."""

    generation: int
    rotated_at: datetime  # a rule needs it: the grace counts from here
    idle_expires_at: datetime


class RefreshTokenReuseDetected(Event, frozen=True, kw_only=True, tag="session.reuse_detected"):
    """A refresh token that was spent long ago was presented: somebody has a copy."""

    generation: int


class SessionEnded(Event, frozen=True, kw_only=True, tag="session.ended"):
    """A user logged out."""


class SessionRevoked(Event, frozen=True, kw_only=True, tag="session.revoked"):
    """A session was ended from elsewhere: by its user, an administrator or (null) a rule."""

    by: UserId | None
    cause: RevocationCause


SessionEvent = (
    SessionStarted | SessionRotated | RefreshTokenReuseDetected | SessionEnded | SessionRevoked
)


# State ----------------------------------------------------------------------


class Session(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about a login."""

    platform: ClassVar[bool] = True

    user_id: UserId | None = None
    nonce: str = ""
    credentials: int = 0
    generation: int = 0
    rotated_at: datetime | None = None
    expires_at: datetime | None = None
    idle_expires_at: datetime | None = None
    ended: bool = False

    def evolve(self, event: SessionEvent) -> "Session":
        match event:
            case SessionRotated():
                return replace(
                    self,
                    generation=event.generation,
                    rotated_at=event.rotated_at,
                    idle_expires_at=event.idle_expires_at,
                )
            case SessionStarted():
                return Session(
                    user_id=event.user_id,
                    nonce=event.nonce,
                    credentials=event.credentials,
                    expires_at=event.expires_at,
                    idle_expires_at=event.idle_expires_at,
                )
            case RefreshTokenReuseDetected():
                return self
            case SessionEnded() | SessionRevoked():
                return replace(self, ended=True)
            case _:
                assert_never(event)

    # Decisions: each returns the events to record; an empty list means "already so".

    def start(
        self, user_id: UserId, nonce: str, now: datetime, *, credentials: int = 0
    ) -> list[SessionEvent]:
        """Log in; a second time is the retry of the first, as ids are ours."""
        if self.user_id is not None:
            return []
        return [
            SessionStarted(
                user_id=user_id,
                nonce=nonce,
                credentials=credentials,
                expires_at=now + ABSOLUTE_LIFETIME,
                idle_expires_at=now + IDLE_LIFETIME,
            )
        ]

    def rotate(self, presented: int, now: datetime) -> list[SessionEvent]:
        """Exchange the token of generation *presented*, whose authenticity was checked.

        Nothing to record means: hand out the token of the current generation again. Detected
        reuse is returned, not raised, because it must be recorded; afterwards ``ended`` is true.

        :raises SessionExpired: when it was idle for too long or is too old.
        :raises SessionIsOver: when it was ended or revoked, or never was.
        """
        if self.user_id is None or self.ended:
            raise SessionIsOver
        if not self.is_live(now):
            raise SessionExpired
        if presented == self.generation:
            return [self._rotation(now)]
        if presented == self.generation - 1 and self._is_in_grace(now):
            return []
        return [
            RefreshTokenReuseDetected(generation=presented),
            SessionRevoked(by=None, cause=RevocationCause.REUSE),
        ]

    def end(self) -> list[SessionEvent]:
        self.refuse_unless_started()
        return [] if self.ended else [SessionEnded()]

    def revoke(self, cause: RevocationCause, *, by: UserId | None = None) -> list[SessionEvent]:
        self.refuse_unless_started()
        return [] if self.ended else [SessionRevoked(by=by, cause=cause)]

    def is_live(self, now: datetime) -> bool:
        """Say whether access and refresh tokens of this session are good at *now*."""
        if self.ended or self.expires_at is None or self.idle_expires_at is None:
            return False
        return now < min(self.expires_at, self.idle_expires_at)

    def refuse_unless_started(self) -> None:
        """Refuse when nobody ever logged in here."""
        if self.user_id is None:
            raise NotFound

    def _rotation(self, now: datetime) -> SessionRotated:
        idle = now + IDLE_LIFETIME
        return SessionRotated(
            generation=self.generation + 1,
            rotated_at=now,
            idle_expires_at=idle if self.expires_at is None else min(idle, self.expires_at),
        )

    def _is_in_grace(self, now: datetime) -> bool:
        return self.rotated_at is not None and now - self.rotated_at <= ROTATION_GRACE


# Errors ---------------------------------------------------------------------


class SessionExpired(DomainError):
    """Your session has expired; log in again."""

    code = "session_expired"


class SessionIsOver(DomainError):
    """This session has ended; log in again."""

    code = "session_is_over"
