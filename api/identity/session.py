"""HTTP routes of sessions: one's own, and as an administrator those of members."""

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Controller, delete, get
from litestar.params import FromPath
from msgspec import Struct
from msgspec.structs import asdict

from api.http.paging import list_json, wait_for_own_writes
from api.http.parameters import Page, nothing, shows
from api.http.policy import account, needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.identity.organization import own_organization
from commands.identity.member_sessions import EndSessionsOfMember
from commands.identity.session import RevokeOtherSessions, RevokeSession
from domain.base import NotFound, OrgId, SessionId, UserId
from domain.identity.device import device_name
from domain.identity.organization.state import Organization
from domain.identity.user.state import User
from domain.permission import Permission
from projections.identity.session import SessionView, sessions_of
from security.addresses import canonical, neighbourhood_of

_decode = msgspec.json.Decoder(SessionView).decode
_encode = msgspec.json.Encoder().encode


class MemberSessionView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A session of a member, in which they work in the organization.

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


class OwnSessionView(MemberSessionView, frozen=True, kw_only=True):
    """A session of the caller; ``current`` is the one that asks."""

    current: bool


class SessionController(Controller):
    """The caller's own sessions, one for each login."""

    path = "/api/auth/sessions"
    tags = ("Account",)

    @get("/", opt=account(), responses=shows(Page[OwnSessionView]))
    async def list_sessions(self, request: ApiRequest) -> ApiResponse:
        """List your active sessions, with device, address and last use."""
        items = [_encode(session) for session in await own_sessions(request)]
        return ApiResponse(list_json(b",".join(items), None))

    @delete("/", status_code=200, opt=account(), responses=nothing())
    async def revoke_other_sessions(self, request: ApiRequest) -> ApiResponse:
        """End all your sessions except this one. Their tokens stop working at once."""
        command = RevokeOtherSessions(
            session_id=request.caller.session_id, listed=await _listed(request)
        )
        return await run_command(request, command, Reply(stream=None))

    @delete("/{session_id:uuid}", status_code=200, opt=account(), responses=nothing())
    async def revoke_session(self, request: ApiRequest, session_id: FromPath[UUID]) -> ApiResponse:
        """End one of your sessions. Its tokens stop working at once."""
        command = RevokeSession(session_id=SessionId(session_id))
        return await run_command(request, command, Reply(stream=session_id))


class MemberSessionController(Controller):
    """The sessions of a member, for administrators of their organization."""

    path = "/api/org/{organization_id:uuid}/members/{user_id:uuid}/sessions"
    tags = ("Members",)

    @get("/", opt=needs(Permission.AUDIT_READ), responses=shows(Page[MemberSessionView]))
    async def list_sessions_of_member(
        self, request: ApiRequest, organization_id: FromPath[UUID], user_id: FromPath[UUID]
    ) -> ApiResponse:
        """List the active sessions in which a member works in your organization."""
        org_id, member = own_organization(request, organization_id), UserId(user_id)
        system = request.api.system
        organization = await system.commands.states.fresh(Organization, org_id, org_id)
        if organization.member(member) is None:
            raise NotFound
        await wait_for_own_writes(request, "sessions")
        user = await system.commands.states.fresh(User, member)
        found = await sessions_of(
            request.api.models, member, user.credentials, request.api.system.clock()
        )
        here = [s for s in map(_decode, found.items) if s.organization_id == org_id]
        items = [_encode(await _used(request, session, member)) for session in here]
        return ApiResponse(list_json(b",".join(items), None))

    @delete("/", status_code=200, opt=needs(Permission.MEMBER_MANAGE), responses=nothing())
    async def end_sessions_of_member(
        self, request: ApiRequest, organization_id: FromPath[UUID], user_id: FromPath[UUID]
    ) -> ApiResponse:
        """End the sessions in which a member works in your organization; they can log in again."""
        command = EndSessionsOfMember(
            organization_id=OrgId(organization_id), user_id=UserId(user_id)
        )
        return await run_command(request, command, Reply(stream=None))


async def own_sessions(request: ApiRequest) -> list[OwnSessionView]:
    """Return the caller's active sessions, those that end last first."""
    return [await _own(request, _decode(item)) for item in await _found(request)]


async def _listed(request: ApiRequest) -> tuple[SessionId, ...]:
    return tuple(_decode(item).id for item in await _found(request))


async def _found(request: ApiRequest) -> list[bytes]:
    """Return the caller's active sessions as the read model has them."""
    await wait_for_own_writes(request, "sessions")
    caller, system = request.caller, request.api.system
    found = await sessions_of(
        request.api.models, caller.user_id, caller.user.credentials, system.clock()
    )
    return [*found.items]


async def _own(request: ApiRequest, session: SessionView) -> OwnSessionView:
    caller = request.caller
    shown = await _used(request, session, caller.user_id)
    return OwnSessionView(**asdict(shown), current=session.id == caller.session_id)


async def _used(request: ApiRequest, session: SessionView, user_id: UserId) -> MemberSessionView:
    use = await request.api.session_uses.newest(session.id, user_id)
    ip = None if use is None else use.ip
    address = canonical(ip or "")
    return MemberSessionView(
        id=session.id,
        device=device_name(None if use is None else use.user_agent),
        ip=ip,
        network=None if address is None else str(neighbourhood_of(address)),
        started_at=session.started_at,
        last_used_at=session.last_used_at if use is None else max(session.last_used_at, use.at),
        expires_at=session.expires_at,
        organization_id=session.organization_id,
    )
