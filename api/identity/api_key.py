"""HTTP routes of API keys."""

import contextlib
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from api.http.paging import LIMIT_DEFAULT, Paging, one, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, nothing, shows
from api.http.policy import needs
from api.http.problem import FieldError, invalid
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, Show, run_command
from commands.base import NotPermitted
from commands.identity.api_key import (
    EXPIRED_MAX,
    CreateApiKey,
    EditApiKey,
    RevokeApiKey,
    RotateApiKey,
)
from domain.base import ApiKeyId, NotFound
from domain.identity.api_key.errors import ApiKeyIsOver, ExpiryNotAllowed, ScopeNotAllowed
from domain.identity.api_key.state import LIFETIME_DEFAULT, NETWORKS_MAX, ApiKey, stream_of_key
from domain.identity.plan import PlanLimitReached
from domain.identity.session.errors import ReauthenticationRequired
from domain.name import Name
from domain.permission import KEY_PERMISSIONS, Permission, is_allowed
from projections.engine.query import LIMIT_MAX, list_slice
from projections.engine.store import ReadStoreUnavailable, Rebuilding
from projections.identity.api_key import ApiKeyView, api_keys_of, render_api_key
from security.addresses import canonical_network

_Word = Annotated[str, Meta(max_length=50)]
AskedScopes = dict[_Word, Annotated[list[_Word], Meta(max_length=20)]]
NetworkList = Annotated[list[Annotated[str, Meta(max_length=50)]], Meta(max_length=NETWORKS_MAX)]


class NewApiKey(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new API key; without ``expiresAt`` it expires in 90 days."""

    name: Name
    scopes: Annotated[AskedScopes, Meta(max_length=20)]
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None
    networks: NetworkList = []


class ApiKeyChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; omitted fields stay as they are."""

    name: Name | UnsetType = UNSET
    networks: NetworkList | UnsetType = UNSET


class UsedApiKeyView(ApiKeyView, frozen=True, kw_only=True):
    """An API key, and when it was last used, to the minute."""

    last_used_at: datetime | None


class NewApiKeyView(ApiKeyView, frozen=True, kw_only=True):
    """An API key with its text, which a retry later than 10 minutes does not get."""

    key: str | UnsetType = UNSET


class _Expiring(Struct, frozen=True, rename="camel"):
    """What is needed of a key in a list to tell whether it has expired."""

    id: ApiKeyId
    expires_at: datetime | None


_expiring = msgspec.json.Decoder(_Expiring).decode


class ApiKeyController(Controller):
    """Keys with which programs work in an organization on behalf of a member."""

    path = "/api/apikey"
    tags = ("API keys",)

    @post(
        "/",
        opt=needs(
            Permission.APIKEY_CREATE,
            fails=(
                ExpiryNotAllowed,
                PlanLimitReached,
                ReauthenticationRequired,
                ScopeNotAllowed,
            ),
        ),
        responses=shows(NewApiKeyView, 201),
    )
    async def create(self, request: ApiRequest, data: JSONBody[NewApiKey]) -> ApiResponse:
        """Create an API key. The key itself is shown only in this response."""
        system = request.api.system
        made = system.keys.api_keys.new()
        command = CreateApiKey(
            key_id=made.key_id,
            hash=made.hash,
            last4=made.last4,
            name=data.name,
            scopes=_scopes(data.scopes),
            networks=_networks(data.networks),
            expires_at=data.expires_at or system.clock() + LIFETIME_DEFAULT,
            expired=await _expired(request),
        )
        return await run_command(
            request, command, _shown(stream_of_key(made.key_id), 201, made.text)
        )

    @get("/", opt=needs(Permission.APIKEY_READ), responses=shows(Page[UsedApiKeyView]))
    async def list_api_keys(
        self, request: ApiRequest, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
    ) -> ApiResponse:
        """List your API keys that are not revoked, or as an ADMIN everybody's."""
        paging = Paging(request)
        after = paging.key(cursor)
        await wait_for_own_writes(request, "api_keys")
        caller = request.caller
        creator = None if is_allowed(caller.role, Permission.APIKEY_MANAGE) else caller.user_id
        found = await api_keys_of(request.api.models, request.organization, creator, limit, after)
        ids = [key.rpartition(":")[2] for key in found.keys]
        used = await request.api.key_uses.of(ids)
        items = [_with_use(item, used.get(id_)) for id_, item in zip(ids, found.items, strict=True)]
        return paging.answer(list_slice(items, found.next_key), limit)

    @get("/{api_key_id:uuid}", opt=needs(Permission.APIKEY_READ), responses=shows(UsedApiKeyView))
    async def get_api_key(self, request: ApiRequest, api_key_id: FromPath[UUID]) -> ApiResponse:
        """Return an API key of yours, or as an ADMIN anybody's."""
        found = await request.newest(ApiKey, api_key_id)
        found.state.refuse_unless_here()
        caller = request.caller
        if found.state.created_by != caller.user_id and not is_allowed(
            caller.role, Permission.APIKEY_MANAGE
        ):
            raise NotFound
        used = await request.api.key_uses.of([str(api_key_id)])

        def show(key: ApiKey, version: int, at: datetime) -> bytes:
            shown = render_api_key(api_key_id, key, version, at)
            return _with_use(shown, used.get(str(api_key_id)))

        return one(request, found, show, derived=True)

    @patch(
        "/{api_key_id:uuid}",
        opt=needs(Permission.APIKEY_CREATE, fails=(ApiKeyIsOver,)),
        responses=shows(ApiKeyView),
    )
    async def edit(
        self, request: ApiRequest, api_key_id: FromPath[UUID], data: JSONBody[ApiKeyChange]
    ) -> ApiResponse:
        """Change the name of an API key, or the networks from which it can be used."""
        networks = UNSET if data.networks is UNSET else _networks(data.networks)
        command = EditApiKey(api_key_id=ApiKeyId(api_key_id), name=data.name, networks=networks)
        return await run_command(request, command, _shown(api_key_id))

    @post(
        "/{api_key_id:uuid}/rotate",
        status_code=200,
        opt=needs(
            Permission.APIKEY_CREATE, fails=(ApiKeyIsOver, NotPermitted, ReauthenticationRequired)
        ),
        responses=shows(NewApiKeyView),
    )
    async def rotate(self, request: ApiRequest, api_key_id: FromPath[UUID]) -> ApiResponse:
        """Replace your API key by a new one, shown only now. The old one works for 24 hours more.

        The new one expires after as much time as the old one had when it was new.
        """
        found = await request.api.system.commands.states.load(
            ApiKey, api_key_id, await request.own_organization()
        )
        made = request.api.system.keys.api_keys.new(found.state.key_id)
        command = RotateApiKey(api_key_id=ApiKeyId(api_key_id), hash=made.hash, last4=made.last4)
        return await run_command(request, command, _shown(api_key_id, key=made.text))

    @delete(
        "/{api_key_id:uuid}",
        status_code=200,
        opt=needs(Permission.APIKEY_CREATE),
        responses=nothing(),
    )
    async def revoke(self, request: ApiRequest, api_key_id: FromPath[UUID]) -> ApiResponse:
        """Revoke an API key. It stops working at once and for good."""
        command = RevokeApiKey(api_key_id=ApiKeyId(api_key_id))
        return await run_command(request, command, Reply(stream=api_key_id))


async def _expired(request: ApiRequest) -> tuple[ApiKeyId, ...]:
    """Return keys of the organization that have expired; none while they cannot be listed."""
    org_id, now = await request.own_organization(), request.api.system.clock()
    with contextlib.suppress(Rebuilding, ReadStoreUnavailable):
        found = await api_keys_of(request.api.models, org_id, None, LIMIT_MAX)
        keys = map(_expiring, found.items)
        over = [key.id for key in keys if key.expires_at is not None and key.expires_at <= now]
        return tuple(over[:EXPIRED_MAX])
    return ()


def _shown(api_key_id: UUID, status: int = 200, key: str | None = None) -> Reply:
    def show(state: ApiKey, version: int, at: datetime) -> bytes:
        return render_api_key(api_key_id, state, version, at)

    def show_once(state: ApiKey, version: int, at: datetime) -> bytes:
        return _with(show(state, version, at), "key", key)

    once: Show | None = None if key is None else show_once
    location = "/api/apikey/{id}" if status == 201 else ""
    return Reply(stream=api_key_id, show=show, status=status, location=location, show_once=once)


def _with_use(shown: bytes, used_at: datetime | None) -> bytes:
    return _with(shown, "lastUsedAt", used_at)


def _with(shown: bytes, name: str, value: str | datetime | None) -> bytes:
    """Return the JSON object *shown* with one more member."""
    return b'%b,"%b":%b}' % (shown[:-1], name.encode(), msgspec.json.encode(value))


def _scopes(asked: dict[str, list[str]]) -> tuple[str, ...]:
    """Return ``("task:edit", "task:read")`` for ``{"task": ["read", "edit"]}``.

    :raises Problem: 422 for a scope that no API key can have.
    """
    named = {f"{kind}:{action}": kind for kind, actions in asked.items() for action in actions}
    unknown = [
        FieldError(f"$.scopes.{kind}", f"API keys cannot have {scope}")
        for scope, kind in sorted(named.items())
        if scope not in KEY_PERMISSIONS
    ]
    if unknown:
        raise invalid(*unknown)
    return tuple(sorted(named))


def _networks(asked: list[str]) -> tuple[str, ...]:
    """Return networks in canonical form, each once.

    :raises Problem: 422 for what is none.
    """
    found = [canonical_network(text) for text in asked]
    wrong = [
        FieldError(f"$.networks[{place}]", "Expected a network such as 192.0.2.0/24")
        for place, network in enumerate(found)
        if network is None
    ]
    if wrong:
        raise invalid(*wrong)
    return tuple(dict.fromkeys(str(network) for network in found))
