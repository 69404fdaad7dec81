"""Organizations as their members see them: one document each, without the members."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.base import OrgId
from domain.identity.organization.events import (
    OrganizationCreated,
    OrganizationDeleted,
    OrganizationEvent,
    OrganizationRenamed,
    OrganizationRestored,
    PlanChanged,
    SubdomainChanged,
)
from domain.identity.organization.state import Organization
from domain.identity.plan import Plan
from eventstore.recorded import Recorded
from projections.base import Projection, View, tags_of

_encode = msgspec.json.Encoder().encode


class OrganizationView(View, frozen=True, kw_only=True):
    """An organization as the API shows it."""

    id: OrgId
    name: str
    subdomain: str
    plan: Plan
    updated_at: datetime
    version: int


class OrganizationState(Struct, frozen=True, kw_only=True):
    """The state of an organization; its members have a read model of their own."""

    name: str = ""
    subdomain: str = ""
    plan: Plan = Plan.FREE
    deleted: bool = False


def render_organization(
    org_id: UUID, organization: Organization | OrganizationState, version: int, updated_at: datetime
) -> bytes:
    """Return the JSON of an organization, the same after a command as in a later GET."""
    view = OrganizationView(
        id=OrgId(org_id),
        name=organization.name,
        subdomain=organization.subdomain,
        plan=organization.plan,
        updated_at=updated_at,
        version=version,
    )
    return _encode(view)


class Organizations(Projection[OrganizationState]):
    """Organizations by id.

    Members have a read model of their own; here their events only raise the version, so that it
    is the one that If-Match is compared with.
    """

    name = "organizations"
    tags = tags_of(OrganizationEvent)
    state = OrganizationState

    def fold(
        self, key: str, state: OrganizationState | None, recorded: Recorded
    ) -> OrganizationState:
        before = state if state is not None else OrganizationState()
        match recorded.event:
            case OrganizationCreated(name=name, subdomain=subdomain, plan=plan):
                return OrganizationState(name=name, subdomain=subdomain, plan=plan)
            case OrganizationRenamed(to=to):
                return replace(before, name=to)
            case SubdomainChanged(to=to):
                return replace(before, subdomain=to)
            case PlanChanged(to=to):
                return replace(before, plan=to)
            case OrganizationDeleted() | OrganizationRestored() as event:
                return replace(before, deleted=isinstance(event, OrganizationDeleted))
            case _:
                return before

    def render(self, key: str, state: OrganizationState, recorded: Recorded) -> bytes:
        return render_organization(recorded.stream_id, state, recorded.version, recorded.at)
