"""HTTP routes of single sign-on: the provider of an organization, and logins through it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, put
from litestar.params import FromPath, FromQuery, JSONBody, Parameter, QueryParameter
from msgspec import Meta, Struct

from api.http.parameters import moves, nothing, shows
from api.http.policy import needs, public
from api.http.problem import FieldError, invalid
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.identity.organization import own_organization
from commands.identity.sso import ConfigureSso, RemoveSso
from domain.base import NotFound, OrgId
from domain.identity.organization.membership import Role
from domain.identity.organization.sso import (
    AccountUnconfirmed,
    ClientSecretNeeded,
    DomainNotAccepted,
    DomainNotProven,
    EmailNotVerified,
    LinkedToAnother,
    LoginWayNotAccepted,
    MappedRole,
    MembershipEnded,
    MembershipSuspended,
    Provider,
    SsoLoginIsOver,
    SsoStillDemanded,
)
from domain.identity.organization.state import Organization
from domain.identity.plan import PlanLimitReached
from domain.identity.session.errors import ReauthenticationRequired
from domain.identity.user.errors import AccountDeactivated
from domain.patterned import patterned
from domain.permission import Permission
from eventstore.identifiers import new_id
from security.url_guard import UrlRefused

_ISSUER_CHARS_MAX = 500
_Domain = Annotated[
    str,
    patterned(
        r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        "a domain such as example.com, in small letters",
        253,
    ),
]
_Scope = Annotated[
    str,
    # RFC 6749, section 3.3
    patterned(r"^[!#-\[\]-~]+$", "a scope such as email, without spaces or quotation marks", 100),
]
_ClaimText = Annotated[str, Meta(min_length=1, max_length=200)]
_Printable = Annotated[str, patterned(r"^[!-~]+$", "printable ASCII without spaces", 1_000)]
_Code = FromQuery[Annotated[str | None, Parameter(max_length=4_096, description="The code")]]
_Text = FromQuery[Annotated[str | None, Parameter(max_length=1_000)]]
_State = FromQuery[Annotated[str, QueryParameter(name="state", max_length=1_000)]]
_ReturnTo = FromQuery[
    Annotated[
        str | None,
        QueryParameter(name="returnTo", max_length=2_000, description="A page of the product"),
    ]
]
_Fresh = FromQuery[
    Annotated[bool, Parameter(description="Prove again who you are, as sensitive requests need it")]
]
_encode = msgspec.json.Encoder().encode


class ProviderChoice(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body that names an identity provider; ``clientSecret`` may be left out if it stays the same.

    ``domains`` are those of the addresses of people who may log in. ``roles`` maps the values of
    the claim ``roleClaim`` to roles; the highest that applies is set at each login. Without
    ``roleClaim``, people join as ``defaultRole``, and later changes of their roles stay.
    """

    issuer: Annotated[str, Meta(min_length=8, max_length=_ISSUER_CHARS_MAX)]
    client_id: _Printable
    domains: Annotated[list[_Domain], Meta(min_length=1, max_length=50)]
    client_secret: _Printable | None = None
    scopes: Annotated[list[_Scope], Meta(max_length=20)] = []
    role_claim: _ClaimText | None = None
    roles: Annotated[dict[_ClaimText, Role], Meta(max_length=100)] = {}
    default_role: Role = Role.MEMBER


class ProviderView(Struct, frozen=True, rename="camel"):
    """An identity provider; its secret is never shown. ``redirectUri`` is registered there."""

    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    domains: tuple[str, ...]
    role_claim: str | None
    roles: dict[str, Role]
    default_role: Role
    redirect_uri: str


def _rendered(provider: Provider, api_url: str) -> bytes:
    return _encode(
        ProviderView(
            issuer=provider.issuer,
            client_id=provider.client_id,
            scopes=provider.scopes,
            domains=provider.domains,
            role_claim=provider.role_claim,
            roles={each.value: each.role for each in provider.roles},
            default_role=provider.default_role,
            redirect_uri=f"{api_url}/api/auth/oidc/callback",
        )
    )


class SsoController(Controller):
    """The identity provider of an organization."""

    path = "/api/org/{organization_id:uuid}/oidc"
    tags = ("Single sign-on",)

    @get("/", opt=needs(Permission.SSO_READ, fails=(NotFound,)), responses=shows(ProviderView))
    async def get_provider(
        self, request: ApiRequest, organization_id: FromPath[UUID]
    ) -> ApiResponse:
        """Return the identity provider of the organization that you work in, without its secret."""
        org_id = own_organization(request, organization_id)
        found = await request.newest(Organization, org_id)
        provider = found.state.sign_on.provider
        if provider is None:
            raise NotFound
        return ApiResponse(_rendered(provider, request.api.system.settings.api_url))

    @put(
        "/",
        opt=needs(Permission.SSO_MANAGE, fails=(ReauthenticationRequired, ClientSecretNeeded)),
        responses=shows(ProviderView),
    )
    async def configure(
        self, request: ApiRequest, organization_id: FromPath[UUID], data: JSONBody[ProviderChoice]
    ) -> ApiResponse:
        """Name the identity provider through which members log in, or change what you said.

        Logins that have begun are over. Sessions that another issuer began have no access any more.
        """
        system, org_id = request.api.system, OrgId(organization_id)
        try:
            system.guard.check_url(data.issuer)
        except UrlRefused as refused:
            raise invalid(FieldError("$.issuer", refused.reason)) from None
        if "?" in data.issuer:
            raise invalid(FieldError("$.issuer", "An issuer has no query"))
        sealed = None
        if data.client_secret is not None:
            sealed = system.keys.master.wrap(data.client_secret.encode(), org_id)
        scopes = dict.fromkeys(["openid", "email", "profile", *data.scopes])
        command = ConfigureSso(
            organization_id=org_id,
            configuration_id=new_id(),
            issuer=data.issuer,
            client_id=data.client_id,
            scopes=tuple(scopes),
            domains=tuple(dict.fromkeys(data.domains)),
            role_claim=data.role_claim,
            roles=tuple(MappedRole(value, role) for value, role in sorted(data.roles.items())),
            default_role=data.default_role,
            sealed_secret=sealed,
        )

        def show(organization: Organization, _version: int, _at: datetime) -> bytes:
            provider = organization.sign_on.provider
            return b"" if provider is None else _rendered(provider, system.settings.api_url)

        return await run_command(request, command, Reply(stream=org_id, show=show, tagged=False))

    @delete(
        "/",
        status_code=200,
        opt=needs(Permission.SSO_MANAGE, fails=(ReauthenticationRequired, SsoStillDemanded)),
        responses=nothing(),
    )
    async def remove(self, request: ApiRequest, organization_id: FromPath[UUID]) -> ApiResponse:
        """Remove the identity provider. Sessions that it began have no access any more."""
        command = RemoveSso(organization_id=OrgId(organization_id))
        return await run_command(request, command, Reply(stream=organization_id))


class SsoLoginController(Controller):
    """Logins through the identity provider of an organization, by a browser."""

    path = "/api/auth/oidc"
    tags = ("Single sign-on",)

    @get(
        "/{subdomain:str}",
        opt=public("sso", fails=((502, "provider_failed"),), sends=("Location", "Set-Cookie")),
        responses=moves(302, "The provider, where the person logs in"),
    )
    async def begin(
        self,
        request: ApiRequest,
        subdomain: FromPath[str],
        return_to: _ReturnTo = None,
        fresh: _Fresh = False,
    ) -> ApiResponse:
        """Log in through the identity provider of the organization with this subdomain."""
        from api.login.sso.begin import begin_sso  # noqa: PLC0415 - slow, and used by few

        return await begin_sso(request, subdomain, return_to, fresh=fresh)

    @get(
        "/callback",
        opt=public(
            "sso",
            tolerant=True,
            fails=(
                (403, "sso_refused"),
                (502, "provider_failed"),
                AccountDeactivated,
                AccountUnconfirmed,
                DomainNotAccepted,
                DomainNotProven,
                EmailNotVerified,
                LinkedToAnother,
                LoginWayNotAccepted,
                MembershipEnded,
                MembershipSuspended,
                NotFound,
                PlanLimitReached,
                SsoLoginIsOver,
            ),
            sends=("Location", "Set-Cookie"),
        ),
        responses=moves(303, "The page of the product that the login began with"),
    )
    async def finish(
        self,
        request: ApiRequest,
        sent_state: _State,
        code: _Code = None,
        error: _Text = None,
        iss: _Text = None,
    ) -> ApiResponse:
        """Finish a login: the provider sends the browser here. The response sets a refresh cookie.

        Get an access token for it by `POST /api/auth/refresh-token`. The session works in this
        organization only, and neither sees nor changes the account.
        """
        from api.login.sso.finish import Returned, finish_sso  # noqa: PLC0415 - slow, and used by few

        return await finish_sso(request, Returned(sent_state, code, error, iss))
