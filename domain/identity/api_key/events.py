"""Events of an API key."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from domain.base import Event, Personal, UserId


class ApiKeyCreated(Event, frozen=True, kw_only=True, tag="api_key.created"):
    """A member created an API key."""

    name: Personal
    key_id: str  # the public part of the key, by which it is found
    hash: str  # HMAC-SHA256 (hex) of the whole key
    last4: str
    scopes: tuple[str, ...]
    networks: Personal  # comma separated; empty: usable from everywhere
    expires_at: datetime
    created_by: UserId
    created_at: datetime


class ApiKeyUpdated(Event, frozen=True, kw_only=True, tag="api_key.updated"):
    """The name or the allowed networks of an API key changed; holds only what changed."""

    name: Personal | UnsetType = UNSET
    networks: Personal | UnsetType = UNSET

    def field_keys(self) -> tuple[str, ...]:
        return tuple(name for name in self.__struct_fields__ if getattr(self, name) is not UNSET)


class ApiKeyRotated(Event, frozen=True, kw_only=True, tag="api_key.rotated"):
    """An API key got a new secret and a new expiry; the previous one works for a while, too."""

    sets = ("hash", "last4", "renewed_at", "expires_at", "old_hash", "old_valid_until")
    hash: str
    last4: str
    rotated_at: datetime
    expires_at: datetime
    old_valid_until: datetime


class ApiKeyRevoked(Event, frozen=True, kw_only=True, tag="api_key.revoked"):
    """An API key was revoked; it stops working at once and for good."""

    sets = ("revoked",)


class ApiKeyExpired(Event, frozen=True, kw_only=True, tag="api_key.expired"):
    """An API key that had expired was found, and its place in the plan became free."""

    sets = ("over",)


class ApiKeyPurged(Event, frozen=True, kw_only=True, tag="api_key.purged"):
    """What an API key was called is gone for good, with its organization; it works no more."""

    sets = ("name", "networks", "revoked", "purged")


ApiKeyEvent = (
    ApiKeyCreated | ApiKeyUpdated | ApiKeyRotated | ApiKeyRevoked | ApiKeyExpired | ApiKeyPurged
)
