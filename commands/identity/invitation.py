"""Commands on invitations: who is asked to join an organization, and who accepts."""

import hmac
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from commands.base import Change, Command, Context, Decision, changes_of
from commands.identity.organization import OrganizationCommand, read_organization
from commands.identity.session import working_in
from commands.identity.user import PASSWORD, Email
from commands.reads import Reads
from domain.base import NotFound, OrgId, UserId
from domain.identity.organization.events import OrganizationEvent
from domain.identity.organization.membership import (
    AlreadyMember,
    Invitation,
    InvitationAccepted,
    InvitationExpired,
    InvitationIsOver,
    InvitationRevoked,
    InvitedAtAnotherAddress,
    MemberInvited,
    MemberJoined,
    Role,
)
from domain.identity.organization.state import Organization
from domain.identity.session.events import SessionSwitchedOrganization
from domain.identity.user.events import (
    EmailConfirmed,
    HomeOrganizationChanged,
    UserEvent,
    UserRegistered,
)
from domain.identity.user.state import User
from domain.name import Name
from domain.permission import Permission
from eventstore.append import Secret


class InvitationCommand(OrganizationCommand, frozen=True, kw_only=True):
    """A command on an invitation of the caller's organization."""

    needs: ClassVar[Permission | None] = Permission.MEMBER_INVITE
    invitation_id: UUID


class InvitingCommand(InvitationCommand, frozen=True, kw_only=True):
    """A command that makes an invitation with a new token."""

    records = (InvitationExpired, InvitationRevoked, MemberInvited)
    token_hash: str
    expires_at: datetime
    mailed: bool

    def invite(
        self, organization: Organization, context: Context, made: UUID, email: str, role: Role
    ) -> Decision:
        """Return what invites *email* as *role*, under the id *made*."""
        invited = MemberInvited(
            invitation_id=made,
            email=email,
            role=role,
            token_hash=self.token_hash,
            expires_at=self.expires_at,
            mailed=self.mailed,
        )
        events = organization.invite(invited, by=context.user_id, now=context.now)
        return changes_of(self.organization_id, events)


class InviteMember(InvitingCommand, frozen=True, kw_only=True):
    """Invite somebody by e-mail; an older invitation to the same address is revoked."""

    email: Email
    role: Role
    user_id: UserId | None = None
    """Whose address it is, if somebody has an account with it."""

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read_organization(read, context, self.organization_id)
        if self.user_id is not None and organization.member(self.user_id) is not None:
            raise AlreadyMember
        return self.invite(organization, context, self.invitation_id, self.email, self.role)


class ResendInvitation(InvitingCommand, frozen=True, kw_only=True):
    """Replace an invitation by one to the same address, with a new token; the old one is over."""

    next_id: UUID

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read_organization(read, context, self.organization_id)
        organization.refuse_unless_here()
        if self.next_id in organization.invitations:
            return []
        invitation = organization.invitations.get(self.invitation_id)
        if invitation is None:
            raise NotFound
        return self.invite(organization, context, self.next_id, invitation.email, invitation.role)


class RevokeInvitation(InvitationCommand, frozen=True, kw_only=True):
    """Revoke an invitation; its token stops working at once."""

    records = (InvitationRevoked,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read_organization(read, context, self.organization_id)
        events = organization.revoke_invitation(self.invitation_id, by=context.user_id)
        return changes_of(self.organization_id, events)


class Accepting(Command, frozen=True, kw_only=True):
    """What accepting an invitation takes, with an account or without one."""

    needs: ClassVar[Permission | None] = None
    organization_id: OrgId
    invitation_id: UUID
    token_hash: str
    user_id: UserId

    @property
    def target(self) -> UUID | None:
        return self.organization_id

    async def accepted(
        self, read: Reads, context: Context, email: str | None
    ) -> tuple[Invitation, list[OrganizationEvent]]:
        """Return the invitation, and the events that accept it.

        :raises InvitationIsOver: there is no such invitation any more, or it has another token.
        :raises InvitedAtAnotherAddress: it was sent to another address than *email*.
        """
        organization = await read(Organization, self.organization_id)
        invitation = (
            None if organization.deleted else organization.invitations.get(self.invitation_id)
        )
        if invitation is None or not hmac.compare_digest(invitation.token_hash, self.token_hash):
            raise InvitationIsOver
        if email is not None and email != invitation.email:
            raise InvitedAtAnotherAddress
        events = organization.accept_invitation(self.invitation_id, self.user_id, context.now)
        return invitation, events


class AcceptInvitation(Accepting, frozen=True, kw_only=True):
    """Join the organization with your account, and work in it from now on."""

    records = (
        InvitationAccepted,
        MemberJoined,
        EmailConfirmed,
        SessionSwitchedOrganization,
        HomeOrganizationChanged,
    )

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = await read(User, self.user_id)
        user.refuse_unless_active()
        invitation, events = await self.accepted(read, context, user.email)
        confirmed = user.confirm_email() if invitation.mailed else []
        return [
            Change(self.organization_id, events),
            *await working_in(read, context, self.organization_id, confirmed),
        ]


class RegisterInvited(Accepting, frozen=True, kw_only=True):
    """Create an account for the address that was invited, and join the organization with it."""

    records = (
        UserRegistered,
        EmailConfirmed,
        HomeOrganizationChanged,
        InvitationAccepted,
        MemberJoined,
    )
    name: Name
    password_hash: bytes

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        invitation, events = await self.accepted(read, context, None)
        registered = UserRegistered(email=invitation.email, name=self.name)
        own: list[UserEvent] = read.new(User, self.user_id).register(registered)
        user = User().evolve(registered)
        if invitation.mailed:
            own += user.confirm_email()
        own += user.make_home(self.organization_id)
        return [
            Change(self.user_id, own),
            Change(self.organization_id, events),
            Secret(self.user_id, PASSWORD, self.password_hash),
        ]
