"""HTTP route of everything that is known about oneself."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, get
from msgspec import Struct

from api.http.parameters import shows
from api.http.policy import account
from api.http.problem import camel
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.identity.account import MembershipView, own_account, own_membership
from api.identity.erasure import organizations_ever
from api.identity.session import OwnSessionView, own_sessions
from api.login.known_networks import known_networks
from audit.opened import open_all
from audit.trail import entry_json
from domain.access import access_record
from domain.base import PLATFORM, OrgId
from projections.identity.api_key import api_keys_of

_EVENTS_AT_ONCE = 500
_KEYS_MAX = 1_000
"""More than any organization has, whatever its plan."""

_encode = msgspec.json.Encoder().encode


class OwnDataView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything that is known about the caller.

    ``history`` are the events of their account and of their access to organizations, as in the
    audit log: when, from which address and with which program.
    """

    exported_at: datetime
    account: dict[str, Any]
    organizations: list[MembershipView]
    sessions: list[OwnSessionView]
    known_networks: list[str]
    api_keys: list[dict[str, Any]]
    history: list[dict[str, Any]]


_OF_THE_ACCOUNT = ("id", "email", "email_confirmed", "name", "time_zone", "totp")


class OwnDataController(Controller):
    """What is known about the caller."""

    path = "/api/user/me"
    tags = ("Account",)

    @get("/data", opt=account(), responses=shows(OwnDataView))
    async def get_own_data(self, request: ApiRequest) -> ApiResponse:
        """Return everything that is known about you.

        What you wrote belongs to your organizations and is not included.
        """
        caller = request.caller
        organizations = await organizations_ever(request, caller.user_id)
        memberships = [await own_membership(request, org_id) for org_id in organizations]
        me = (await own_account(request))(caller.user)
        view = OwnDataView(
            exported_at=request.api.system.clock(),
            account={camel(name): getattr(me, name) for name in _OF_THE_ACCOUNT},
            organizations=[each for each in memberships if each is not None],
            sessions=await own_sessions(request),
            known_networks=await known_networks(request, caller.user_id),
            api_keys=[key async for key in _api_keys(request, organizations)],
            history=[entry async for entry in _history(request, organizations)],
        )
        return ApiResponse(_encode(view))


async def _api_keys(
    request: ApiRequest, organizations: list[OrgId]
) -> AsyncIterator[dict[str, Any]]:
    models, user_id = request.api.models, request.caller.user_id
    for org_id in organizations:
        found = await api_keys_of(models, org_id, user_id, limit=_KEYS_MAX)
        for item in found.items:
            yield {**msgspec.json.decode(item), "organizationId": org_id}


async def _history(
    request: ApiRequest, organizations: list[OrgId]
) -> AsyncIterator[dict[str, Any]]:
    user_id = request.caller.user_id
    async for entry in _events(request, user_id, PLATFORM):
        yield entry
    for org_id in organizations:
        async for entry in _events(request, access_record(org_id, user_id), org_id):
            yield entry


async def _events(
    request: ApiRequest, stream: UUID, org_id: OrgId
) -> AsyncIterator[dict[str, Any]]:
    log, after = request.api.system.log, 0
    while rows := await log.stream_rows(stream, org_id, after, _EVENTS_AT_ONCE):
        async with log.turns:
            opened = await open_all(log, rows)
        for each in opened:
            yield entry_json(each)
        after = rows[-1].version
