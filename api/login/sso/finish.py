"""The second step of a login through a provider: the browser is back with a code.

What the provider says for the code decides who it is. Their session is confined to the organization
whose provider it is.
"""

import secrets
from typing import cast
from urllib.parse import urlencode, urlsplit, urlunsplit

from msgspec import Struct
from msgspec.structs import replace

from api.http.problem import Problem
from api.http.request import ApiRequest
from api.http.response import ApiResponse, redirect
from api.login.attempts import context_as
from api.login.cookie import SecretCookie, attempt_cookie
from api.login.credentials import tokens_of
from api.login.email_proof import proof_of
from api.login.sso.exchange import ProviderFailed
from api.login.sso.person import VouchedPerson, claims_needed, person_in
from api.login.sso.provider import ProofRefused
from api.login.sso.steps import (
    asked_of,
    client_of,
    in_time,
    note_refused,
    provider_problem,
    sso_key,
    sso_of,
)
from commands.base import Context
from commands.identity.sso import LogInBySso
from commands.reservations import email_claim, subject_claim
from domain.base import DomainError, OrgId, SessionId, UserId
from domain.identity.organization.sign_on import provider_of
from domain.identity.organization.sso import Provider, SsoLoginIsOver
from domain.identity.organization.state import Organization
from domain.identity.session.state import Session
from eventstore.identifiers import new_id
from runtime.system import System
from security.oidc.attempt import ATTEMPT_LIFETIME, SsoAttempt, read_attempt

_NONCE_BYTES = 16
_LOGINS_MAX = 3
"""How often one login is decided if the same new person logs in elsewhere at the same moment."""

_REPORTED = frozenset(
    {"access_denied", "login_required", "interaction_required", "consent_required"}
    | {"invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope"}
    | {"server_error", "temporarily_unavailable"}
)
"""Errors that a provider reports (RFC 6749, section 4.1.2.1; OpenID Connect Core 1.0, 3.1.2.6)."""


class Returned(Struct, frozen=True):
    """What a browser brings back from a provider."""

    state: str
    code: str | None = None
    error: str | None = None
    issuer: str | None = None


async def finish_sso(request: ApiRequest, returned: Returned) -> ApiResponse:
    """Return the response that starts a session and sends the browser back to the product.

    A browser is sent back also if the login is refused, with the code of the problem as ``error``.

    :raises DomainError: the person may not enter, and no browser asks.
    :raises Problem: as in ``_finished``, and no browser asks.
    """
    try:
        return await _finished(request, returned)
    except (DomainError, Problem) as refused:
        if not _shows_pages(request):
            raise
        attempt = _attempt(request, returned)[1]
        page = request.api.system.settings.app_url if attempt is None else attempt.return_to
        return redirect(303, _with_error(page, refused.code))


def _shows_pages(request: ApiRequest) -> bool:
    return b"text/html" in request.client_info.headers.get(b"accept", b"")


def _with_error(page: str, code: str) -> str:
    """Return the address of *page* with a code in its query."""
    parts = urlsplit(page)
    query = "&".join(filter(None, (parts.query, urlencode({"error": code}))))
    return urlunsplit(parts._replace(query=query))


def _attempt(request: ApiRequest, returned: Returned) -> tuple[SecretCookie, SsoAttempt | None]:
    """Return the cookie of the login that began in this browser, and the login in it, if any."""
    system = request.api.system
    cookie = attempt_cookie(
        returned.state, secure=system.settings.cookie_secure, lifetime=ATTEMPT_LIFETIME
    )
    sealed = cookie.read(request) or ""
    return cookie, read_attempt(sso_key(system), sealed, returned.state, system.clock())


async def _finished(request: ApiRequest, returned: Returned) -> ApiResponse:
    """Return the response that starts a session.

    :raises SsoLoginIsOver: the login did not begin in this browser, or is over.
    :raises DomainError: the person may not enter.
    :raises Problem: 403 if the provider refused or is not believed, 502 if it cannot be used.
    """
    system = request.api.system
    cookie, attempt = _attempt(request, returned)
    if attempt is None:
        raise SsoLoginIsOver
    org_id, user_id = OrgId(attempt.organization), None
    try:
        organization = await system.commands.states.fresh(Organization, org_id, org_id)
        provider = provider_of(organization, attempt.configuration)
        person = await _person(request, org_id, provider, attempt, returned)
        user_id = await _holder(system, org_id, provider, person)
        session = await _logged_in(request, attempt, provider, person)
    except ProviderFailed as error:
        await note_refused(request, org_id, None, error.reason)
        raise provider_problem(error) from None
    except ProofRefused as refused:
        await note_refused(request, org_id, None, refused.reason)
        detail = "Your identity provider did not confirm who you are. Log in again."
        raise Problem(403, "sso_refused", detail, details={"reason": refused.reason}) from None
    except DomainError as refused:
        await note_refused(request, org_id, user_id, refused.code)
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
) -> VouchedPerson:
    """Return the person whom the provider vouches for in exchange for the code."""
    system = request.api.system
    providers, now = sso_of(request.api).providers, system.clock()
    client = await client_of(system, org_id, provider)
    async with in_time():
        await providers.refuse_mixed_up(provider.issuer, returned.issuer, now)
        if returned.code is None:
            reported = returned.error if returned.error in _REPORTED else "provider_error"
            raise ProofRefused(str(reported))
        asked = asked_of(sso_key(system), attempt.state)
        needed = claims_needed(provider)
        claims = await providers.claims(client, asked, returned.code, needed, now)
    return person_in(claims, provider, attempt, now)


async def _logged_in(
    request: ApiRequest, attempt: SsoAttempt, provider: Provider, person: VouchedPerson
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
    await request.note_use(command.session_id, command.user_id)
    return cast(Session, receipt.states[command.session_id].state)


async def _command(
    system: System, attempt: SsoAttempt, provider: Provider, person: VouchedPerson
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
    system: System, org_id: OrgId, provider: Provider, person: VouchedPerson
) -> UserId | None:
    """Return whose account it is that the provider vouches for, if there is one."""
    fingerprint = system.log.keys.fingerprint
    subject = subject_claim(fingerprint, org_id, provider.issuer, person.subject)
    email = email_claim(fingerprint, person.email)
    held = await system.log.holders([subject, email])
    holder = held.get(subject) or held.get(email)
    return None if holder is None else UserId(holder)
