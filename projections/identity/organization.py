"""Organizations as their members see them: without the members."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.base import OrgId
from domain.identity.organization.state import Organization
from domain.identity.plan import Plan
from projections.base import View

_encode = msgspec.json.Encoder().encode


class OrganizationView(View, frozen=True, kw_only=True):
    """An organization as the API shows it."""

    id: OrgId
    name: str
    subdomain: str
    plan: Plan
    updated_at: datetime
    deleted_at: datetime | None
    version: int


def render_organization(
    org_id: UUID, organization: Organization, version: int, updated_at: datetime
) -> bytes:
    """Return the JSON of an organization, the same after a command as in a later GET."""
    view = OrganizationView(
        id=OrgId(org_id),
        name=organization.name,
        subdomain=organization.subdomain,
        plan=organization.plan,
        updated_at=updated_at,
        deleted_at=updated_at if organization.deleted else None,
        version=version,
    )
    return _encode(view)
