"""Commands on the legal hold of an organization."""

from typing import Annotated

from msgspec import Meta

from commands.base import Context, Decision, changes_of
from commands.identity.organization import OrganizationCommand, read_organization
from commands.reads import Reads
from domain.identity.organization.legal_hold import (
    LegalHoldLifted,
    LegalHoldPlaced,
    lift_hold,
    place_hold,
)

HoldReason = Annotated[str, Meta(min_length=1, max_length=1_000)]


class PlaceLegalHold(OrganizationCommand, frozen=True, kw_only=True):
    """Have nothing in the trash purged, neither by time nor by an ADMIN, until the hold is lifted.

    A purge that has begun is finished.
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
