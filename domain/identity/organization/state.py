"""Organization: a customer, with its members and its plan.

Invariants
    1. Members and open invitations together never exceed the plan's limit.
    2. There is always an active ADMIN: the last one cannot leave, be demoted or be deactivated.
    3. Only an ADMIN can give a role above MEMBER, and nobody can raise their own role.
    4. A person is a member at most once; an address has at most one open invitation.
    5. A deleted organization can only be restored, and a purged one not even that.
"""

from datetime import datetime
from typing import ClassVar, TypeVar, assert_never, get_args
from uuid import UUID

from immutables import Map
from msgspec import Struct
from msgspec.structs import replace

from domain.base import ERASED, Event, NotFound, UserId
from domain.identity.organization.events import (
    OrganizationCreated,
    OrganizationDeleted,
    OrganizationEvent,
    OrganizationPurged,
    OrganizationRenamed,
    OrganizationRestored,
    PlanChanged,
    SubdomainChanged,
)
from domain.identity.organization.forked import OrganizationForked
from domain.identity.organization.legal_hold import LegalHoldLifted, LegalHoldPlaced, reason_of
from domain.identity.organization.membership import (
    AlreadyMember,
    Invitation,
    InvitationAccepted,
    InvitationExpired,
    InvitationIsOver,
    InvitationRevoked,
    LastAdmin,
    LeaveCause,
    Member,
    MemberDeactivated,
    MemberInvited,
    MemberJoined,
    MemberLeft,
    MemberReactivated,
    MemberRoleChanged,
    OwnRole,
    Role,
    RoleTooLow,
    ended_by,
    is_last_admin,
)
from domain.identity.organization.settings import OrganizationSettings, SettingsChanged
from domain.identity.organization.sso import SignOn, SsoEvent
from domain.identity.plan import Countable, Plan, refuse_if_full
from domain.identity.subdomain import refuse_unless_allowed

_JOINED = {role: Member(role) for role in Role}
"""One object for all who have joined with the same role and nothing else."""

_TrashEvent = OrganizationDeleted | OrganizationRestored | OrganizationPurged
_K = TypeVar("_K")
_V = TypeVar("_V")


class Organization(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about an organization.

    Its maps share unchanged parts with earlier versions, so that folding many members is fast.
    """

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(OrganizationEvent)

    name: str = ""
    subdomain: str = ""
    plan: Plan = Plan.FREE
    members: Map[UserId, Member] = Map()
    invitations: Map[UUID, Invitation] = Map()
    created: bool = False
    deleted: bool = False
    settings: OrganizationSettings = OrganizationSettings()
    sign_on: SignOn = SignOn()
    legal_hold: str | None = None  # why nothing in the trash is purged
    purged: bool = False

    def evolve(self, event: OrganizationEvent) -> "Organization":
        if isinstance(event, SsoEvent):
            return replace(self, sign_on=self.sign_on.after(event))
        match event:
            case MemberJoined():
                return replace(self, members=self.members.set(event.user_id, _JOINED[event.role]))
            case OrganizationCreated(name=name, subdomain=subdomain, plan=plan):
                return Organization(name=name, subdomain=subdomain, plan=plan, created=True)
            case OrganizationRenamed():
                return replace(self, name=event.to)
            case SubdomainChanged():
                return replace(self, subdomain=event.to)
            case PlanChanged():
                return replace(self, plan=event.to)
            case SettingsChanged():
                return replace(self, settings=self.settings.after(event))
            case LegalHoldPlaced() | LegalHoldLifted():
                return replace(self, legal_hold=reason_of(event))
            case OrganizationDeleted() | OrganizationRestored() | OrganizationPurged():
                return _trashed(self, event)
            case MemberLeft():
                return replace(self, members=_without(self.members, event.user_id))
            case MemberRoleChanged():
                return _with_changed(self, event.user_id, role=event.to)
            case MemberDeactivated() | MemberReactivated():
                active = isinstance(event, MemberReactivated)
                return _with_changed(self, event.user_id, active=active)
            case MemberInvited():
                return replace(self, invitations=_with_invitation(self.invitations, event))
            case InvitationRevoked() | InvitationExpired() | InvitationAccepted():
                return replace(self, invitations=_without(self.invitations, event.invitation_id))
            case OrganizationForked():
                return self
            case _:
                assert_never(event)

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def create(self, created: OrganizationCreated, *, by: UserId) -> list[OrganizationEvent]:
        """Create the organization with *by* as its first ADMIN."""
        refuse_unless_allowed(created.subdomain)
        return [] if self.created else [created, MemberJoined(user_id=by, role=Role.ADMIN)]

    def rename(self, name: str) -> list[OrganizationEvent]:
        self.refuse_unless_here()
        return [] if name == self.name else [OrganizationRenamed(from_=self.name, to=name)]

    def change_subdomain(self, to: str) -> list[OrganizationEvent]:
        self.refuse_unless_here()
        if to == self.subdomain:
            return []
        refuse_unless_allowed(to)
        return [SubdomainChanged(from_=self.subdomain, to=to)]

    def change_plan(self, to: Plan) -> list[OrganizationEvent]:
        """Switch to another plan; what exceeds a smaller plan's limits stays but cannot grow."""
        self.refuse_unless_here()
        return [] if to is self.plan else [PlanChanged(from_=self.plan, to=to)]

    def change_settings(self, wanted: SettingsChanged) -> list[OrganizationEvent]:
        self.refuse_unless_here()
        return [*self.settings.change(wanted)]

    def delete(self) -> list[OrganizationEvent]:
        self.refuse_unless_here()
        return [OrganizationDeleted()]

    def restore(self) -> list[OrganizationEvent]:
        if not self.created or self.purged:
            raise NotFound
        return [OrganizationRestored()] if self.deleted else []

    def invite(
        self, invited: MemberInvited, *, by: UserId | None, now: datetime
    ) -> list[OrganizationEvent]:
        """Invite somebody; an open invitation to the same address is revoked."""
        self.refuse_unless_here()
        self._refuse_below(Role.MANAGER if invited.role is Role.MEMBER else Role.ADMIN, by)
        if invited.invitation_id in self.invitations:
            return []
        over = ended_by(invited, self.invitations, now)
        refuse_if_full(self.plan, Countable.MEMBERS, _places_taken(self) - len(over))
        return [*over, invited]

    def revoke_invitation(
        self, invitation_id: UUID, *, by: UserId | None
    ) -> list[OrganizationEvent]:
        self.refuse_unless_here()
        invitation = self.invitations.get(invitation_id)
        if invitation is None:
            raise NotFound
        self._refuse_below(Role.MANAGER if invitation.role is Role.MEMBER else Role.ADMIN, by)
        return [InvitationRevoked(invitation_id=invitation_id)]

    def accept_invitation(
        self, invitation_id: UUID, user_id: UserId, now: datetime, role: Role | None = None
    ) -> list[OrganizationEvent]:
        self.refuse_unless_here()
        invitation = self.invitations.get(invitation_id)
        if invitation is None or invitation.expires_at <= now:
            raise InvitationIsOver
        # The invitation has a place already, but the plan may have shrunk below the places taken.
        joined = self.add_member(user_id, role or invitation.role, places=0)
        return [InvitationAccepted(invitation_id=invitation_id, user_id=user_id), *joined]

    def add_member(self, user_id: UserId, role: Role, places: int = 1) -> list[OrganizationEvent]:
        """Make somebody a member, who takes so many *places* of the plan."""
        self.refuse_unless_here()
        if user_id in self.members:
            raise AlreadyMember
        refuse_if_full(self.plan, Countable.MEMBERS, _places_taken(self) + places - 1)
        return [MemberJoined(user_id=user_id, role=role)]

    def change_role(
        self, user_id: UserId, to: Role, *, by: UserId | None
    ) -> list[OrganizationEvent]:
        member = self._member_here(user_id)
        if user_id == by and to.rank > member.role.rank:
            raise OwnRole
        self._refuse_below(Role.ADMIN, by)
        if to is member.role:
            return []
        self._refuse_if_last_admin(user_id)
        return [MemberRoleChanged(user_id=user_id, from_=member.role, to=to)]

    def remove(self, user_id: UserId, *, by: UserId | None) -> list[OrganizationEvent]:
        """End a membership: your own, a MEMBER's as a MANAGER, or anybody's as an ADMIN."""
        member = self._member_here(user_id)
        if user_id != by:
            self._refuse_below(Role.MANAGER if member.role is Role.MEMBER else Role.ADMIN, by)
        self._refuse_if_last_admin(user_id)
        asked = LeaveCause.LEFT if user_id == by else LeaveCause.REMOVED
        cause = LeaveCause.ACCOUNT_CLOSED if by is None else asked
        return [MemberLeft(user_id=user_id, cause=cause)]

    def deactivate_member(self, user_id: UserId, *, by: UserId | None) -> list[OrganizationEvent]:
        member = self._member_here(user_id)
        self._refuse_below(Role.ADMIN, by)
        self._refuse_if_last_admin(user_id)
        return [MemberDeactivated(user_id=user_id)] if member.active else []

    def reactivate_member(self, user_id: UserId, *, by: UserId | None) -> list[OrganizationEvent]:
        member = self._member_here(user_id)
        self._refuse_below(Role.ADMIN, by)
        return [] if member.active else [MemberReactivated(user_id=user_id)]

    def member(self, user_id: UserId) -> Member | None:
        """Return the membership of *user_id*, even if deactivated or in a deleted organization."""
        return self.members.get(user_id)

    def role_of(self, user_id: UserId) -> Role | None:
        """Return the role that *user_id* has now; None without an active membership."""
        member = self.members.get(user_id)
        return member.role if member and member.active and not self.deleted else None

    def refuse_unless_here(self) -> None:
        """Raise NotFound if the organization was never created or is in the trash."""
        if not self.created or self.deleted:
            raise NotFound

    def _member_here(self, user_id: UserId) -> Member:
        self.refuse_unless_here()
        member = self.members.get(user_id)
        if member is None:
            raise NotFound
        return member

    def _refuse_below(self, least: Role, by: UserId | None) -> None:
        if by is None:
            return
        role = self.role_of(by)
        if role is None or role.rank < least.rank:
            raise RoleTooLow

    def _refuse_if_last_admin(self, user_id: UserId) -> None:
        if is_last_admin(self.members, user_id):
            raise LastAdmin


def _trashed(organization: Organization, event: _TrashEvent) -> Organization:
    if not isinstance(event, OrganizationPurged):
        return replace(organization, deleted=isinstance(event, OrganizationDeleted))
    settings = replace(organization.settings, security_contacts=())
    gone = replace(organization, name=ERASED, settings=settings, legal_hold=None)
    return replace(gone, purged=True)


def _with_member(organization: Organization, user_id: UserId, member: Member) -> Organization:
    return replace(organization, members=organization.members.set(user_id, member))


def _with_changed(
    organization: Organization, user_id: UserId, **fields: Role | bool
) -> Organization:
    member = organization.members.get(user_id)
    if member is None:
        return organization
    return _with_member(organization, user_id, replace(member, **fields))


def _without(entries: Map[_K, _V], key: _K) -> Map[_K, _V]:
    return entries.delete(key) if key in entries else entries


def _with_invitation(
    invitations: Map[UUID, Invitation], event: MemberInvited
) -> Map[UUID, Invitation]:
    made = Invitation(event.email, event.role, event.token_hash, event.expires_at, event.mailed)
    return invitations.set(event.invitation_id, made)


def _places_taken(organization: Organization) -> int:
    return len(organization.members) + len(organization.invitations)
