"""An organization as it was, and who belonged to it, as the API shows them."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from msgspec import Struct

from api.http.paging import Paging
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.past.as_of import MomentView, moment_of, stamped, worked_out
from commands.past.moment import Moment
from commands.past.ordering import sorted_pieces
from domain.base import NotFound, OrgId
from domain.identity.organization.membership import Role
from domain.identity.organization.state import Organization
from eventstore.log import EventLog
from projections.base import View
from projections.engine.query import list_slice
from projections.identity.member import Members, Membership, MemberView, render_member
from projections.identity.organization import OrganizationView, render_organization

EVENTS_PIECE = 200
"""Events that are folded in one turn: 1 to 2 ms."""

_MEMBER_BYTES = 300
_members = Members()


class OrganizationThen(OrganizationView, frozen=True, kw_only=True):
    """An organization as it was at a moment."""

    as_of: MomentView


class MembersThen(View, frozen=True, kw_only=True):
    """A page of those who belonged to an organization at a moment.

    Names and addresses are left out: they belong to accounts, not to organizations.
    """

    items: list[MemberView]
    next_cursor: str | None
    as_of: MomentView


class MembersAsked(Struct, frozen=True):
    """Which members are asked for, and which page of them."""

    role: Role | None
    active: bool | None
    limit: int
    cursor: str | None


class PastOrganization(Struct, frozen=True):
    """An organization at a moment, with its members in the order of their ids."""

    json: bytes
    members: tuple[Membership, ...]

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return len(self.json) + _MEMBER_BYTES * len(self.members)


async def organization_as_of(request: ApiRequest, org_id: OrgId, asked: str) -> ApiResponse:
    """Return the response with an organization as it was at the moment that is *asked* for."""
    moment = await moment_of(request, asked)
    return ApiResponse(stamped((await _then(request, org_id, moment)).json, moment))


async def members_as_of(
    request: ApiRequest, org_id: OrgId, wanted: MembersAsked, asked: str
) -> ApiResponse:
    """Return a page of those who were members at the moment that is *asked* for."""
    moment = await moment_of(request, asked)
    told = None if wanted.active is None else str(wanted.active).lower()
    paging = Paging(request, as_of=moment.seq, role=wanted.role, active=told)
    after = paging.key(wanted.cursor) or 0
    found = (await _then(request, org_id, moment)).members
    page, behind = _page(found, wanted, after)
    cursor = paging.cursor(list_slice(page, None if behind == len(found) else behind))
    told_cursor = b"null" if cursor is None else b'"%b"' % cursor.encode()
    body = b'{"items":[%b],"nextCursor":%b}' % (b",".join(page), told_cursor)
    return ApiResponse(stamped(body, moment))


def _page(
    members: Sequence[Membership], wanted: MembersAsked, after: int
) -> tuple[list[bytes], int]:
    """Return a page of those *members* behind the first *after*, and behind how many it ends."""
    page: list[bytes] = []
    for place in range(after, len(members)):
        if len(page) == wanted.limit:
            return page, place
        one = members[place]
        if wanted.role in (None, one.role) and wanted.active in (None, one.active):
            page.append(render_member(one))
    return page, len(members)


async def _then(request: ApiRequest, org_id: OrgId, moment: Moment) -> PastOrganization:
    work = partial(_fold, request.api.system.log, org_id, moment.seq)
    return await worked_out(request, ("organization", moment.seq), work)


async def _fold(log: EventLog, org_id: OrgId, seq: int) -> PastOrganization:
    """Return an organization, folded in pieces between which others are served."""
    organization, version, at = Organization(), 0, None
    members: dict[int, Membership] = {}  # by the integers of ids, because UUIDs are hashed slowly
    while True:
        async with log.turns:
            rows = await log.stream_rows(org_id, org_id, version, EVENTS_PIECE)
            known = await log.decoded([row for row in rows if row.org_seq <= seq])
            for recorded in known:
                event: Any = recorded.event  # one of those of an organization
                if recorded.tag in _members.tags:
                    user_id = event.user_id.int
                    members[user_id] = _members.fold("", members.get(user_id), recorded)
                else:  # which shows nothing of its members
                    organization = organization.evolve(event)
                version, at = recorded.version, recorded.at
        if len(known) < EVENTS_PIECE:
            break
    if at is None:
        raise NotFound
    here: list[Membership] = []
    async for piece in sorted_pieces(log, [*members]):
        here += [members[each] for each in piece if not members[each].left]
    json = render_organization(org_id, organization, version, at)
    return PastOrganization(json, tuple(here))
