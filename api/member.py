"""HTTP for the members of an organization."""

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Struct, UnsetType

from api.answer import Answer
from api.asking import Asking
from api.commanding import Show, Wanted, perform
from api.organization import own_organization
from api.policy import needs
from api.problem import not_found
from api.reading import LIMIT_DEFAULT, Paging, own_writes_in
from api.route import Cursor, Limit, nothing, shows
from commands.organization import EditMember, RemoveMember
from domain.base import OrgId, UserId
from domain.membership import Role
from domain.organization import Organization
from domain.permission import Permission
from projections.user import UserView


class MemberWithUser(Struct, frozen=True, kw_only=True, rename="camel"):
    """A member, and who they are."""

    user_id: UserId
    role: Role
    active: bool
    joined_at: datetime | None
    user: UserView | None


class MemberList(Struct, frozen=True, rename="camel"):
    """A page of members."""

    items: list[MemberWithUser]
    next_cursor: str | None


class MemberChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; fields that are left out stay as they are."""

    role: Role | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class _Rest(Struct, rename="camel"):
    """What a change of a member leaves as it is."""

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
    """Who belongs to an organization, and as what."""

    path = "/api/org/{organization_id:uuid}/members"
    tags = ("Members",)

    @get("/", opt=needs(Permission.ORG_READ), responses=shows(MemberList))
    async def list_members(
        self,
        request: Asking,
        organization_id: FromPath[UUID],
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> Answer:
        """List the members of the organization that you work in."""
        org_id = own_organization(request, organization_id)
        paging = Paging(request)
        after = paging.key(cursor)
        await own_writes_in(request, "members", "users")
        return paging.answer(await request.door.queries.members_of(org_id, limit, after), limit)

    @get("/{user_id:uuid}", opt=needs(Permission.ORG_READ), responses=shows(MemberWithUser))
    async def get_member(
        self, request: Asking, organization_id: FromPath[UUID], user_id: FromPath[UUID]
    ) -> Answer:
        """Return one member."""
        org_id = own_organization(request, organization_id)
        await own_writes_in(request, "members", "users")
        found = await request.door.queries.member(org_id, UserId(user_id))
        if found is None:
            raise not_found()
        return Answer(found)

    @patch("/{user_id:uuid}", opt=needs(Permission.MEMBER_MANAGE), responses=shows(MemberWithUser))
    async def edit(
        self,
        request: Asking,
        organization_id: FromPath[UUID],
        user_id: FromPath[UUID],
        data: JSONBody[MemberChange],
    ) -> Answer:
        """Change the role of a member, or close and open their access."""
        org_id, member = OrgId(organization_id), UserId(user_id)
        command = EditMember(
            organization_id=org_id, user_id=member, role=data.role, active=data.active
        )
        wanted = Wanted(stream=org_id, show=await _show(request, org_id, member))
        return await perform(request, command, wanted)

    @delete(
        "/{user_id:uuid}",
        status_code=200,
        opt=needs(Permission.MEMBER_LEAVE),
        responses=nothing(),
    )
    async def remove(
        self, request: Asking, organization_id: FromPath[UUID], user_id: FromPath[UUID]
    ) -> Answer:
        """End a membership: your own, or somebody else's."""
        command = RemoveMember(organization_id=OrgId(organization_id), user_id=UserId(user_id))
        return await perform(request, command, Wanted(stream=organization_id))


async def _show(asking: Asking, org_id: OrgId, user_id: UserId) -> Show:
    """Return how to show a member of the new state; name and entry do not change by commands."""
    found = None
    if org_id == await asking.own_organization():
        found = await asking.door.queries.member(org_id, user_id)
    rest = _Rest() if found is None else _decode_rest(found)

    def show(organization: Organization, version: int, at: datetime) -> bytes:
        member = organization.members[user_id]
        return _encode(_Shown(user_id, member.role, member.active, rest.joined_at, rest.user))

    return show
