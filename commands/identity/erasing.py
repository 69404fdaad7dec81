"""Erasing a person: their account is closed, then nobody can read any more whose it was."""

from typing import ClassVar
from uuid import UUID

from commands.base import Change, Command, Context, Decision, changes_of
from commands.identity.user import UserCommand
from commands.reads import Reads
from commands.session_places import session_places
from domain.base import OrgId, UserId
from domain.identity.organization.closing import close_account
from domain.identity.organization.membership import InvitationRevoked, MemberLeft
from domain.identity.organization.sso import MemberUnlinked
from domain.identity.organization.state import Organization
from domain.identity.session.events import RevocationCause, SessionRevoked
from domain.identity.session.state import Session
from domain.identity.user.erasure import UserErased, UserErasureRequested
from domain.identity.user.state import User
from domain.permission import Permission


class EraseUser(UserCommand, frozen=True, kw_only=True):
    """Close your account for good, leave every organization and have your personal data erased.

    What you wrote stays with the organizations, without your name. The last active ADMIN of an
    organization makes somebody else one first, or deletes it. An organization under a legal hold
    refuses it to its members, until they leave or the hold is lifted.
    """

    sensitive = True
    records = (MemberLeft, MemberUnlinked, SessionRevoked, UserErasureRequested)
    organizations: tuple[OrgId, ...]
    """Every organization that the user belongs to, or has belonged to.

    Whoever joins one changes their account, too, so this list is whole if the account is the one
    that the caller was identified with.
    """

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = await read(User, self.user_id)
        requested = user.request_erasure()
        leaving: list[Change] = []
        for org_id in self.organizations:
            organization = await read.elsewhere(org_id)
            events = close_account(organization, self.user_id)
            leaving += [Change(org_id, events, org_id)] if events else []
        return [
            *leaving,
            *await _end_sessions(read, self.user_id),
            Change(self.user_id, requested),
        ]


async def _end_sessions(read: Reads, user_id: UserId) -> list[Change]:
    """Return what ends the sessions that no organization's provider began."""
    changes: list[Change] = []
    for session_id in (await read.holders(session_places(user_id))).values():
        session = await read(Session, session_id)
        events = session.revoke(RevocationCause.ACCOUNT_ERASED, by=user_id)
        changes += [Change(session_id, events)] if events else []
    return changes


class EndInvitationOfErased(Command, frozen=True, kw_only=True):
    """End an open invitation that was sent to the address of somebody who is being erased."""

    needs: ClassVar[Permission | None] = None
    records = (InvitationRevoked,)
    invitation_id: UUID

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read(Organization, context.organization)
        if self.invitation_id not in organization.invitations:
            return []
        events = organization.revoke_invitation(self.invitation_id, by=None)
        return changes_of(context.organization, events)


class FinishErasure(Command, frozen=True, kw_only=True):
    """Record that the keys of a user's personal data are destroyed."""

    needs: ClassVar[Permission | None] = None
    records = (UserErased,)
    user_id: UserId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = await read(User, self.user_id)
        return changes_of(self.user_id, user.finish_erasure())
