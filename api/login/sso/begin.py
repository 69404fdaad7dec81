"""The first step of a login through a provider: the browser is sent there."""

from api.http.problem import FieldError, invalid
from api.http.request import ApiRequest
from api.http.response import ApiResponse, redirect
from api.login.cookie import attempt_cookie
from api.login.sso.exchange import ProviderFailed
from api.login.sso.steps import (
    asked_of,
    client_of,
    in_time,
    note_refused,
    provider_problem,
    sso_key,
    sso_of,
)
from commands.claims.subdomains import subdomain_claim
from domain.base import NotFound, OrgId
from domain.identity.organization.settings import LoginWay
from domain.identity.organization.sso import Provider
from domain.identity.organization.state import Organization
from eventstore.identifiers import new_id
from runtime.system import System
from security.oidc.attempt import ATTEMPT_LIFETIME, SsoAttempt, new_state, sign_attempt


async def begin_sso(
    request: ApiRequest, subdomain: str, return_to: str | None, *, fresh: bool
) -> ApiResponse:
    """Return the response that sends the browser to the provider of an organization.

    If *fresh*, the provider asks the person who they are even if they are logged in there.

    :raises NotFound: there is no such organization, or it has no provider.
    :raises Problem: 422 if *return_to* is not ours, 502 if the provider cannot be used.
    """
    system = request.api.system
    target = _return_target(system, return_to)
    org_id, provider = await _provider_at(system, subdomain)
    key, now, state = sso_key(system), system.clock(), new_state()
    attempt = SsoAttempt(
        state=state,
        organization=org_id,
        configuration=provider.configuration_id,
        session=new_id(),
        return_to=target,
        expires_at=int((now + ATTEMPT_LIFETIME).timestamp()),
        fresh=fresh,
    )
    client = await client_of(system, org_id, provider)
    try:
        async with in_time():
            url = await sso_of(request.api).providers.authorization_url(
                client, asked_of(key, state), now, fresh=fresh
            )
    except ProviderFailed as error:
        await note_refused(request, org_id, None, error.reason)
        raise provider_problem(error) from None
    cookie = attempt_cookie(
        state, secure=system.settings.cookie_secure, lifetime=ATTEMPT_LIFETIME
    ).set(sign_attempt(key, attempt))
    return redirect(302, url).with_header(*cookie)


async def _provider_at(system: System, subdomain: str) -> tuple[OrgId, Provider]:
    holder = await system.log.holder(subdomain_claim(subdomain))
    if holder is None:
        raise NotFound
    org_id = OrgId(holder)
    organization = await system.commands.states.fresh(Organization, org_id, org_id)
    provider = organization.sign_on.provider
    usable = not organization.deleted and LoginWay.OIDC in organization.settings.login_ways
    if provider is None or not usable or organization.subdomain != subdomain:
        raise NotFound
    return org_id, provider


def _return_target(system: System, asked: str | None) -> str:
    """Return where the browser goes in the end.

    :raises Problem: 422 if that is no page of the product.
    """
    settings = system.settings
    if asked is None:
        return f"{settings.app_url}/"
    plain = all("!" <= char <= "~" and char != "\\" for char in asked)
    allowed = any(
        asked == origin or asked.startswith(f"{origin}/")
        for origin in (settings.app_url, *settings.cors_origins)
    )
    if not plain or not allowed:
        raise invalid(FieldError("returnTo", "Expected a URL of APP_URL or CORS_ORIGINS"))
    return asked
