"""Members as an organization sees them: one document per person and organization."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.base import PLATFORM, OrgId, UserId
from domain.identity.organization.membership import (
    MemberDeactivated,
    MemberJoined,
    MemberLeft,
    MemberReactivated,
    MemberRoleChanged,
    Role,
)
from eventstore.recorded import Recorded
from projections.base import Projection, View, document_id, tags_of
from projections.engine.find import PAGE_DEFAULT, ReadModels, full_page
from projections.engine.query import LIMIT_MAX, RESIDUAL_ROWS_MAX, ListSlice, Query, list_slice
from projections.shape import Index, Value

_encode = msgspec.json.Encoder().encode


class Membership(Struct, frozen=True, kw_only=True):
    """One person's role in one organization, and since when."""

    user_id: UserId
    role: Role = Role.MEMBER
    active: bool = True
    joined_at: datetime | None = None
    left: bool = False


class MemberView(View, frozen=True, kw_only=True):
    """A member as the API shows it; a list adds ``user``, who they are."""

    user_id: UserId
    role: Role
    active: bool
    joined_at: datetime | None


class MemberFilter(Struct, frozen=True):
    """Which members are listed; *text* is a part of their name or address, in any case."""

    role: Role | None = None
    active: bool | None = None
    text: str | None = None


EVERYBODY = MemberFilter()


class _Listed(Struct, rename="camel"):
    user_id: str


class _Known(Struct):
    """By what a member is found."""

    name: str
    email: str


class _Joined(Struct):
    """A member with who they are, if that is known."""

    user: _Known | None


_decode_user = msgspec.json.Decoder(_Listed).decode
_decode_joined = msgspec.json.Decoder(_Joined).decode


def render_member(member: Membership) -> bytes:
    """Return the JSON of *member*."""
    view = MemberView(
        user_id=member.user_id,
        role=member.role,
        active=member.active,
        joined_at=member.joined_at,
    )
    return _encode(view)


class Members(Projection[Membership]):
    """Members of an organization; the documents of former members are hidden from lists."""

    name = "members"
    tags = tags_of(
        MemberJoined, MemberRoleChanged, MemberDeactivated, MemberReactivated, MemberLeft
    )
    state = Membership
    version = 2
    indexes = (Index(("org", "deleted"), "user_id"), Index(("user_id", "deleted"), "org"))

    def keys(self, recorded: Recorded) -> Sequence[str]:
        event: Any = recorded.event  # each of the events that we process names one user
        return (document_id(recorded.org_id, event.user_id),)

    def fold(self, key: str, state: Membership | None, recorded: Recorded) -> Membership:
        event: Any = recorded.event
        before = state or Membership(user_id=event.user_id)
        match event:
            case MemberJoined():
                return Membership(user_id=event.user_id, role=event.role, joined_at=recorded.at)
            case MemberRoleChanged():
                return replace(before, role=event.to)
            case MemberDeactivated():
                return replace(before, active=False)
            case MemberReactivated():
                return replace(before, active=True)
            case _:
                return replace(before, left=True)

    def render(self, key: str, state: Membership, recorded: Recorded) -> bytes:
        return render_member(state)

    def deleted(self, state: Membership) -> bool:
        return state.left


async def find_member(models: ReadModels, org_id: OrgId, user_id: UserId) -> bytes | None:
    """Return a member of the organization as the list of members shows them."""
    found = await models.one("members", org_id, user_id)
    return (await _with_users(models, [found.json]))[0] if found else None


async def memberships_of(
    models: ReadModels, user_id: UserId, limit: int = PAGE_DEFAULT, after: str | None = None
) -> ListSlice:
    """Return a person's memberships; the keys are the ids of the organizations, in order."""
    query = Query(
        model="members",
        where={"user_id": str(user_id), "deleted": False},
        sort="org",
        limit=limit,
        above=after,
        keyed=True,
    )
    return await models.page(query)


async def organizations_ever_of(models: ReadModels, user_id: UserId) -> list[OrgId]:
    """Return every organization that a person belongs to, or has belonged to."""
    found: list[OrgId] = []
    for left in (False, True):
        where: dict[str, Value] = {"user_id": str(user_id), "deleted": left}
        after: str | None = None
        while True:
            query = Query(
                model="members", where=where, sort="org", limit=LIMIT_MAX, above=after, keyed=True
            )
            page = await models.page(query)
            found += [OrgId(UUID(key)) for key in page.keys]
            if page.next_key is None:
                break
            after = page.next_key
    return found


async def members_of(
    models: ReadModels,
    org_id: OrgId,
    wanted: MemberFilter = EVERYBODY,
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
) -> ListSlice:
    """Return members of the organization by user id, each with ``user``: who they are."""
    residual: dict[str, Value] = {}
    if wanted.role is not None:
        residual["role"] = wanted.role.value
    if wanted.active is not None:
        residual["active"] = wanted.active
    query = Query(
        model="members",
        where={"org": str(org_id), "deleted": False},
        sort="user_id",
        limit=limit,
        above=after,
        residual=residual,
    )
    if wanted.text is not None:
        return await _found(models, query, wanted.text.casefold())
    found = await models.page(query)
    return list_slice(await _with_users(models, found.items), found.next_key)


async def _found(models: ReadModels, query: Query, text: str) -> ListSlice:
    """Return the members of a list in whose name or address *text* stands.

    As many members are looked at a time as by any filter.
    """
    rows = replace(query, limit=RESIDUAL_ROWS_MAX, keyed=True)

    async def find(_: int, after: str | None) -> ListSlice:
        page = await models.page(replace(rows, above=after))
        members = zip(page.keys, await _with_users(models, page.items), strict=True)
        found = [(key, member) for key, member in members if _names(member, text)]
        return list_slice([member for _, member in found], page.next_key, [key for key, _ in found])

    return await full_page(find, query.limit, query.above)


def _names(member: bytes, text: str) -> bool:
    user = _decode_joined(member).user
    return user is not None and (text in user.name.casefold() or text in user.email.casefold())


async def _with_users(models: ReadModels, members: list[bytes]) -> list[bytes]:
    ids = [f"{PLATFORM}:{_decode_user(member).user_id}" for member in members]
    users = await models.many("users", ids)
    return [
        _joined(member, users.get(user, b"null")) for user, member in zip(ids, members, strict=True)
    ]


def _joined(member: bytes, user: bytes) -> bytes:
    return b'%b,"user":%b}' % (member[:-1], user)
