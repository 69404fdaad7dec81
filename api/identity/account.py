"""HTTP routes of the caller's own account and organizations."""

from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.params import JSONBody
from msgspec import Struct

from api.http.paging import LIMIT_DEFAULT, Paging, wait_for_all_writes
from api.http.parameters import Cursor, Limit, Page, shows
from api.http.policy import account, confined
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from api.http.run_command import run_without_reply
from api.identity.usage import LimitsView, UsageView, limits_of, usage_of
from api.login.credentials import Tokens, access_tokens
from api.login.profile import ProfileView, profile_of
from commands.identity.session import SwitchOrganization
from domain.base import NotFound, OrgId, UserId
from domain.identity.organization.membership import Role
from domain.identity.organization.state import Organization
from domain.identity.plan import Plan
from domain.identity.session.errors import ReauthenticationRequired
from projections.engine.query import list_slice
from projections.identity.member import memberships_of

_encode = msgspec.json.Encoder().encode


class OwnOrganizationView(Struct, frozen=True, kw_only=True, rename="camel"):
    """The organization that the caller works in."""

    id: OrgId
    name: str
    subdomain: str
    plan: Plan


class MeView(Struct, frozen=True, kw_only=True, rename="camel"):
    """The caller's account and the organization they work in."""

    id: UserId
    email: str
    email_confirmed: bool
    name: str
    role: Role | None
    organization_id: OrgId | None
    totp: bool
    organization: OwnOrganizationView | None
    plan: Plan | None
    limits: LimitsView | None
    usage: UsageView | None


class MembershipView(Struct, frozen=True, kw_only=True, rename="camel"):
    """An organization that the caller is a member of; ``active``: this session works in it."""

    id: OrgId
    name: str
    subdomain: str
    role: Role
    suspended: bool
    active: bool


class OrganizationChoice(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body with the organization to work in from now on."""

    organization_id: OrgId


class AccountController(Controller):
    """The caller's own account, with or without an organization."""

    path = "/api"
    tags = ("Account",)

    @get("/user/me", opt=confined(account()), responses=shows(MeView))
    async def get_me(self, request: ApiRequest) -> ApiResponse:
        """Return your account, the organization you work in, its plan and limits."""
        caller = request.caller
        organization: Organization | None = None
        usage: UsageView | None = None
        if caller.org_id is not None:
            system = request.api.system
            organization = await system.commands.states.fresh(
                Organization, caller.org_id, caller.org_id
            )
            usage = await usage_of(system, caller.org_id, caller.user_id)
        return ApiResponse(_encode(_me(profile_of(caller), organization, usage)))

    @get("/user/me/organizations", opt=account(), responses=shows(Page[MembershipView]))
    async def list_organizations(
        self, request: ApiRequest, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
    ) -> ApiResponse:
        """List the organizations that you are a member of, and which one this session works in."""
        paging = Paging(request)
        await wait_for_all_writes(request, "members")
        models, user_id = request.api.models, request.caller.user_id
        found = await memberships_of(models, user_id, limit, paging.key(cursor))
        items = [await _membership(request, OrgId(UUID(key))) for key in found.keys]
        shown = [_encode(item) for item in items if item is not None]
        return paging.answer(list_slice(shown, found.next_key), limit)

    @post(
        "/auth/switch-organization",
        status_code=200,
        opt=account(dry_run=False, key=False, fails=(NotFound, ReauthenticationRequired)),
        responses=shows(Tokens),
    )
    async def switch_organization(
        self, request: ApiRequest, data: JSONBody[OrganizationChoice]
    ) -> ApiResponse:
        """Work in another organization that you are a member of, in this session only.

        Your next login starts there, too.
        """
        command = SwitchOrganization(organization_id=data.organization_id)
        await run_without_reply(request, command, data.organization_id)
        return json_response(access_tokens(request, data.organization_id))


async def _membership(request: ApiRequest, org_id: OrgId) -> MembershipView | None:
    """Return the caller's membership as it is now; None if it has ended meanwhile."""
    caller, states = request.caller, request.api.system.commands.states
    organization = await states.fresh(Organization, org_id, org_id)
    member = organization.member(caller.user_id)
    if member is None or organization.deleted:
        return None
    return MembershipView(
        id=org_id,
        name=organization.name,
        subdomain=organization.subdomain,
        role=member.role,
        suspended=not member.active,
        active=org_id == caller.org_id,
    )


def _me(profile: ProfileView, organization: Organization | None, usage: UsageView | None) -> MeView:
    about = msgspec.structs.asdict(profile)
    if organization is None or profile.organization_id is None:
        return MeView(**about, organization=None, plan=None, limits=None, usage=None)
    return MeView(
        **about,
        organization=OwnOrganizationView(
            id=profile.organization_id,
            name=organization.name,
            subdomain=organization.subdomain,
            plan=organization.plan,
        ),
        plan=organization.plan,
        limits=limits_of(organization.plan),
        usage=usage,
    )
