"""API key: lets a program work in one organization on behalf of the member who created it.

A key never exceeds its creator: every request checks the scopes of the key and the role that the
creator has at that moment. The log holds a keyed hash of the key, never the key itself.

Invariants
    1. A key has at least one scope, none that keys cannot have, and at its creation none that its
       creator's role did not grant.
    2. It expires at most a year after it was created or rotated; revoked and expired are final.
    3. Only its creator can rotate it, because the response shows the new key.
    4. Setting a field to the value it has records no event.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import ClassVar, TypeVar, assert_never, get_args
from uuid import UUID, uuid5

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from domain.base import ERASED, ApiKeyId, Event, NotFound, UserId
from domain.identity.api_key.errors import ApiKeyIsOver, ExpiryNotAllowed, ScopeNotAllowed
from domain.identity.api_key.events import (
    ApiKeyCreated,
    ApiKeyEvent,
    ApiKeyExpired,
    ApiKeyPurged,
    ApiKeyRevoked,
    ApiKeyRotated,
    ApiKeyUpdated,
)
from domain.identity.organization.membership import Role
from domain.identity.plan import Plan, PlanLimitReached

LIFETIME_DEFAULT, LIFETIME_MAX = timedelta(days=90), timedelta(days=365)

OLD_KEY_LIFETIME = timedelta(hours=24)
"""How long the previous key still works after a rotation."""

NETWORKS_MAX = 20

_STREAMS = UUID("6f0b8a2e-5d3c-5b7e-9a41-3c1d2e4f5a6b")
_T = TypeVar("_T")


def stream_of_key(key_id: str) -> ApiKeyId:
    """Return the stream of the key with this public id, which is part of the key's text."""
    return ApiKeyId(uuid5(_STREAMS, key_id))


class ApiKey(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about an API key."""

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(ApiKeyEvent)

    name: str = ""
    key_id: str = ""
    hash: str = ""
    last4: str = ""
    scopes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    expires_at: datetime | None = None
    created_by: UserId | None = None
    created_at: datetime | None = None
    renewed_at: datetime | None = None
    old_hash: str = ""
    old_valid_until: datetime | None = None
    revoked: bool = False
    over: bool = False
    """Whether it was found to be expired; it no longer counts, and is no longer shown."""
    purged: bool = False

    def evolve(self, event: ApiKeyEvent) -> "ApiKey":
        match event:
            case ApiKeyCreated():
                return ApiKey(
                    name=event.name,
                    key_id=event.key_id,
                    hash=event.hash,
                    last4=event.last4,
                    scopes=event.scopes,
                    networks=_split(event.networks),
                    expires_at=event.expires_at,
                    created_by=event.created_by,
                    created_at=event.created_at,
                    renewed_at=event.created_at,
                )
            case ApiKeyUpdated():
                networks = self.networks if event.networks is UNSET else _split(event.networks)
                return replace(self, name=_changed(event.name, self.name), networks=networks)
            case ApiKeyRotated():
                return replace(
                    self,
                    hash=event.hash,
                    last4=event.last4,
                    renewed_at=event.rotated_at,
                    expires_at=event.expires_at,
                    old_hash=self.hash,
                    old_valid_until=event.old_valid_until,
                )
            case ApiKeyRevoked():
                return replace(self, revoked=True)
            case ApiKeyExpired():
                return replace(self, over=True)
            case ApiKeyPurged():
                return replace(self, name=ERASED, networks=(), revoked=True, purged=True)
            case _:
                assert_never(event)

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def create(
        self, created: ApiKeyCreated, *, allowed: Collection[str], now: datetime
    ) -> list[ApiKeyEvent]:
        """Create the key; a repeated call is a retry and records nothing.

        *allowed* are the scopes that a key of its creator can have now.

        :raises ScopeNotAllowed: another scope, or none at all.
        """
        refused = sorted(scope for scope in created.scopes if scope not in allowed)
        if refused or not created.scopes:
            raise ScopeNotAllowed(refused=refused)
        _refuse_expiry(created.expires_at, now)
        return [] if self.created_by else [created]

    def update(
        self,
        *,
        now: datetime,
        name: str | UnsetType = UNSET,
        networks: Iterable[str] | UnsetType = UNSET,
    ) -> list[ApiKeyEvent]:
        """Change what is given and leave the rest."""
        self.refuse_unless_live(now)
        wanted = self.networks if networks is UNSET else tuple(networks)
        updated = ApiKeyUpdated(
            name=UNSET if name == self.name else name,
            networks=UNSET if wanted == self.networks else ",".join(wanted),
        )
        return [] if updated == ApiKeyUpdated() else [updated]

    def rotate(self, hashed: str, last4: str, *, now: datetime) -> list[ApiKeyEvent]:
        """Replace the secret, for as long as the key had when it was new.

        The previous key works for another ``OLD_KEY_LIFETIME``, but not beyond its own expiry.
        """
        self.refuse_unless_live(now)
        if hashed == self.hash:
            return []
        assert self.expires_at is not None and self.renewed_at is not None  # noqa: S101, PT018 - it was created
        return [
            ApiKeyRotated(
                hash=hashed,
                last4=last4,
                rotated_at=now,
                expires_at=now + (self.expires_at - self.renewed_at),
                old_valid_until=min(now + OLD_KEY_LIFETIME, self.expires_at),
            )
        ]

    def revoke(self) -> list[ApiKeyEvent]:
        self.refuse_unless_here()
        return [ApiKeyRevoked()]

    def expire(self, now: datetime) -> list[ApiKeyEvent]:
        """Free the place of a key that has expired, because one is needed."""
        here = self.created_by is not None and not self.revoked and not self.over
        return [ApiKeyExpired()] if here and self.is_expired(now) else []

    def refuse_unless_here(self) -> None:
        """Raise NotFound if the key was never created, is revoked or was found to be expired."""
        if self.created_by is None or self.revoked or self.over:
            raise NotFound

    def is_expired(self, now: datetime) -> bool:
        """Return whether the key is past its expiry."""
        return self.over or (self.expires_at is not None and self.expires_at <= now)

    def refuse_unless_live(self, now: datetime) -> None:
        """Refuse a key that cannot be used any more."""
        self.refuse_unless_here()
        if self.is_expired(now):
            raise ApiKeyIsOver

    def hashes(self, now: datetime) -> tuple[str, ...]:
        """Return the hashes of the keys that are good at *now*, the newest first."""
        if self.old_valid_until is None or self.old_valid_until <= now:
            return (self.hash,)
        return (self.hash, self.old_hash)


def refuse_unless_plan_has_keys(role: Role, plan: Plan) -> None:
    """Refuse a MEMBER of an organization on the smallest plan: only higher roles have keys there.

    :raises PlanLimitReached: with a limit of 0.
    """
    if role is Role.MEMBER and plan is Plan.FREE:
        raise PlanLimitReached(
            what="member_api_keys", limit=0, used=0, plan=plan, upgrade_to=Plan.BASIC
        )


def _refuse_expiry(expires_at: datetime, now: datetime) -> None:
    if not now < expires_at <= now + LIFETIME_MAX:
        raise ExpiryNotAllowed(latest=now + LIFETIME_MAX)


def _split(networks: str) -> tuple[str, ...]:
    return tuple(networks.split(",")) if networks else ()


def _changed(new: _T | UnsetType, old: _T) -> _T:
    return old if new is UNSET else new
