"""HTTP routes with which an organization proves that the domains of its people are its own."""

from typing import cast
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.params import FromPath
from msgspec import Struct

from api.http.paging import list_json
from api.http.parameters import Page, shows
from api.http.policy import needs
from api.http.problem import Problem
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from api.http.run_command import run_without_reply
from api.identity.organization import own_organization
from commands.identity.sso import ProveDomain
from domain.base import NotFound, OrgId
from domain.identity.organization.sso import SignOn
from domain.identity.organization.state import Organization
from domain.permission import Permission, is_allowed
from runtime.system import System
from security.base64url import to_base64url

LABEL = "_trackrecord"
"""Stands before the domain in the name of the record (RFC 8552)."""

_encode = msgspec.json.Encoder().encode


class DomainRecord(Struct, frozen=True):
    """A record to add to the DNS."""

    name: str
    type: str
    value: str


class DomainView(Struct, frozen=True):
    """A domain of the provider, whether it is proven, and the record that proves it."""

    domain: str
    proven: bool
    record: DomainRecord


class SsoDomainController(Controller):
    """The domains of the people who log in through the identity provider of an organization."""

    path = "/api/org/{organization_id:uuid}/oidc/domains"
    tags = ("Single sign-on",)

    @get("/", opt=needs(Permission.SSO_READ, fails=(NotFound,)), responses=shows(Page[DomainView]))
    async def list_domains(
        self, request: ApiRequest, organization_id: FromPath[UUID]
    ) -> ApiResponse:
        """List the domains of your provider, and the record that proves each to be yours."""
        org_id = own_organization(request, organization_id)
        sign_on = (await request.newest(Organization, org_id)).state.sign_on
        domains = _domains_of(sign_on)
        views = [_view(request.api.system, org_id, sign_on, each) for each in domains]
        return ApiResponse(list_json(b",".join(map(_encode, views)), None))

    @post(
        "/{domain:str}/prove",
        status_code=200,
        opt=needs(
            Permission.SSO_MANAGE,
            dry_run=False,
            key=False,
            fails=(NotFound, (409, "domain_record_missing"), (502, "dns_failed")),
        ),
        responses=shows(DomainView),
    )
    async def prove_domain(
        self, request: ApiRequest, organization_id: FromPath[UUID], domain: FromPath[str]
    ) -> ApiResponse:
        """Have the DNS of a domain asked for the record that proves it to be yours.

        From then on, people with addresses in it can log in through your provider, until you no
        longer name it.
        """
        org_id = OrgId(organization_id)
        if await request.own_organization() != org_id:
            raise NotFound
        if is_allowed(request.caller.role, Permission.SSO_MANAGE, request.caller.scopes):
            await _refuse_unproven(request, org_id, domain)
        command = ProveDomain(organization_id=org_id, domain=domain)
        receipt = await run_without_reply(request, command)
        proven = cast(Organization, receipt.states[org_id].state)
        return json_response(_view(request.api.system, org_id, proven.sign_on, domain))


async def _refuse_unproven(request: ApiRequest, org_id: OrgId, domain: str) -> None:
    """Refuse a domain unless it is proven, or its DNS has the record now.

    :raises NotFound: the provider has no such domain.
    :raises Problem: 409 without the record, 502 if the DNS cannot be read.
    """
    from api.login.sso.domain_records import texts_at  # noqa: PLC0415 - slow, and used by few

    system = request.api.system
    organization = await system.commands.states.fresh(Organization, org_id, org_id)
    if domain not in _domains_of(organization.sign_on):
        raise NotFound
    view = _view(system, org_id, organization.sign_on, domain)
    name, value = view.record.name, view.record.value
    if view.proven or value in await texts_at(name, system.settings.dns_servers):
        return
    detail = (
        "The DNS does not have the record yet. Add it, wait until it has spread, and try again."
    )
    raise Problem(409, "domain_record_missing", detail, details={"record": view.record})


def _domains_of(sign_on: SignOn) -> tuple[str, ...]:
    """Return the domains of the provider.

    :raises NotFound: there is no provider.
    """
    if sign_on.provider is None:
        raise NotFound
    return sign_on.provider.domains


def _view(system: System, org_id: OrgId, sign_on: SignOn, domain: str) -> DomainView:
    proof = to_base64url(system.log.keys.fingerprint("domain proof", f"{org_id} {domain}"))
    record = DomainRecord(f"{LABEL}.{domain}", "TXT", f"trackrecord-domain={proof}")
    return DomainView(domain, domain in sign_on.proven, record)
