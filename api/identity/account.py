"""HTTP routes of the caller's own account and organizations."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.params import JSONBody
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict

from api.http.paging import LIMIT_DEFAULT, Paging, wait_for_all_writes
from api.http.parameters import Cursor, Limit, Page, nothing, shows
from api.http.policy import account, confined
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from api.http.run_command import Reply, run_command, run_without_reply
from api.identity.erasure import erase_caller
from api.identity.usage import LimitsView, UsageView, limits_of, usage_of
from api.login.credentials import Tokens, access_tokens, cookie_of
from api.login.profile import profile_as
from commands.identity.session import SwitchOrganization
from commands.identity.user import ChangeProfile
from domain.base import NotFound, OrgId, UserId
from domain.identity.organization.legal_hold import LegalHold
from domain.identity.organization.membership import LastAdmin, Role
from domain.identity.organization.settings import UnknownTimeZone
from domain.identity.organization.state import Organization
from domain.identity.plan import Plan
from domain.identity.session.errors import ReauthenticationRequired
from domain.identity.user.state import User
from domain.name import Name
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
    time_zone: str | None
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


class ProfileChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; omitted fields stay as they are, and null is no time zone of your own."""

    name: Name | UnsetType = UNSET
    time_zone: str | UnsetType | None = UNSET


class AccountController(Controller):
    """The caller's own account, with or without an organization."""

    path = "/api"
    tags = ("Account",)

    @get("/user/me", opt=confined(account()), responses=shows(MeView))
    async def get_me(self, request: ApiRequest) -> ApiResponse:
        """Return your account, the organization you work in, its plan and limits."""
        user = request.caller.user
        return ApiResponse(_encode((await own_account(request))(user)))

    @patch("/user/me", opt=account(fails=(UnknownTimeZone,)), responses=shows(MeView))
    async def edit_me(self, request: ApiRequest, data: JSONBody[ProfileChange]) -> ApiResponse:
        """Change your name or time zone."""
        user_id, me = request.caller.user_id, await own_account(request)
        command = ChangeProfile(user_id=user_id, name=data.name, time_zone=data.time_zone)

        def show(user: User, version: int, at: datetime) -> bytes:
            return _encode(me(user))

        return await run_command(request, command, Reply(stream=user_id, show=show, tagged=False))

    @delete(
        "/user/me",
        status_code=200,
        opt=account(
            dry_run=False,
            key=False,
            fails=(LastAdmin, LegalHold, ReauthenticationRequired),
            sends=("Set-Cookie",),
        ),
        responses=nothing(),
    )
    async def erase_me(self, request: ApiRequest) -> ApiResponse:
        """Close your account for good, and have your personal data erased within a minute.

        You leave every organization, and your sessions and API keys end. What you wrote stays with
        the organizations, without your name. If you are the last active ADMIN of one, make another
        member one first, or delete it.
        """
        await erase_caller(request)
        return ApiResponse(b"", 204).with_header(*cookie_of(request.api.system).clear())

    @get("/user/me/organizations", opt=account(), responses=shows(Page[MembershipView]))
    async def list_organizations(
        self, request: ApiRequest, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
    ) -> ApiResponse:
        """List the organizations that you are a member of, and which one this session works in."""
        paging = Paging(request)
        await wait_for_all_writes(request, "members")
        models, user_id = request.api.models, request.caller.user_id
        found = await memberships_of(models, user_id, limit, paging.key(cursor))
        items = [await own_membership(request, OrgId(UUID(key))) for key in found.keys]
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


async def own_membership(request: ApiRequest, org_id: OrgId) -> MembershipView | None:
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


async def own_account(request: ApiRequest) -> Callable[[User], MeView]:
    """Return what shows the caller's account, with the organization that they work in."""
    caller, system = request.caller, request.api.system
    org_id, role = caller.org_id, caller.role
    organization: OwnOrganizationView | None = None
    limits: LimitsView | None = None
    usage: UsageView | None = None
    if org_id is not None:
        found = await system.commands.states.fresh(Organization, org_id, org_id)
        organization = OwnOrganizationView(
            id=org_id, name=found.name, subdomain=found.subdomain, plan=found.plan
        )
        limits = limits_of(found.plan)
        usage = await usage_of(system, org_id, caller.user_id)

    def me(user: User) -> MeView:
        return MeView(
            **asdict(profile_as(user, caller.user_id, org_id, role)),
            time_zone=user.time_zone,
            organization=organization,
            plan=None if organization is None else organization.plan,
            limits=limits,
            usage=usage,
        )

    return me
