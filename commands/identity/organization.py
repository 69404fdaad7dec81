"""Commands on organizations and their members."""

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from commands.base import (
    Change,
    Command,
    Context,
    Decision,
    KeyDestroyed,
    changes_of,
    refuse_unless_role_grants,
)
from commands.identity.session import working_in
from commands.reads import Reads
from domain.base import NotFound, OrgId, UserId
from domain.identity.organization.closing import purge_organization
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
from domain.identity.organization.legal_hold import (
    LegalHoldLifted,
    LegalHoldPlaced,
    lift_hold,
    place_hold,
)
from domain.identity.organization.membership import (
    InvitationRevoked,
    MemberDeactivated,
    MemberJoined,
    MemberLeft,
    MemberReactivated,
    MemberRoleChanged,
    Role,
)
from domain.identity.organization.state import Organization
from domain.identity.plan import Plan
from domain.identity.session.events import SessionSwitchedOrganization
from domain.identity.subdomain import SUBDOMAIN_PATTERN
from domain.identity.user.events import HomeOrganizationChanged
from domain.identity.user.state import User
from domain.name import Name
from domain.patterned import patterned
from domain.permission import Permission

Subdomain = Annotated[
    str,
    patterned(
        SUBDOMAIN_PATTERN, "3 to 63 small letters, digits and single hyphens between them", 63
    ),
]
HoldReason = Annotated[str, Meta(min_length=1, max_length=1_000)]


class CreateOrganization(Command, frozen=True, kw_only=True):
    """Create an organization with yourself as its ADMIN, and work in it from now on."""

    needs: ClassVar[Permission | None] = None
    records = (
        OrganizationCreated,
        MemberJoined,
        SessionSwitchedOrganization,
        HomeOrganizationChanged,
    )
    organization_id: OrgId
    name: Name
    subdomain: Subdomain

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        user = await read(User, context.user_id)
        user.refuse_unless_active()
        opening = await open_organization(read, self, context.user_id)
        if not opening:
            return []
        return [*opening, *await working_in(read, context, self.organization_id)]


async def open_organization(read: Reads, asked: CreateOrganization, by: UserId) -> list[Change]:
    """Return the changes that create an organization with a free subdomain."""
    created = OrganizationCreated(name=asked.name, subdomain=asked.subdomain, plan=Plan.FREE)
    events = read.new(Organization, asked.organization_id).create(created, by=by)
    return [Change(asked.organization_id, events, asked.organization_id)] if events else []


class OrganizationCommand(Command, frozen=True, kw_only=True):
    """A command on the organization that the caller works in."""

    needs: ClassVar[Permission | None] = Permission.ORG_MANAGE
    organization_id: OrgId

    @property
    def target(self) -> UUID | None:
        return self.organization_id


class EditOrganization(OrganizationCommand, frozen=True, kw_only=True):
    """Change the name or subdomain; nobody else can take the old subdomain for 30 days."""

    records = (
        OrganizationRenamed,
        SubdomainChanged,
    )
    name: Name | UnsetType = UNSET
    subdomain: Subdomain | UnsetType = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read_organization(read, context, self.organization_id)
        organization.refuse_unless_here()
        events: list[OrganizationEvent] = []
        if self.name is not UNSET:
            events += organization.rename(self.name)
        if self.subdomain is not UNSET:
            events += organization.change_subdomain(self.subdomain)
        return changes_of(self.organization_id, events)


class ChangePlan(OrganizationCommand, frozen=True, kw_only=True):
    """Change the plan of the organization."""

    sensitive = True
    records = (PlanChanged,)
    plan: Plan

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read_organization(read, context, self.organization_id)
        return changes_of(self.organization_id, organization.change_plan(self.plan))


class DeleteOrganization(OrganizationCommand, frozen=True, kw_only=True):
    """Move the organization to the trash with everything it owns."""

    sensitive = True
    records = (OrganizationDeleted,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read_organization(read, context, self.organization_id)
        return changes_of(self.organization_id, organization.delete())


class RestoreOrganization(OrganizationCommand, frozen=True, kw_only=True):
    """Restore a deleted organization; only its ADMINs can do this, and work in it again."""

    needs: ClassVar[Permission | None] = None
    records = (OrganizationRestored, SessionSwitchedOrganization, HomeOrganizationChanged)

    async def permit(self, read: Reads, context: Context, /) -> None:
        organization = await read(Organization, self.organization_id)
        member = organization.member(context.user_id)
        if member is None or not member.active or member.role is not Role.ADMIN:
            raise NotFound

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read(Organization, self.organization_id)
        restored = changes_of(self.organization_id, organization.restore())
        return [*restored, *await working_in(read, context, self.organization_id)]


class EditMember(OrganizationCommand, frozen=True, kw_only=True):
    """Change the role of a member, deactivate or reactivate them."""

    needs: ClassVar[Permission | None] = Permission.MEMBER_MANAGE
    records = (
        MemberRoleChanged,
        MemberReactivated,
        MemberDeactivated,
    )
    user_id: UserId
    role: Role | UnsetType = UNSET
    active: bool | UnsetType = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read_organization(read, context, self.organization_id)
        if organization.member(self.user_id) is None:
            raise NotFound
        by = context.user_id
        events: list[OrganizationEvent] = []
        if self.role is not UNSET:
            events += organization.change_role(self.user_id, self.role, by=by)
        if self.active is True:
            events += organization.reactivate_member(self.user_id, by=by)
        if self.active is False:
            events += organization.deactivate_member(self.user_id, by=by)
        return changes_of(self.organization_id, events)


class RemoveMember(OrganizationCommand, frozen=True, kw_only=True):
    """Remove a member or leave the organization."""

    needs: ClassVar[Permission | None] = Permission.MEMBER_LEAVE
    records = (MemberLeft,)
    user_id: UserId

    async def permit(self, read: Reads, context: Context, /) -> None:
        own = self.user_id == context.user_id
        needed = Permission.MEMBER_LEAVE if own else Permission.MEMBER_REMOVE
        await refuse_unless_role_grants(read, context, needed)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read_organization(read, context, self.organization_id)
        events = organization.remove(self.user_id, by=context.user_id)
        return changes_of(self.organization_id, events)


class PlaceLegalHold(OrganizationCommand, frozen=True, kw_only=True):
    """Have nothing in the trash purged, neither by time nor by an ADMIN, until the hold is lifted.

    What a purge that has begun has not reached yet stays as well, and no member is erased.
    """

    sensitive = True
    records = (LegalHoldPlaced,)
    reason: HoldReason

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read_organization(read, context, self.organization_id)
        organization.refuse_unless_here()
        placed = place_hold(organization.legal_hold, organization.plan, self.reason)
        return changes_of(self.organization_id, placed)


class LiftLegalHold(OrganizationCommand, frozen=True, kw_only=True):
    """Have what is in the trash purged again, once its time has come."""

    sensitive = True
    records = (LegalHoldLifted,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read_organization(read, context, self.organization_id)
        organization.refuse_unless_here()
        return changes_of(self.organization_id, lift_hold(organization.legal_hold))


class PurgeOrganization(OrganizationCommand, frozen=True, kw_only=True):
    """Purge an organization that has been in the trash for as long as its plan keeps it.

    Nobody can bring it back. What is in it goes with it, in parts; its subdomain is free.
    """

    needs: ClassVar[Permission | None] = None
    records = (OrganizationPurged, InvitationRevoked)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read(Organization, self.organization_id)
        # What else happens to it in the trash only delays its end.
        deleted_at = read.changed_at(self.organization_id)
        events = purge_organization(organization, deleted_at, context.now)
        if not events:
            return []
        return [Change(self.organization_id, events), KeyDestroyed(self.organization_id)]


async def read_organization(read: Reads, context: Context, organization_id: OrgId) -> Organization:
    """Return the organization that the caller works in.

    :raises NotFound: *organization_id* is another one.
    """
    if organization_id != context.org_id:
        raise NotFound
    return await read(Organization, organization_id)
