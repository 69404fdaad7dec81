"""Membership: who belongs to an organization, as what, and who is asked to join.

The organization decides (``state.py``), because most rules weigh all of its members at once.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from msgspec import Struct, field

from domain.base import DomainError, Event, Personal, UserId

INVITATION_LIFETIME = timedelta(days=7)
"""How long an invitation can be accepted."""


class Role(StrEnum):
    """What a member may do; the values are stored, so they never change."""

    MEMBER = "MEMBER"
    MANAGER = "MANAGER"
    ADMIN = "ADMIN"

    @property
    def rank(self) -> int:
        """Order the roles: a higher one may do all that a lower one may."""
        return _RANKS[self]


_RANKS = {role: rank for rank, role in enumerate(Role)}


class LeaveCause(StrEnum):
    """Why a membership ended; the values are stored, so they never change."""

    LEFT = "left"
    REMOVED = "removed"
    ACCOUNT_CLOSED = "account_closed"


class Member(Struct, frozen=True, gc=False):
    """One person's place in an organization."""

    role: Role
    active: bool = True


class Invitation(Struct, frozen=True, gc=False):
    """An open offer to join."""

    email_claim: UUID
    role: Role
    token_hash: str
    expires_at: datetime


# Events ---------------------------------------------------------------------


class MemberInvited(Event, frozen=True, kw_only=True, tag="member.invited"):
    """Somebody was asked by e-mail to join an organization."""

    invitation_id: UUID
    email: Personal
    email_claim: UUID
    role: Role
    token_hash: str  # SHA-256 of 256 random bits, hexadecimal: safe to keep, useless to steal
    expires_at: datetime


class InvitationRevoked(Event, frozen=True, kw_only=True, tag="member.invitation_revoked"):
    """An invitation was taken back before anybody accepted it."""

    invitation_id: UUID


class InvitationAccepted(Event, frozen=True, kw_only=True, tag="member.invitation_accepted"):
    """Whoever was invited said yes; the invitation cannot be used again."""

    invitation_id: UUID
    user_id: UserId


class MemberJoined(Event, frozen=True, kw_only=True, tag="member.joined"):
    """A person became a member of an organization."""

    user_id: UserId
    role: Role


class MemberRoleChanged(Event, frozen=True, kw_only=True, tag="member.role_changed"):
    """A member may now do more, or less."""

    user_id: UserId
    from_: Role = field(name="from")
    to: Role


class MemberLeft(Event, frozen=True, kw_only=True, tag="member.left"):
    """A person is no longer a member: by their own wish, or removed."""

    user_id: UserId
    cause: LeaveCause


class MemberDeactivated(Event, frozen=True, kw_only=True, tag="member.deactivated"):
    """A member lost access for now but keeps their place and their role."""

    user_id: UserId


class MemberReactivated(Event, frozen=True, kw_only=True, tag="member.reactivated"):
    """A deactivated member has access again."""

    user_id: UserId


MembershipEvent = (
    MemberInvited
    | InvitationRevoked
    | InvitationAccepted
    | MemberJoined
    | MemberRoleChanged
    | MemberLeft
    | MemberDeactivated
    | MemberReactivated
)


# Errors ---------------------------------------------------------------------


class RoleTooLow(DomainError):
    """Your role does not allow this; ask somebody with a higher one."""

    code = "role_too_low"


class OwnRole(DomainError):
    """Nobody can raise their own role; ask an administrator."""

    code = "own_role"


class LastAdmin(DomainError):
    """An organization needs an active administrator; make somebody else one first."""

    code = "last_admin"


class AlreadyMember(DomainError):
    """This person is already a member of the organization."""

    code = "already_member"


class InvitationIsOver(DomainError):
    """This invitation was used, taken back or has expired; ask for a new one."""

    code = "invitation_is_over"
