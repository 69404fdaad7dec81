"""HTTP routes of the caller's own sessions."""

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Controller, delete, get
from litestar.params import FromPath
from msgspec import Struct

from api.http.paging import list_json, wait_for_own_writes
from api.http.parameters import Page, nothing, shows
from api.http.policy import account
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from commands.identity.session import RevokeOtherSessions, RevokeSession
from domain.base import OrgId, SessionId
from domain.identity.device import device_name
from projections.identity.session import SessionView, sessions_of
from security.addresses import canonical, neighbourhood_of

_decode = msgspec.json.Decoder(SessionView).decode
_encode = msgspec.json.Encoder().encode


class OwnSessionView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A session of the caller; ``current`` is the one that asks.

    Device and address are those of the last use, which is noted every ten minutes.
    """

    id: SessionId
    device: str
    ip: str | None
    network: str | None
    started_at: datetime
    last_used_at: datetime
    expires_at: datetime | None
    organization_id: OrgId | None
    current: bool


class SessionController(Controller):
    """The caller's own sessions, one for each login."""

    path = "/api/auth/sessions"
    tags = ("Account",)

    @get("/", opt=account(), responses=shows(Page[OwnSessionView]))
    async def list_sessions(self, request: ApiRequest) -> ApiResponse:
        """List your active sessions, with device, address and last use."""
        await wait_for_own_writes(request, "sessions")
        caller = request.caller
        found = await sessions_of(
            request.api.models, caller.user_id, caller.user.credentials, request.api.system.clock()
        )
        items = [_encode(await _own(request, _decode(item))) for item in found.items]
        return ApiResponse(list_json(b",".join(items), None))

    @delete("/", status_code=200, opt=account(), responses=nothing())
    async def revoke_other_sessions(self, request: ApiRequest) -> ApiResponse:
        """End all your sessions except this one. Their tokens stop working at once."""
        session_id = request.caller.session_id
        command = RevokeOtherSessions(session_id=session_id)
        return await run_command(request, command, Reply(stream=None))

    @delete("/{session_id:uuid}", status_code=200, opt=account(), responses=nothing())
    async def revoke_session(self, request: ApiRequest, session_id: FromPath[UUID]) -> ApiResponse:
        """End one of your sessions. Its tokens stop working at once."""
        command = RevokeSession(session_id=SessionId(session_id))
        return await run_command(request, command, Reply(stream=session_id))


async def _own(request: ApiRequest, session: SessionView) -> OwnSessionView:
    caller = request.caller
    use = await request.api.session_uses.newest(session.id, caller.user_id)
    ip = None if use is None else use.ip
    address = canonical(ip or "")
    return OwnSessionView(
        id=session.id,
        device=device_name(None if use is None else use.user_agent),
        ip=ip,
        network=None if address is None else str(neighbourhood_of(address)),
        started_at=session.started_at,
        last_used_at=session.last_used_at if use is None else max(session.last_used_at, use.at),
        expires_at=session.expires_at,
        organization_id=session.organization_id,
        current=session.id == caller.session_id,
    )
