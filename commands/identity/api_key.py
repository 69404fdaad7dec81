"""Commands on API keys."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from commands.base import (
    Change,
    Command,
    Context,
    Decision,
    KeyDestroyed,
    NotPermitted,
    changes_of,
)
from commands.reads import Reads
from domain.base import ApiKeyId, NotFound
from domain.identity.api_key.events import (
    ApiKeyCreated,
    ApiKeyExpired,
    ApiKeyPurged,
    ApiKeyRevoked,
    ApiKeyRotated,
    ApiKeyUpdated,
)
from domain.identity.api_key.state import (
    NETWORKS_MAX,
    ApiKey,
    refuse_unless_plan_has_keys,
    stream_of_key,
)
from domain.identity.organization.state import Organization
from domain.name import Name
from domain.permission import Permission, is_allowed, permissions_of_key

Networks = Annotated[tuple[str, ...], Meta(max_length=NETWORKS_MAX)]
"""Networks in canonical form, such as ``192.0.2.0/24``; none: usable from everywhere."""

EXPIRED_MAX = 20
"""Keys that are found to be expired when another one is created."""


class CreateApiKey(Command, frozen=True, kw_only=True):
    """Create an API key; members with the lowest role get read-only ones, on a paid plan."""

    needs: ClassVar[Permission | None] = Permission.APIKEY_CREATE
    sensitive = True
    records = (ApiKeyExpired, ApiKeyCreated)
    key_id: str
    hash: str
    last4: str
    name: Name
    scopes: tuple[str, ...]
    networks: Networks = ()
    expires_at: datetime
    expired: Annotated[tuple[ApiKeyId, ...], Meta(max_length=EXPIRED_MAX)] = ()
    """Keys that seem to have expired: whichever have give their places back."""

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read(Organization, context.organization)
        role = organization.role_of(context.user_id)
        if role is None:
            raise NotFound
        refuse_unless_plan_has_keys(role, organization.plan)
        created = ApiKeyCreated(
            name=self.name,
            key_id=self.key_id,
            hash=self.hash,
            last4=self.last4,
            scopes=self.scopes,
            networks=",".join(self.networks),
            expires_at=self.expires_at,
            created_by=context.user_id,
            created_at=context.now,
        )
        stream = stream_of_key(self.key_id)
        events = read.new(ApiKey, stream).create(
            created, allowed=permissions_of_key(role), now=context.now
        )
        if not events:
            return []
        over = [(key, (await read(ApiKey, key)).expire(context.now)) for key in self.expired]
        return [*(Change(key, ended) for key, ended in over if ended), Change(stream, events)]


class ApiKeyCommand(Command, frozen=True, kw_only=True):
    """A command on one API key: one's own, or as an ADMIN anybody's."""

    needs: ClassVar[Permission | None] = Permission.APIKEY_CREATE
    api_key_id: ApiKeyId

    @property
    def target(self) -> UUID | None:
        return self.api_key_id

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        key = await read(ApiKey, self.api_key_id)
        organization = await read(Organization, context.organization)
        role = organization.role_of(context.user_id)
        if key.created_by != context.user_id and not is_allowed(role, Permission.APIKEY_MANAGE):
            raise NotFound


class EditApiKey(ApiKeyCommand, frozen=True, kw_only=True):
    """Change the name of an API key, or the networks from which it can be used."""

    records = (ApiKeyUpdated,)
    name: Name | UnsetType = UNSET
    networks: Networks | UnsetType = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        key = await read(ApiKey, self.api_key_id)
        events = key.update(now=context.now, name=self.name, networks=self.networks)
        return changes_of(self.api_key_id, events)


class RotateApiKey(ApiKeyCommand, frozen=True, kw_only=True):
    """Replace the secret of your API key; the old key also works for another 24 hours."""

    sensitive = True
    records = (ApiKeyRotated,)
    hash: str
    last4: str

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        key = await read(ApiKey, self.api_key_id)
        if key.created_by not in (None, context.user_id):
            raise NotPermitted(needs="the creator of the key")

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        key = await read(ApiKey, self.api_key_id)
        return changes_of(self.api_key_id, key.rotate(self.hash, self.last4, now=context.now))


class RevokeApiKey(ApiKeyCommand, frozen=True, kw_only=True):
    """Revoke an API key; it stops working at once and for good."""

    records = (ApiKeyRevoked,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        key = await read(ApiKey, self.api_key_id)
        return changes_of(self.api_key_id, key.revoke())


class PurgeApiKeys(Command, frozen=True, kw_only=True):
    """Purge API keys of an organization that is purged."""

    needs: ClassVar[Permission | None] = None
    records = (ApiKeyPurged,)
    keys: tuple[ApiKeyId, ...]

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        if not (await read(Organization, context.organization)).purged:
            raise NotFound
        purging: list[Change | KeyDestroyed] = []
        for each in self.keys:
            if not (await read(ApiKey, each)).purged:
                purging += [Change(each, [ApiKeyPurged()]), KeyDestroyed(each)]
        return purging
