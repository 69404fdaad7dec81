"""Session: one login and all refresh tokens issued for it.

A refresh token is computed from a key, the session's nonce and a generation number. The log
therefore holds neither tokens nor their hashes; the generation says which token is current.

Invariants
    1. Only the current generation can be rotated; each rotation makes the next one current.
    2. While nothing of the current generation was used, and for ``ROTATION_GRACE`` in any case, the
       previous generation still receives the same successor: a client that lost the response must
       not be logged out (RFC 9700, 4.14.2 asks for rotation and leaves this race open).
    3. Any other authentic generation was stolen or replayed: the whole session ends.
    4. An ended session stays ended; an expired one cannot be rotated.
    5. A session works in one organization at a time; another session of the same user may work in
       another one.
    6. Sensitive commands need a proof of who the user is that is at most ``PROOF_LIFETIME`` old: a
       login or a later one.
    7. A session that began through the identity provider of an organization never works anywhere
       else, and such a login is no recent proof unless the provider says when it asked the user.
    8. A user has at most ``SESSIONS_MAX`` sessions: each takes one of as many places. A new one
       gets the place of a session that is over or, if there is none, of the oldest.
"""

from datetime import datetime, timedelta
from typing import ClassVar, assert_never, get_args

from msgspec import Struct
from msgspec.structs import replace

from domain.base import Event, NotFound, OrgId, UserId
from domain.identity.session.errors import (
    ReauthenticationRequired,
    SessionConfined,
    SessionExpired,
    SessionIsOver,
)
from domain.identity.session.events import (
    Factor,
    RefreshTokenReuseDetected,
    RevocationCause,
    SessionEnded,
    SessionEvent,
    SessionOrigin,
    SessionReauthenticated,
    SessionRevoked,
    SessionRotated,
    SessionStarted,
    SessionSwitchedOrganization,
)
from domain.identity.session.limits import SessionLimits

IDLE_LIFETIME = timedelta(days=7)
"""A session that is not refreshed for this long expires; a deployment may choose less."""

ABSOLUTE_LIFETIME = timedelta(days=30)
"""Every session expires this long after the login, however often it is refreshed."""

ROTATION_GRACE = timedelta(seconds=10)
"""How long the previous token still receives its successor although that was used."""

PROOF_LIFETIME = timedelta(minutes=10)
"""How long after a proof of who they are a user may send sensitive commands."""

SESSIONS_MAX = 20
"""How many sessions a user can have at the same time: more than anybody has devices."""

CLOCK_SKEW = timedelta(seconds=5)
"""How far the clocks of two servers may differ. One that was set back by more must not prolong the
grace period."""


_REAUTHENTICATION = "/api/auth/reauthenticate"


class NewSession(Struct, frozen=True, kw_only=True):
    """What a session starts with: whose it is, under which password, and where they work."""

    user_id: UserId
    nonce: str
    credentials: int = 0
    organization_id: OrgId | None = None
    origin: SessionOrigin = SessionOrigin(Factor.PASSWORD)
    proved_at: datetime | None = None
    place: int = 0


class Session(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about a session."""

    platform: ClassVar[bool] = True
    folds: ClassVar[tuple[type[Event], ...]] = get_args(SessionEvent)

    user_id: UserId | None = None
    organization_id: OrgId | None = None
    origin: SessionOrigin = SessionOrigin(Factor.PASSWORD)
    nonce: str = ""
    credentials: int = 0
    place: int = 0
    generation: int = 0
    started_at: datetime | None = None
    rotated_at: datetime | None = None
    authenticated_at: datetime | None = None
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
                    organization_id=event.organization_id,
                    origin=SessionOrigin(event.factor, event.issuer),
                    nonce=event.nonce,
                    credentials=event.credentials,
                    place=event.place,
                    started_at=event.started_at,
                    authenticated_at=event.started_at if event.issuer is None else event.proved_at,
                    expires_at=event.expires_at,
                    idle_expires_at=event.idle_expires_at,
                )
            case SessionReauthenticated():
                return replace(self, authenticated_at=event.at)
            case SessionSwitchedOrganization():
                return replace(self, organization_id=event.to)
            case RefreshTokenReuseDetected():
                return self
            case SessionEnded() | SessionRevoked():
                return replace(self, ended=True)
            case _:
                assert_never(event)

    @property
    def confined_to(self) -> OrgId | None:
        """The organization whose provider began the session; None for a login by password."""
        return None if self.origin.issuer is None else self.organization_id

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def start(
        self, new: NewSession, now: datetime, *, idle: timedelta = IDLE_LIFETIME
    ) -> list[SessionEvent]:
        """Start the session; a repeated call is a retry and records nothing."""
        if self.user_id is not None:
            return []
        return [
            SessionStarted(
                user_id=new.user_id,
                organization_id=new.organization_id,
                nonce=new.nonce,
                credentials=new.credentials,
                factor=new.origin.factor,
                issuer=new.origin.issuer,
                proved_at=new.proved_at,
                place=new.place,
                started_at=now,
                expires_at=now + ABSOLUTE_LIFETIME,
                idle_expires_at=now + idle,
            )
        ]

    def rotate(
        self,
        presented: int,
        now: datetime,
        idle: timedelta = IDLE_LIFETIME,
        *,
        used: bool = True,
    ) -> list[SessionEvent]:
        """Exchange the token of generation *presented*, which the caller has verified.

        *used* tells whether an access token of the current generation was seen. Without one, the
        client may have lost the response of its last refresh. A refresh is a use as well, but makes
        another generation the current one.

        An empty list means: send the token of the current generation again. Detected reuse is
        returned, not raised, because it must be recorded; ``ended`` is true afterwards.

        :raises SessionExpired: it was idle for too long or is too old, or *now* is before the
            rotation that spent the token.
        :raises SessionIsOver: it was ended, revoked or never started.
        """
        if self.user_id is None or self.ended:
            raise SessionIsOver
        if not self.is_live(now):
            raise SessionExpired
        if presented == self.generation:
            return [self._rotation(now, now + idle)]
        if presented == self.generation - 1 and self.rotated_at is not None:
            if now < self.rotated_at - CLOCK_SKEW:
                raise SessionExpired  # the clock was set back, which proves nothing about theft
            if not used or now <= self.rotated_at + ROTATION_GRACE:
                return []
        return [
            RefreshTokenReuseDetected(generation=presented),
            SessionRevoked(by=None, cause=RevocationCause.REUSE),
        ]

    def switch(self, to: OrgId) -> list[SessionEvent]:
        """Work in another organization from now on.

        :raises SessionIsOver: it was ended or never started.
        :raises SessionConfined: it belongs to the provider of its organization.
        """
        if self.user_id is None or self.ended:
            raise SessionIsOver
        if self.confined_to is not None and to != self.confined_to:
            raise SessionConfined
        return [] if to == self.organization_id else [SessionSwitchedOrganization(to=to)]

    def reauthenticate(self, factor: Factor, now: datetime) -> list[SessionEvent]:
        """Record a proof of who the user is.

        :raises SessionIsOver: it was ended or never started.
        """
        if self.user_id is None or self.ended:
            raise SessionIsOver
        return [SessionReauthenticated(factor=factor, at=now)]

    def refuse_without_proof(self, now: datetime) -> None:
        """Refuse a sensitive command without a recent proof.

        :raises ReauthenticationRequired: the last one is too old.
        """
        at = self.authenticated_at
        if at is None or now - at > PROOF_LIFETIME:
            raise ReauthenticationRequired(route=_REAUTHENTICATION)

    def refuse_beyond(self, limits: SessionLimits, now: datetime) -> None:
        """Refuse to work in an organization with *limits* that end the session there.

        :raises ReauthenticationRequired: the last proof is too old.
        """
        if not self.is_within(limits, now):
            raise ReauthenticationRequired(route=_REAUTHENTICATION)

    def end(self) -> list[SessionEvent]:
        self.refuse_unless_started()
        return [] if self.ended else [SessionEnded()]

    def revoke(self, cause: RevocationCause, *, by: UserId | None = None) -> list[SessionEvent]:
        self.refuse_unless_started()
        return [] if self.ended else [SessionRevoked(by=by, cause=cause)]

    def make_room(self, now: datetime, credentials: int) -> list[SessionEvent]:
        """End the session, so that a new one of the same user can take its place.

        *credentials* is how often the password was changed until now.
        """
        if self.credentials != credentials:
            return self.revoke(RevocationCause.PASSWORD_CHANGED)
        live = self.is_live(now)
        return self.revoke(RevocationCause.TOO_MANY_SESSIONS if live else RevocationCause.EXPIRED)

    def is_live(self, now: datetime) -> bool:
        """Return whether the session's tokens are valid at *now*."""
        ends = end_of(self)
        return ends is not None and now < ends

    def is_within(self, limits: SessionLimits, now: datetime) -> bool:
        """Return whether the session can be used at *now* in an organization with *limits*."""
        ends = end_within(self, limits)
        return self.started_at is not None and (ends is None or now < ends)

    def refuse_unless_started(self) -> None:
        """Raise NotFound if the session was never started."""
        if self.user_id is None:
            raise NotFound

    def _rotation(self, now: datetime, idle: datetime) -> SessionRotated:
        return SessionRotated(
            generation=self.generation + 1,
            rotated_at=now,
            idle_expires_at=idle if self.expires_at is None else min(idle, self.expires_at),
        )


def end_of(session: Session) -> datetime | None:
    """Return when a session ends by itself; None if it has ended, or never began."""
    if session.ended or session.expires_at is None or session.idle_expires_at is None:
        return None
    return min(session.expires_at, session.idle_expires_at)


def end_within(session: Session, limits: SessionLimits) -> datetime | None:
    """Return when *limits* end the use of a session; None if they do not, or it never began."""
    refreshed, ends = session.rotated_at or session.started_at, list[datetime]()
    proved = session.authenticated_at or session.started_at
    if limits.idle is not None and refreshed is not None:
        ends.append(refreshed + limits.idle)
    if limits.proof is not None and proved is not None:
        ends.append(proved + limits.proof)
    return min(ends, default=None)
