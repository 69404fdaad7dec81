"""API keys as the members of an organization see them: one document each, never with a secret."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.base import ApiKeyId, OrgId, UserId
from domain.identity.api_key.events import ApiKeyEvent
from domain.identity.api_key.state import ApiKey
from eventstore.recorded import Recorded
from projections.base import AggregateProjection, View, tags_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index, Value
from security.api_keys import KEY_PREFIX

_encode = msgspec.json.Encoder().encode


class ApiKeyView(View, frozen=True, kw_only=True):
    """An API key as the API shows it; a GET adds when it was last used.

    ``prefix`` and ``last4`` are how the key begins and ends.
    """

    id: ApiKeyId
    name: str
    prefix: str
    last4: str
    scopes: dict[str, list[str]]
    networks: tuple[str, ...]
    created_by: UserId | None
    created_at: datetime | None
    expires_at: datetime | None
    updated_at: datetime
    version: int


def render_api_key(key_id: UUID, key: ApiKey, version: int, updated_at: datetime) -> bytes:
    """Return the JSON of *key*, the same after a command as in a later GET."""
    view = ApiKeyView(
        id=ApiKeyId(key_id),
        name=key.name,
        prefix=f"{KEY_PREFIX}{key.key_id}",
        last4=key.last4,
        scopes=actions_by_resource(key.scopes),
        networks=key.networks,
        created_by=key.created_by,
        created_at=key.created_at,
        expires_at=key.expires_at,
        updated_at=updated_at,
        version=version,
    )
    return _encode(view)


def actions_by_resource(scopes: tuple[str, ...]) -> dict[str, list[str]]:
    """Return ``{"task": ["edit", "read"]}`` for ``task:edit`` and ``task:read``."""
    found: dict[str, list[str]] = {}
    for scope in sorted(scopes):
        resource, _, action = scope.partition(":")
        found.setdefault(resource, []).append(action)
    return found


class ApiKeyList(AggregateProjection[ApiKey]):
    """API keys by id, and by organization and creator in the order of their public ids."""

    name = "api_keys"
    version = 3
    tags = tags_of(ApiKeyEvent)
    state = ApiKey
    left_out = frozenset({"hash", "old_hash", "old_valid_until"})
    indexes = (
        Index(("org", "deleted"), "id"),
        Index(("org", "deleted", "created_by"), "id"),
    )

    def render(self, key: str, state: ApiKey, recorded: Recorded) -> bytes:
        return render_api_key(recorded.stream_id, state, recorded.version, recorded.at)

    def deleted(self, state: ApiKey) -> bool:
        return state.revoked or state.over


async def api_keys_of(
    models: ReadModels,
    org_id: OrgId,
    created_by: UserId | None,
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
) -> ListSlice:
    """Return the keys of an organization that are not over, or those that one user created."""
    where: dict[str, Value] = {"org": str(org_id), "deleted": False}
    if created_by is not None:
        where["created_by"] = str(created_by)
    query = Query(model="api_keys", where=where, sort="id", limit=limit, above=after, keyed=True)
    return await models.page(query)
