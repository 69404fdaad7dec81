"""Membership: who belongs to an organization, with which role, and who is invited.

The decisions are in ``state.py``, because most rules depend on all members of the organization.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from immutables import Map
from msgspec import Struct, field

from domain.base import DomainError, Event, KeyOwner, Personal, Refusal, UserId


class Role(StrEnum):
    """What a member may do. The values are stored, so they never change."""

    MEMBER = "MEMBER"
    MANAGER = "MANAGER"
    ADMIN = "ADMIN"

    @property
    def rank(self) -> int:
        """Return the rank of the role: a higher role may do everything that a lower one may."""
        return _RANKS[self]


_RANKS = {role: rank for rank, role in enumerate(Role)}


class LeaveCause(StrEnum):
    """Why a membership ended. The values are stored, so they never change."""

    LEFT = "left"
    REMOVED = "removed"
    ACCOUNT_CLOSED = "account_closed"


class Member(Struct, frozen=True, gc=False):
    """One person's membership of an organization."""

    role: Role
    active: bool = True


class Invitation(Struct, frozen=True, gc=False):
    """An invitation that can still be accepted."""

    email: str
    role: Role
    token_hash: str
    expires_at: datetime
    mailed: bool = False
    """Whether the token went out by mail only, so that accepting it proves the address."""


def expired_among(
    invitations: Mapping[UUID, Invitation], now: datetime
) -> list["InvitationExpired"]:
    """Return the events that end all of *invitations* that have expired."""
    return [
        InvitationExpired(invitation_id=invitation_id)
        for invitation_id, invitation in invitations.items()
        if invitation.expires_at <= now
    ]


def ended_by(
    invited: "MemberInvited", invitations: Mapping[UUID, Invitation], now: datetime
) -> list["InvitationExpired | InvitationRevoked"]:
    """Return the events that end what a new invitation replaces: the same address's, expired ones.

    All of them give their places to it.
    """
    replaced = [
        InvitationRevoked(invitation_id=invitation_id)
        for invitation_id, other in invitations.items()
        if other.email == invited.email and other.expires_at > now
    ]
    return [*expired_among(invitations, now), *replaced]


# Events ---------------------------------------------------------------------


class MemberInvited(Event, frozen=True, kw_only=True, tag="member.invited"):
    """Somebody was invited by e-mail to join an organization."""

    sealed_for = KeyOwner("invitation_id")
    invitation_id: UUID
    email: Personal  # in its canonical form, by which two invitations are compared
    role: Role
    token_hash: str  # SHA-256 (hex) of 256 random bits: the token cannot be computed from it
    expires_at: datetime
    mailed: bool = False  # false: whoever invited got the token, to pass it on themselves

    def field_keys(self) -> tuple[str, ...]:
        return (f"invitations:{self.invitation_id}",)


class InvitationRevoked(Event, frozen=True, kw_only=True, tag="member.invitation_revoked"):
    """An invitation was withdrawn before it was accepted."""

    invitation_id: UUID

    def field_keys(self) -> tuple[str, ...]:
        return (f"invitations:{self.invitation_id}",)


class InvitationExpired(Event, frozen=True, kw_only=True, tag="member.invitation_expired"):
    """An invitation that had expired was found, and its place in the plan became free."""

    invitation_id: UUID

    def field_keys(self) -> tuple[str, ...]:
        return (f"invitations:{self.invitation_id}",)


class InvitationAccepted(Event, frozen=True, kw_only=True, tag="member.invitation_accepted"):
    """An invitation was accepted; it cannot be used again."""

    invitation_id: UUID
    user_id: UserId

    def field_keys(self) -> tuple[str, ...]:
        return (f"invitations:{self.invitation_id}",)


class MemberJoined(Event, frozen=True, kw_only=True, tag="member.joined"):
    """A person became a member of an organization."""

    user_id: UserId
    role: Role

    def field_keys(self) -> tuple[str, ...]:
        return (f"members:{self.user_id}:role", f"members:{self.user_id}:active")


class MemberRoleChanged(Event, frozen=True, kw_only=True, tag="member.role_changed"):
    """A member's role changed."""

    user_id: UserId
    from_: Role = field(name="from")
    to: Role

    def field_keys(self) -> tuple[str, ...]:
        return (f"members:{self.user_id}:role",)


class MemberLeft(Event, frozen=True, kw_only=True, tag="member.left"):
    """A person left the organization or was removed from it."""

    user_id: UserId
    cause: LeaveCause

    def field_keys(self) -> tuple[str, ...]:
        return (f"members:{self.user_id}:role", f"members:{self.user_id}:active")


class MemberDeactivated(Event, frozen=True, kw_only=True, tag="member.deactivated"):
    """A member was deactivated: they lose access but keep their role."""

    user_id: UserId

    def field_keys(self) -> tuple[str, ...]:
        return (f"members:{self.user_id}:active",)


class MemberReactivated(Event, frozen=True, kw_only=True, tag="member.reactivated"):
    """A deactivated member was given access again."""

    user_id: UserId

    def field_keys(self) -> tuple[str, ...]:
        return (f"members:{self.user_id}:active",)


MembershipEvent = (
    MemberInvited
    | InvitationRevoked
    | InvitationExpired
    | InvitationAccepted
    | MemberJoined
    | MemberRoleChanged
    | MemberLeft
    | MemberDeactivated
    | MemberReactivated
)


def is_last_admin(members: Map[UserId, Member], user_id: UserId) -> bool:
    """Return whether *user_id* is the only active ADMIN among *members*."""
    return _is_active_admin(members.get(user_id)) and not any(
        _is_active_admin(member) for other, member in members.items() if other != user_id
    )


def _is_active_admin(member: Member | None) -> bool:
    return member is not None and member.active and member.role is Role.ADMIN


# Errors ---------------------------------------------------------------------


class RoleTooLow(DomainError):
    """Your role does not allow this. Ask a member with a higher role."""

    code = "role_too_low"
    refusal = Refusal.FORBIDDEN


class OwnRole(DomainError):
    """You cannot raise your own role. Ask an administrator to do it."""

    code = "own_role"
    refusal = Refusal.FORBIDDEN


class LastAdmin(DomainError):
    """An organization needs at least one active administrator. Make another member one first."""

    code = "last_admin"
    refusal = Refusal.CONFLICT


class AlreadyMember(DomainError):
    """This person is already a member of the organization."""

    code = "already_member"
    refusal = Refusal.CONFLICT


class InvitedAtAnotherAddress(DomainError):
    """This invitation was sent to another e-mail address. Log in with that address."""

    code = "invited_at_another_address"
    refusal = Refusal.FORBIDDEN


class InvitationIsOver(DomainError):
    """This invitation was used, withdrawn or has expired. Ask for a new one."""

    code = "invitation_is_over"
    refusal = Refusal.CONFLICT
