"""What both steps of a login through a provider need."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from msgspec import Struct
from msgspec.structs import replace

from api.http.problem import Problem
from api.http.request import ApiRequest
from api.http.state import ApiState
from api.login.attempts import context_as
from api.login.sso.exchange import Exchange, ProviderFailed
from api.login.sso.provider import LoginRequest, ProviderClient, Providers
from commands.identity.sso import CLIENT_SECRET, RecordRefusedSso
from commands.identity.tally import Tally
from domain.access import UNKNOWN_PERSON
from domain.base import DomainError, OrgId, UserId
from domain.identity.organization.sso import Provider
from eventstore.append import ConcurrencyConflict, LogUnavailable
from runtime.system import System
from security.derivation import derive_key
from security.oidc.attempt import nonce_of, verifier_of
from security.sealing import SealBroken

CALLBACK = "/api/auth/oidc/callback"
"""Where providers send people back to; what administrators register there begins with API_URL."""

STEP_DEADLINE_S = 3.5
"""For all requests of one step to the provider: a request of ours is given up after 5 s, and the
failure has to be recorded before."""

_logger = logging.getLogger(__name__)


class Sso(Struct, eq=False):
    """What an application remembers of its providers, and of failures not recorded yet."""

    providers: Providers
    failures: Tally[tuple[OrgId, UserId | None, str]]


_known: WeakKeyDictionary[ApiState, Sso] = WeakKeyDictionary()


def sso_of(api: ApiState) -> Sso:
    """Return what the application *api* remembers."""
    known = _known.get(api)
    if known is None:
        known = _known[api] = Sso(Providers(Exchange(api.system.guard)), Tally())
    return known


def sso_key(system: System) -> bytes:
    """Return the key of logins that have begun."""
    return derive_key(system.settings.jwt_refresh_secret, "single sign-on")


def asked_of(key: bytes, state: str) -> LoginRequest:
    """Return what is particular to the login with this *state*."""
    return LoginRequest(state, nonce_of(key, state), verifier_of(key, state))


async def client_of(system: System, org_id: OrgId, provider: Provider) -> ProviderClient:
    """Return who we are to the *provider* of an organization.

    :raises ProviderFailed: our secret is not there.
    """
    sealed = await system.log.secret(org_id, org_id, CLIENT_SECRET)
    try:
        secret = None if sealed is None else system.keys.master.unwrap(sealed, org_id)
    except SealBroken:
        secret = None
    if secret is None:
        raise ProviderFailed("no_client_secret")
    return ProviderClient(
        issuer=provider.issuer,
        client_id=provider.client_id,
        client_secret=secret.decode(),
        scopes=provider.scopes,
        redirect_uri=system.settings.api_url + CALLBACK,
    )


@asynccontextmanager
async def in_time() -> AsyncGenerator[None]:
    """Give the provider up after ``STEP_DEADLINE_S``.

    :raises ProviderFailed: it took longer.
    """
    try:
        async with asyncio.timeout(STEP_DEADLINE_S):
            yield
    except TimeoutError:
        raise ProviderFailed("provider_timeout") from None


async def note_refused(
    request: ApiRequest, org_id: OrgId, user_id: UserId | None, reason: str
) -> None:
    """Record that a login failed, with others of the same minute."""
    system = request.api.system
    count = sso_of(request.api).failures.add((org_id, user_id, reason), system.clock())
    if not count:
        return
    command = RecordRefusedSso(organization_id=org_id, user_id=user_id, reason=reason, count=count)
    context = replace(context_as(request, user_id or UNKNOWN_PERSON), org_id=org_id)
    try:
        await system.commands.handle(command, context)
    except (DomainError, ConcurrencyConflict, LogUnavailable) as error:
        _logger.warning("a refused login of %s was not recorded: %s", org_id, error)


def provider_problem(error: ProviderFailed) -> Problem:
    """Return the response to a person whose provider cannot be used."""
    detail = "The identity provider of this organization cannot be used now. Try again later."
    return Problem(502, "provider_failed", detail, details={"reason": error.reason})
