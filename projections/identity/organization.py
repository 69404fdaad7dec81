"""Organizations as their members see them: one document each, without the members."""

from datetime import datetime
from typing import get_args
from uuid import UUID

import msgspec

from domain.base import OrgId
from domain.identity.organization.events import OrganizationEvent
from domain.identity.organization.membership import MembershipEvent
from domain.identity.organization.state import Organization
from domain.identity.plan import Plan
from eventstore.recorded import Recorded
from projections.base import Fields, Projection, View, tags_of
from projections.engine.find import Found, ReadModels

_MEMBERSHIP: tuple[type, ...] = get_args(MembershipEvent)
_encode = msgspec.json.Encoder().encode


class OrganizationView(View, frozen=True, kw_only=True):
    """An organization as the API shows it."""

    id: OrgId
    name: str
    subdomain: str
    plan: Plan
    updated_at: datetime
    version: int


def render_organization(
    org_id: UUID, organization: Organization, version: int, updated_at: datetime
) -> bytes:
    """Return the JSON of an organization, the same for a command's reply and for a later GET."""
    view = OrganizationView(
        id=OrgId(org_id),
        name=organization.name,
        subdomain=organization.subdomain,
        plan=organization.plan,
        updated_at=updated_at,
        version=version,
    )
    return _encode(view)


class Organizations(Projection[Organization]):
    """Organizations by id.

    Members have a read model of their own; here their events only raise the version, so that
    it is the one that If-Match is compared with.
    """

    name = "organizations"
    tags = tags_of(OrganizationEvent)
    state = Organization

    def fold(self, key: str, state: Organization | None, recorded: Recorded) -> Organization:
        before = state if state is not None else Organization()
        return before if isinstance(recorded.event, _MEMBERSHIP) else _evolved(before, recorded)

    def render(self, key: str, state: Organization, recorded: Recorded) -> bytes:
        return render_organization(recorded.stream_id, state, recorded.version, recorded.at)

    def fields(self, key: str, state: Organization, recorded: Recorded) -> Fields:
        return {"org": str(recorded.org_id), "deleted": state.deleted}


def _evolved(state: Organization, recorded: Recorded) -> Organization:
    return state.evolve(recorded.event)  # type: ignore[arg-type]  # by the tags it wants


async def find_organization(models: ReadModels, org_id: OrgId) -> Found | None:
    """Return an organization; None if it is missing or in the trash."""
    return await models.one("organizations", org_id, org_id)
