"""HTTP routes of the settings of an organization."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, patch
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from api.http.parameters import shows
from api.http.policy import needs
from api.http.problem import FieldError, invalid
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.identity.organization import own_organization
from commands.identity.settings import ChangeSettings, SessionIdle, SessionMax
from commands.identity.user import Email
from domain.base import OrgId
from domain.identity.organization.settings import (
    SECURITY_CONTACTS_MAX,
    LoginWay,
    NoLoginWay,
    OrganizationSettings,
    UnknownTimeZone,
)
from domain.identity.organization.sso import SsoNotConfigured
from domain.identity.organization.state import Organization
from domain.identity.session.errors import ReauthenticationRequired
from domain.permission import Permission, is_allowed
from security.mail_address import canonical_address, is_address

_TIME_ZONE_CHARS_MAX = 64
_encode = msgspec.json.Encoder().encode


class SettingsChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; omitted fields stay as they are.

    ``sessionIdle`` and ``sessionMax`` are in seconds; null: as long as everywhere.
    """

    require_totp: bool | UnsetType = UNSET
    login_ways: Annotated[list[LoginWay], Meta(max_length=len(LoginWay))] | UnsetType = UNSET
    session_idle: SessionIdle | UnsetType | None = UNSET
    session_max: SessionMax | UnsetType | None = UNSET
    time_zone: Annotated[str, Meta(max_length=_TIME_ZONE_CHARS_MAX)] | UnsetType = UNSET
    security_contacts: (
        Annotated[list[Email], Meta(max_length=SECURITY_CONTACTS_MAX)] | UnsetType
    ) = UNSET


class SettingsView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What an organization requires of its members, and whom it tells of its security.

    ``securityContacts`` are shown to ADMINs only, and null to others.
    """

    require_totp: bool
    login_ways: tuple[LoginWay, ...]
    session_idle: int | None
    session_max: int | None
    time_zone: str
    security_contacts: tuple[str, ...] | None


def settings_view(settings: OrganizationSettings, *, contacts: bool) -> SettingsView:
    """Return *settings* as members see them; with *contacts*, as ADMINs do."""
    return SettingsView(
        require_totp=settings.require_totp,
        login_ways=settings.login_ways,
        session_idle=settings.session_idle,
        session_max=settings.session_max,
        time_zone=settings.time_zone,
        security_contacts=settings.security_contacts if contacts else None,
    )


def _shown(organization: Organization, version: int, at: datetime) -> bytes:
    return _encode(settings_view(organization.settings, contacts=True))


class SettingsController(Controller):
    """What an organization requires of its members, and whom it tells of its security."""

    path = "/api/org/{organization_id:uuid}/settings"
    tags = ("Organizations",)

    @get("/", opt=needs(Permission.ORG_READ), responses=shows(SettingsView))
    async def get_settings(
        self, request: ApiRequest, organization_id: FromPath[UUID]
    ) -> ApiResponse:
        """Return the settings of the organization that you work in."""
        org_id = own_organization(request, organization_id)
        found = await request.newest(Organization, org_id)
        contacts = is_allowed(request.caller.role, Permission.ORG_MANAGE, request.caller.scopes)
        return ApiResponse(_encode(settings_view(found.state.settings, contacts=contacts)))

    @patch(
        "/",
        opt=needs(
            Permission.ORG_MANAGE,
            fails=(ReauthenticationRequired, NoLoginWay, SsoNotConfigured, UnknownTimeZone),
        ),
        responses=shows(SettingsView),
    )
    async def change_settings(
        self, request: ApiRequest, organization_id: FromPath[UUID], data: JSONBody[SettingsChange]
    ) -> ApiResponse:
        """Change settings. Whoever requires two-factor login needs it themselves.

        So does whoever takes `password` off `loginWays`, which needs an identity provider.

        After ``sessionIdle`` seconds without a refresh, or ``sessionMax`` seconds after its user
        proved who they are, a session is over in this organization.
        """
        org_id = OrgId(organization_id)
        command = ChangeSettings(
            organization_id=org_id,
            require_totp=data.require_totp,
            login_ways=UNSET if data.login_ways is UNSET else tuple(data.login_ways),
            session_idle=data.session_idle,
            session_max=data.session_max,
            time_zone=data.time_zone,
            security_contacts=_addresses(data.security_contacts),
        )
        return await run_command(request, command, Reply(stream=org_id, show=_shown, tagged=False))


def _addresses(given: list[str] | UnsetType) -> tuple[str, ...] | UnsetType:
    """Return addresses in canonical form.

    :raises Problem: 422 if one cannot be an address.
    """
    if given is UNSET:
        return UNSET
    odd = [
        FieldError(f"$.securityContacts[{place}]", "Expected an e-mail address")
        for place, address in enumerate(given)
        if not is_address(address)
    ]
    if odd:
        raise invalid(*odd)
    return tuple(map(canonical_address, given))
