"""The two steps of a login through the identity provider of an organization.

The first sends the browser to the provider and binds the login to it by a cookie. The second gets
the browser back with a code, and starts a session that is confined to the organization.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast
from uuid import UUID
from weakref import WeakKeyDictionary

from msgspec import Struct
from msgspec.structs import replace

from api.http.problem import FieldError, Problem, invalid
from api.http.request import ApiRequest
from api.http.response import ApiResponse, redirect
from api.http.state import ApiState
from api.login.attempts import context_as
from api.login.cookie import attempt_cookie
from api.login.credentials import tokens_of
from api.login.email_proof import proof_of
from api.login.sso.exchange import Exchange, ProviderFailed
from api.login.sso.person import Person, person_in
from api.login.sso.provider import Asked, Client, Providers, SsoRefused
from commands.base import Context
from commands.identity.sso import CLIENT_SECRET, LogInBySso, RecordRefusedSso
from commands.identity.tally import Tally
from commands.reservations import email_claim, subdomain_claim, subject_claim
from domain.base import DomainError, NotFound, OrgId, SessionId, UserId
from domain.identity.organization.settings import LoginWay
from domain.identity.organization.sign_on import provider_of
from domain.identity.organization.sso import Provider, SsoLoginIsOver
from domain.identity.organization.state import Organization
from domain.identity.session.state import Session
from eventstore.append import ConcurrencyConflict, LogUnavailable
from eventstore.identifiers import new_id
from runtime.system import System
from security.derivation import derive_key
from security.sealing import SealBroken
from security.sso_attempt import (
    ATTEMPT_LIFETIME,
    SsoAttempt,
    new_state,
    nonce_of,
    read_attempt,
    sign_attempt,
    verifier_of,
)

CALLBACK = "/api/auth/oidc/callback"
"""Where providers send people back to; what administrators register there begins with API_URL."""

STEP_DEADLINE_S = 3.5
"""For all requests of one step to the provider: a request of ours is given up after 5 s, and the
failure has to be recorded before."""

_NONCE_BYTES = 16
_LOGINS_MAX = 3
"""How often one login is decided if the same new person logs in elsewhere at the same moment."""

_REPORTED = frozenset(
    {"access_denied", "login_required", "interaction_required", "consent_required"}
    | {"invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope"}
    | {"server_error", "temporarily_unavailable"}
)
"""Errors that a provider reports (RFC 6749, section 4.1.2.1; OpenID Connect Core 1.0, 3.1.2.6)."""

_logger = logging.getLogger(__name__)


class _Sso(Struct, eq=False):
    """What an application remembers of its providers, and of failures not recorded yet."""

    providers: Providers
    failures: Tally[tuple[OrgId, UserId | None, str]]


_known: WeakKeyDictionary[ApiState, _Sso] = WeakKeyDictionary()


class Returned(Struct, frozen=True):
    """What a browser brings back from a provider."""

    state: str
    code: str | None = None
    error: str | None = None
    issuer: str | None = None


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
    key, now, state = _key(system), system.clock(), new_state()
    attempt = SsoAttempt(
        state=state,
        organization=org_id,
        configuration=provider.configuration_id,
        session=new_id(),
        return_to=target,
        expires_at=int((now + ATTEMPT_LIFETIME).timestamp()),
        fresh=fresh,
    )
    client = await _client(system, org_id, provider)
    try:
        async with _in_time():
            url = await _sso(request.api).providers.authorization_url(
                client, _asked(key, state), now, fresh=fresh
            )
    except ProviderFailed as failed:
        await _note_refused(request, org_id, None, failed.reason)
        raise _failed(failed) from None
    cookie = attempt_cookie(
        state, secure=system.settings.cookie_secure, lifetime=ATTEMPT_LIFETIME
    ).set(sign_attempt(key, attempt))
    return redirect(302, url).with_header(*cookie)


async def finish_sso(request: ApiRequest, returned: Returned) -> ApiResponse:
    """Return the response that starts a session and sends the browser back to the product.

    :raises SsoLoginIsOver: the login did not begin in this browser, or is over.
    :raises DomainError: the person may not enter.
    :raises Problem: 403 if the provider refused or is not believed, 502 if it cannot be used.
    """
    system = request.api.system
    cookie = attempt_cookie(
        returned.state, secure=system.settings.cookie_secure, lifetime=ATTEMPT_LIFETIME
    )
    attempt = read_attempt(_key(system), cookie.read(request) or "", returned.state, system.clock())
    if attempt is None:
        raise SsoLoginIsOver
    org_id, user_id = OrgId(attempt.organization), None
    try:
        organization = await system.commands.states.fresh(Organization, org_id, org_id)
        provider = provider_of(organization, attempt.configuration)
        person = await _person(request, org_id, provider, attempt, returned)
        user_id = await _holder(system, org_id, provider, person)
        session = await _logged_in(request, attempt, provider, person)
    except ProviderFailed as failed:
        await _note_refused(request, org_id, None, failed.reason)
        raise _failed(failed) from None
    except SsoRefused as refused:
        await _note_refused(request, org_id, None, refused.reason)
        detail = "Your identity provider did not confirm who you are. Log in again."
        raise Problem(403, "sso_refused", detail, details={"reason": refused.reason}) from None
    except DomainError as refused:
        await _note_refused(request, org_id, user_id, refused.code)
        raise
    _, refresh = tokens_of(system, SessionId(attempt.session), session)
    answer = redirect(303, attempt.return_to)
    return answer.with_header(*refresh).with_header(*cookie.clear())


async def _person(
    request: ApiRequest,
    org_id: OrgId,
    provider: Provider,
    attempt: SsoAttempt,
    returned: Returned,
) -> Person:
    """Return the person whom the provider vouches for in exchange for the code."""
    system = request.api.system
    providers, now = _sso(request.api).providers, system.clock()
    client = await _client(system, org_id, provider)
    async with _in_time():
        await providers.refuse_mixed_up(provider.issuer, returned.issuer, now)
        if returned.code is None:
            reported = returned.error if returned.error in _REPORTED else "provider_error"
            raise SsoRefused(str(reported))
        asked = _asked(_key(system), attempt.state)
        claims = await providers.claims(client, asked, returned.code, now)
    return person_in(claims, provider, attempt, now)


@asynccontextmanager
async def _in_time() -> AsyncGenerator[None]:
    """Give the provider up after ``STEP_DEADLINE_S``.

    :raises ProviderFailed: it took longer.
    """
    try:
        async with asyncio.timeout(STEP_DEADLINE_S):
            yield
    except TimeoutError:
        raise ProviderFailed("provider_timeout") from None


async def _logged_in(
    request: ApiRequest, attempt: SsoAttempt, provider: Provider, person: Person
) -> Session:
    """Start the session.

    Whose it is was looked up before, because the events name who caused them. If that changed,
    because the same new person logged in elsewhere, it is looked up again.
    """
    org_id = OrgId(attempt.organization)
    for turn in range(1, _LOGINS_MAX + 1):
        command = await _command(request.api.system, attempt, provider, person)
        context = replace(context_as(request, command.user_id), org_id=org_id)
        try:
            return await _started(request, command, context)
        except SsoLoginIsOver:
            again = await _command(request.api.system, attempt, provider, person)
            if again.user_id == command.user_id or turn == _LOGINS_MAX or again.proof is not None:
                raise
    raise AssertionError("the last turn returns or raises")


async def _started(request: ApiRequest, command: LogInBySso, context: Context) -> Session:
    receipt = await request.api.system.commands.handle(command, context)
    request.api.writes.note(command.user_id, receipt.positions)
    await request.note_use(command.session_id, command.user_id)
    return cast(Session, receipt.states[command.session_id].state)


async def _command(
    system: System, attempt: SsoAttempt, provider: Provider, person: Person
) -> LogInBySso:
    org_id = OrgId(attempt.organization)
    holder = await _holder(system, org_id, provider, person)
    user_id = holder or UserId(new_id())
    proof = None if holder else proof_of(system, user_id, person.email, system.clock())
    fingerprint = system.log.keys.fingerprint
    return LogInBySso(
        organization_id=org_id,
        configuration_id=attempt.configuration,
        session_id=SessionId(attempt.session),
        user_id=user_id,
        subject=person.subject,
        subject_claim=subject_claim(fingerprint, org_id, provider.issuer, person.subject),
        email=person.email,
        email_claim=email_claim(fingerprint, person.email),
        name=person.name,
        role_values=person.role_values,
        proof=proof,
        nonce=secrets.token_hex(_NONCE_BYTES),
        proved_at=person.proved_at,
        idle=system.settings.jwt_refresh_expiry,
    )


async def _holder(
    system: System, org_id: OrgId, provider: Provider, person: Person
) -> UserId | None:
    """Return whose account it is that the provider vouches for, if there is one."""
    fingerprint = system.log.keys.fingerprint
    subject = subject_claim(fingerprint, org_id, provider.issuer, person.subject)
    email = email_claim(fingerprint, person.email)
    held = await system.log.holders([subject, email])
    holder = held.get(subject) or held.get(email)
    return None if holder is None else UserId(holder)


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


async def _client(system: System, org_id: OrgId, provider: Provider) -> Client:
    sealed = await system.log.secret(org_id, org_id, CLIENT_SECRET)
    try:
        secret = None if sealed is None else system.keys.master.unwrap(sealed, org_id)
    except SealBroken:
        secret = None
    if secret is None:
        raise ProviderFailed("no_client_secret")
    return Client(
        issuer=provider.issuer,
        client_id=provider.client_id,
        client_secret=secret.decode(),
        scopes=provider.scopes,
        redirect_uri=system.settings.api_url + CALLBACK,
    )


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


async def _note_refused(
    request: ApiRequest, org_id: OrgId, user_id: UserId | None, reason: str
) -> None:
    """Record that a login failed, with others of the same minute."""
    system = request.api.system
    count = _sso(request.api).failures.add((org_id, user_id, reason), system.clock())
    if not count:
        return
    command = RecordRefusedSso(organization_id=org_id, user_id=user_id, reason=reason, count=count)
    context = replace(context_as(request, user_id or UserId(UUID(int=0))), org_id=org_id)
    try:
        await system.commands.handle(command, context)
    except (DomainError, ConcurrencyConflict, LogUnavailable) as error:
        _logger.warning("a refused login of %s was not recorded: %s", org_id, error)


def _failed(failed: ProviderFailed) -> Problem:
    detail = "The identity provider of this organization cannot be used now. Try again later."
    return Problem(502, "provider_failed", detail, details={"reason": failed.reason})


def _sso(api: ApiState) -> _Sso:
    known = _known.get(api)
    if known is None:
        known = _known[api] = _Sso(Providers(Exchange(api.system.guard)), Tally())
    return known


def _key(system: System) -> bytes:
    return derive_key(system.settings.jwt_refresh_secret, "single sign-on")


def _asked(key: bytes, state: str) -> Asked:
    return Asked(state, nonce_of(key, state), verifier_of(key, state))
