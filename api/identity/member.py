"""HTTP routes of the members of an organization."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch
from litestar.params import FromPath, FromQuery, JSONBody, Parameter, QueryParameter
from msgspec import UNSET, Struct, UnsetType

from api.http.paging import LIMIT_DEFAULT, Paging, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, nothing, shows
from api.http.policy import needs
from api.http.problem import not_found
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, Show, run_command
from api.identity.organization import own_organization
from api.identity.past import MembersAsked, MembersThen, members_as_of
from api.past.as_of import AskedMoment, refuse_beside_as_of
from commands.identity.organization import EditMember, RemoveMember
from domain.base import OrgId, UserId
from domain.identity.organization.membership import LastAdmin, Role, RoleTooLow
from domain.identity.organization.state import Organization
from domain.identity.plan import PlanLimitReached
from domain.permission import Permission
from projections.identity.member import MemberFilter, find_member, members_of
from projections.identity.user import UserView

_Role = FromQuery[Annotated[Role | None, Parameter(description="Only members with this role")]]
_Active = FromQuery[
    Annotated[bool | None, Parameter(description="Only members with access, or only those without")]
]
_Text = FromQuery[
    Annotated[
        str | None,
        QueryParameter(
            name="q", min_length=1, max_length=100, description="A part of their name or address"
        ),
    ]
]


class MemberWithUser(Struct, frozen=True, kw_only=True, rename="camel"):
    """A member with their name and e-mail address."""

    user_id: UserId
    role: Role
    active: bool
    joined_at: datetime | None
    user: UserView | None


class MemberChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; omitted fields stay as they are."""

    role: Role | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class _Rest(Struct, rename="camel"):
    """The parts of a member that no command changes."""

    joined_at: datetime | None = None
    user: msgspec.Raw = msgspec.Raw(b"null")


class _Shown(Struct, rename="camel"):
    user_id: UserId
    role: Role
    active: bool
    joined_at: datetime | None
    user: msgspec.Raw


_decode_rest = msgspec.json.Decoder(_Rest).decode
_encode = msgspec.json.Encoder().encode


class MemberController(Controller):
    """The members of an organization and their roles."""

    path = "/api/org/{organization_id:uuid}/members"
    tags = ("Members",)

    @get(
        "/",
        opt=needs(Permission.ORG_READ, fails=(PlanLimitReached,)),
        responses=shows(Page[MemberWithUser] | MembersThen),
    )
    async def list_members(  # noqa: PLR0913, PLR0917 - the parameters of the list
        self,
        request: ApiRequest,
        organization_id: FromPath[UUID],
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
        role: _Role = None,
        active: _Active = None,
        text: _Text = None,
        as_of: AskedMoment = None,
    ) -> ApiResponse:
        """List the members of your organization, or those whom the filters leave.

        A filter looks at 10,000 members for one page, which may then be shorter than the limit.
        With `as_of`, it lists who they were at a moment; then there is no `q`.
        """
        org_id = own_organization(request, organization_id)
        if as_of is not None:
            refuse_beside_as_of(q=text)
            wanted_then = MembersAsked(role, active, limit, cursor)
            return await members_as_of(request, org_id, wanted_then, as_of)
        told = None if active is None else str(active).lower()
        paging = Paging(request, role=role, active=told, q=text)
        after = paging.key(cursor)
        await wait_for_own_writes(request, "members", "users")
        wanted = MemberFilter(role, active, text)
        found = await members_of(request.api.models, org_id, wanted, limit, after)
        return paging.answer(found, limit)

    @get("/{user_id:uuid}", opt=needs(Permission.ORG_READ), responses=shows(MemberWithUser))
    async def get_member(
        self, request: ApiRequest, organization_id: FromPath[UUID], user_id: FromPath[UUID]
    ) -> ApiResponse:
        """Return a member."""
        org_id = own_organization(request, organization_id)
        await wait_for_own_writes(request, "members", "users")
        found = await find_member(request.api.models, org_id, UserId(user_id))
        if found is None:
            raise not_found()
        return ApiResponse(found)

    @patch(
        "/{user_id:uuid}",
        opt=needs(
            Permission.MEMBER_MANAGE,
            fails=(LastAdmin, (503, "rebuilding")),
            sends=("ETag",),
        ),
        responses=shows(MemberWithUser),
    )
    async def edit(
        self,
        request: ApiRequest,
        organization_id: FromPath[UUID],
        user_id: FromPath[UUID],
        data: JSONBody[MemberChange],
    ) -> ApiResponse:
        """Change the role of a member, deactivate or reactivate them."""
        org_id, member = OrgId(organization_id), UserId(user_id)
        command = EditMember(
            organization_id=org_id, user_id=member, role=data.role, active=data.active
        )
        reply = Reply(stream=org_id, show=await _show(request, org_id, member))
        return await run_command(request, command, reply)

    @delete(
        "/{user_id:uuid}",
        status_code=200,
        opt=needs(Permission.MEMBER_LEAVE, fails=(LastAdmin, RoleTooLow)),
        responses=nothing(),
    )
    async def remove(
        self, request: ApiRequest, organization_id: FromPath[UUID], user_id: FromPath[UUID]
    ) -> ApiResponse:
        """Remove a member or leave the organization."""
        command = RemoveMember(organization_id=OrgId(organization_id), user_id=UserId(user_id))
        return await run_command(request, command, Reply(stream=organization_id))


async def _show(request: ApiRequest, org_id: OrgId, user_id: UserId) -> Show:
    """Return a function that renders a member; name and joining date come from the read model."""
    found = None
    if org_id == await request.own_organization():
        found = await find_member(request.api.models, org_id, user_id)
    rest = _Rest() if found is None else _decode_rest(found)

    def show(organization: Organization, version: int, at: datetime) -> bytes:
        member = organization.members[user_id]
        return _encode(_Shown(user_id, member.role, member.active, rest.joined_at, rest.user))

    return show
