"""HTTP routes of organizations."""

from datetime import datetime
from functools import partial
from uuid import UUID

from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Struct, UnsetType

from api.http.paging import one
from api.http.parameters import nothing, shows, unchanged
from api.http.policy import account, confined, needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.identity.past import OrganizationThen, organization_as_of
from api.past.as_of import AskedMoment
from commands.identity.organization import (
    ChangePlan,
    CreateOrganization,
    DeleteOrganization,
    EditOrganization,
    RestoreOrganization,
    Subdomain,
)
from domain.base import NotFound, OrgId
from domain.claim import SubdomainTaken
from domain.identity.organization.state import Organization
from domain.identity.plan import Plan, PlanLimitReached
from domain.identity.session.errors import ReauthenticationRequired
from domain.identity.subdomain import SubdomainNotAllowed
from domain.name import Name
from domain.permission import Permission
from eventstore.identifiers import new_id
from projections.identity.organization import (
    OrganizationView,
    render_organization,
)


class NewOrganization(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new organization."""

    name: Name
    subdomain: Subdomain


class OrganizationChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; omitted fields stay as they are."""

    name: Name | UnsetType = UNSET
    subdomain: Subdomain | UnsetType = UNSET


class PlanChoice(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a plan change."""

    plan: Plan


def _shown(org_id: OrgId, status: int = 200, acting_in: OrgId | None = None) -> Reply:
    def show(organization: Organization, version: int, at: datetime) -> bytes:
        return render_organization(org_id, organization, version, at)

    location = "/api/org/{id}" if status == 201 else ""
    return Reply(stream=org_id, show=show, status=status, location=location, org_id=acting_in)


def own_organization(request: ApiRequest, organization_id: UUID) -> OrgId:
    """Return the caller's organization, if it has this id.

    :raises NotFound: it is another one.
    """
    if organization_id != request.caller.org_id:
        raise NotFound
    return OrgId(organization_id)


class OrganizationController(Controller):
    """Customers, each with its members, its plan and everything it owns."""

    path = "/api/org"
    tags = ("Organizations",)

    @post(
        "/",
        opt=account(fails=(SubdomainNotAllowed, SubdomainTaken)),
        responses=shows(OrganizationView, 201),
    )
    async def create(self, request: ApiRequest, data: JSONBody[NewOrganization]) -> ApiResponse:
        """Create an organization with yourself as its ADMIN, and work in it from now on."""
        org_id = OrgId(new_id())
        command = CreateOrganization(
            organization_id=org_id, name=data.name, subdomain=data.subdomain
        )
        return await run_command(request, command, _shown(org_id, 201))

    @get(
        "/{organization_id:uuid}",
        opt=confined(account(scope=Permission.ORG_READ, fails=(PlanLimitReached,))),
        responses=shows(OrganizationView | OrganizationThen) | unchanged(),
    )
    async def get_organization(
        self,
        request: ApiRequest,
        organization_id: FromPath[UUID],
        as_of: AskedMoment = None,
    ) -> ApiResponse:
        """Return the organization that you work in, or with `as_of` what it was at a moment."""
        request.caller.refuse_if_barred()
        org_id = own_organization(request, organization_id)
        if as_of is not None:
            return await organization_as_of(request, org_id, as_of)
        found = await request.newest(Organization, org_id)
        return one(request, found, partial(render_organization, org_id))

    @patch(
        "/{organization_id:uuid}",
        opt=needs(Permission.ORG_MANAGE, fails=(SubdomainNotAllowed, SubdomainTaken)),
        responses=shows(OrganizationView),
    )
    async def edit(
        self,
        request: ApiRequest,
        organization_id: FromPath[UUID],
        data: JSONBody[OrganizationChange],
    ) -> ApiResponse:
        """Change the name or subdomain. Nobody else can take the old subdomain for 30 days."""
        org_id = OrgId(organization_id)
        command = EditOrganization(organization_id=org_id, name=data.name, subdomain=data.subdomain)
        return await run_command(request, command, _shown(org_id))

    @delete(
        "/{organization_id:uuid}",
        status_code=200,
        opt=needs(Permission.ORG_MANAGE, fails=(ReauthenticationRequired,)),
        responses=nothing(),
    )
    async def remove(self, request: ApiRequest, organization_id: FromPath[UUID]) -> ApiResponse:
        """Move the organization to the trash with everything it owns."""
        command = DeleteOrganization(organization_id=OrgId(organization_id))
        return await run_command(request, command, Reply(stream=organization_id))

    @post(
        "/{organization_id:uuid}/restore",
        status_code=200,
        opt=account(),
        responses=shows(OrganizationView),
    )
    async def restore(self, request: ApiRequest, organization_id: FromPath[UUID]) -> ApiResponse:
        """Restore a deleted organization. Only its ADMINs can do this."""
        org_id = OrgId(organization_id)
        # Nobody works in a deleted organization, so the command checks who was its ADMIN.
        command = RestoreOrganization(organization_id=org_id)
        return await run_command(request, command, _shown(org_id, acting_in=org_id))

    @patch(
        "/{organization_id:uuid}/plan",
        opt=needs(Permission.ORG_MANAGE, fails=(ReauthenticationRequired,)),
        responses=shows(OrganizationView),
    )
    async def change_plan(
        self, request: ApiRequest, organization_id: FromPath[UUID], data: JSONBody[PlanChoice]
    ) -> ApiResponse:
        """Change the plan of the organization."""
        org_id = OrgId(organization_id)
        return await run_command(
            request, ChangePlan(organization_id=org_id, plan=data.plan), _shown(org_id)
        )
