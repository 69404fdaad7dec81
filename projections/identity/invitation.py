"""Open invitations as an organization sees them: one document each, without the token."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.base import OrgId
from domain.identity.organization.membership import (
    Invitation,
    InvitationAccepted,
    InvitationExpired,
    InvitationRevoked,
    MemberInvited,
    Role,
)
from eventstore.recorded import Recorded
from projections.base import Projection, View, document_id, tags_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index

_encode = msgspec.json.Encoder().encode


class InvitationState(Struct, frozen=True, kw_only=True):
    """An invitation, and whether it can still be accepted."""

    invitation_id: UUID
    email: str = ""
    role: Role = Role.MEMBER
    expires_at: datetime | None = None
    mailed: bool = False
    over: bool = False


class InvitationView(View, frozen=True, kw_only=True):
    """An invitation as the API shows it; ``mailed`` false: the inviter passes the link on."""

    id: UUID
    email: str
    role: Role
    expires_at: datetime | None
    mailed: bool


def render_invitation(invitation_id: UUID, invitation: Invitation | InvitationState) -> bytes:
    """Return the JSON of an invitation."""
    view = InvitationView(
        id=invitation_id,
        email=invitation.email,
        role=invitation.role,
        expires_at=invitation.expires_at,
        mailed=invitation.mailed,
    )
    return _encode(view)


class Invitations(Projection[InvitationState]):
    """Invitations that are not over, the oldest first."""

    name = "invitations"
    version = 2
    tags = tags_of(MemberInvited, InvitationRevoked, InvitationExpired, InvitationAccepted)
    state = InvitationState
    indexes = (Index(("org", "deleted"), "invitation_id"),)

    def keys(self, recorded: Recorded) -> Sequence[str]:
        event: Any = recorded.event  # each event that is asked for names one invitation
        return (document_id(recorded.org_id, event.invitation_id),)

    def fold(self, key: str, state: InvitationState | None, recorded: Recorded) -> InvitationState:
        event: Any = recorded.event
        if isinstance(event, MemberInvited):
            return InvitationState(
                invitation_id=event.invitation_id,
                email=event.email,
                role=event.role,
                expires_at=event.expires_at,
                mailed=event.mailed,
            )
        over = state or InvitationState(invitation_id=event.invitation_id)
        return replace(over, over=True, email="")  # nobody reads it any more, so nobody erases it

    def render(self, key: str, state: InvitationState, recorded: Recorded) -> bytes:
        return render_invitation(state.invitation_id, state)

    def deleted(self, state: InvitationState) -> bool:
        return state.over


async def invitations_of(
    models: ReadModels, org_id: OrgId, limit: int = PAGE_DEFAULT, after: str | None = None
) -> ListSlice:
    """Return the open invitations of an organization, by id."""
    query = Query(
        model="invitations",
        where={"org": str(org_id), "deleted": False},
        sort="invitation_id",
        limit=limit,
        above=after,
    )
    return await models.page(query)
