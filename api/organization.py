"""HTTP for organizations."""

from uuid import UUID

from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Struct, UnsetType

from api.answer import Answer
from api.asking import Asking
from api.commanding import Wanted, perform
from api.policy import account, needs
from api.reading import one, own_writes_in
from api.route import nothing, shows
from commands.organization import (
    ChangePlan,
    CreateOrganization,
    DeleteOrganization,
    EditOrganization,
    OrganizationName,
    RestoreOrganization,
    Subdomain,
)
from domain.base import NotFound, OrgId
from domain.organization import Organization
from domain.permission import Permission
from domain.plan import Plan
from eventstore.identifiers import new_id
from projections.organization import OrganizationView, render_organization


class NewOrganization(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new organization."""

    name: OrganizationName
    subdomain: Subdomain


class OrganizationChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; fields that are left out stay as they are."""

    name: OrganizationName | UnsetType = UNSET
    subdomain: Subdomain | UnsetType = UNSET


class PlanChoice(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change of plan."""

    plan: Plan


def _shown(org_id: OrgId, status: int = 200, acting_in: OrgId | None = None) -> Wanted:
    def show(organization: Organization, version: int, at: object) -> bytes:
        return render_organization(org_id, organization, version, at)  # type: ignore[arg-type]

    location = "/api/org" if status == 201 else ""
    return Wanted(stream=org_id, show=show, status=status, location=location, org_id=acting_in)


def own_organization(asking: Asking, organization_id: UUID) -> OrgId:
    """Return the organization that the caller works in, if it is that one.

    :raises NotFound: any other does not exist for them.
    """
    if organization_id != asking.caller.org_id:
        raise NotFound
    return OrgId(organization_id)


class OrganizationController(Controller):
    """Customers: each with its members, its plan and all that it owns."""

    path = "/api/org"
    tags = ("Organizations",)

    @post("/", opt=account(), responses=shows(OrganizationView, 201))
    async def create(self, request: Asking, data: JSONBody[NewOrganization]) -> Answer:
        """Open an organization with yourself as its ADMIN, and work in it from now on."""
        org_id = OrgId(new_id())
        command = CreateOrganization(
            organization_id=org_id, name=data.name, subdomain=data.subdomain
        )
        return await perform(request, command, _shown(org_id, 201))

    @get("/{organization_id:uuid}", opt=account(), responses=shows(OrganizationView))
    async def get_organization(self, request: Asking, organization_id: FromPath[UUID]) -> Answer:
        """Return the organization that you work in."""
        org_id = own_organization(request, organization_id)
        await own_writes_in(request, "organizations")
        return one(request, await request.door.queries.organization(org_id))

    @patch(
        "/{organization_id:uuid}",
        opt=needs(Permission.ORG_MANAGE),
        responses=shows(OrganizationView),
    )
    async def edit(
        self,
        request: Asking,
        organization_id: FromPath[UUID],
        data: JSONBody[OrganizationChange],
    ) -> Answer:
        """Change name or subdomain; the old subdomain is free for others at once."""
        org_id = OrgId(organization_id)
        command = EditOrganization(organization_id=org_id, name=data.name, subdomain=data.subdomain)
        return await perform(request, command, _shown(org_id))

    @delete(
        "/{organization_id:uuid}",
        status_code=200,
        opt=needs(Permission.ORG_MANAGE),
        responses=nothing(),
    )
    async def remove(self, request: Asking, organization_id: FromPath[UUID]) -> Answer:
        """Put the organization in the trash with all that it owns, and work in it no longer."""
        command = DeleteOrganization(organization_id=OrgId(organization_id))
        return await perform(request, command, Wanted(stream=organization_id))

    @post(
        "/{organization_id:uuid}/restore",
        status_code=200,
        opt=account(),
        responses=shows(OrganizationView),
    )
    async def restore(self, request: Asking, organization_id: FromPath[UUID]) -> Answer:
        """Bring a deleted organization back exactly as it was; open to its ADMINs."""
        org_id = OrgId(organization_id)
        # Nobody works in a deleted organization: the command itself asks who was its ADMIN.
        command = RestoreOrganization(organization_id=org_id)
        return await perform(request, command, _shown(org_id, acting_in=org_id))

    @patch(
        "/{organization_id:uuid}/plan",
        opt=needs(Permission.ORG_MANAGE),
        responses=shows(OrganizationView),
    )
    async def change_plan(
        self, request: Asking, organization_id: FromPath[UUID], data: JSONBody[PlanChoice]
    ) -> Answer:
        """Subscribe to another plan."""
        org_id = OrgId(organization_id)
        return await perform(
            request, ChangePlan(organization_id=org_id, plan=data.plan), _shown(org_id)
        )
