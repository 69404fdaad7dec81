"""Credentials: check e-mail address and password, start a session, issue its tokens."""

import secrets
from typing import NamedTuple, cast
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from api.http.problem import FieldError, Problem
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from api.login.attempts import LoginAttempt, admit, context_as, failed, succeeded
from api.login.cookie import SecretCookie, refresh_cookie
from api.login.known_networks import seen_network
from api.login.profile import ProfileView
from commands.identity.session import LogIn
from commands.identity.user import PASSWORD
from commands.reservations import email_claim
from domain.base import PLATFORM, DomainError, OrgId, SessionId, UserId
from domain.identity.organization.sign_on import accepts
from domain.identity.organization.state import Organization
from domain.identity.session.state import Session
from domain.identity.user.state import User
from domain.identity.user.totp import SecondProof, WrongCode
from eventstore.append import Secret
from eventstore.identifiers import new_id
from runtime.system import System
from security import refresh
from security.mail_address import canonical_address
from security.password_rules import weaknesses

PRODUCT = "trackrecord"
_NONCE_BYTES = 16
_NOBODY = UUID(int=0)
"""Has no password; it is looked up all the same."""


class Tokens(Struct, frozen=True, rename="camel"):
    """The tokens a client needs; the refresh token is only in the cookie."""

    access_token: str
    token_type: str
    expires_in: int  # seconds


class LoginView(Tokens, frozen=True, rename="camel"):
    """The tokens of a new session and the user's account."""

    user: ProfileView


class Verified(NamedTuple):
    """An account whose password was right, and the attempt that proved it."""

    user_id: UserId
    user: User
    attempt: LoginAttempt


def refuse_weak(system: System, password: str, path: str, *known: str) -> None:
    """Refuse a password that others would guess, given what is *known* about the user.

    :raises Problem: 422 with every weakness.
    """
    found = weaknesses(
        password,
        context=[PRODUCT, *(word for word in known if word)],
        length_min=system.settings.password_min_length,
    )
    if found:
        raise Problem(
            422,
            "weak_password",
            "This password is too easy to guess. See `weaknesses`.",
            errors=[FieldError(path, weakness) for weakness in found],
            details={"weaknesses": found},
        )


async def verified(request: ApiRequest, email: str, password: str) -> Verified:
    """Return the account with this e-mail address and password.

    Unknown, wrong and deactivated take the same time and get the same response.

    :raises Problem: 401, or 429 after too many failures from the caller's network or device.
    :raises LogClosed: the log is read-only or was moved, so that no login can be recorded.
    """
    system = request.api.system
    attempt = await admit(request, email)
    await system.log.refuse_if_still()  # before anything could tell whether the account exists
    claim = email_claim(system.log.keys.fingerprint, canonical_address(email))
    holder = await system.log.holder(claim)
    stored = await system.log.secret(holder or _NOBODY, PLATFORM, PASSWORD)
    verdict = await system.passwords.verify(
        None if stored is None else stored.decode(),
        password,
        whose=attempt.device or attempt.network,
        known=attempt.device is not None,
    )
    # The account is read only now: reading one would tell that there is one.
    user = await system.commands.states.fresh(User, holder) if holder and verdict.accepted else None
    if holder is None or user is None or not user.active:
        await failed(request, attempt, email)
        raise _wrong()
    user_id = UserId(holder)
    await succeeded(request, user_id, user, attempt)
    if verdict.needs_rehash:
        again = (await system.passwords.hash(password)).encode()
        await system.log.put_secret(Secret(user_id, PASSWORD, again), PLATFORM)
    return Verified(user_id, user, attempt)


async def begin_session(
    request: ApiRequest,
    user_id: UserId,
    user: User,
    second: SecondProof | None = None,
    *,
    proved: bool = False,
) -> ApiResponse:
    """Start a session for a verified user and return the response with its tokens.

    An account with a second factor needs it, unless another session has *proved* it already.

    :raises WrongCode: the code was used by somebody faster.
    :raises Problem: 401 if the account changed since it was verified.
    """
    system = request.api.system
    command = await _login(request, user_id, user)
    command = replace(command, second=second, proved=proved)
    session_id = command.session_id
    try:
        context = context_as(request, user_id, user.home_organization_id)
        receipt = await system.commands.handle(command, context)
    except WrongCode:
        raise
    except DomainError:
        raise _wrong() from None
    await request.note_use(session_id, user_id)
    session = cast(Session, receipt.states[session_id].state)
    tokens, cookie = tokens_of(system, session_id, session)
    profile = await _profile(system, user_id, user, session)
    view = LoginView(**msgspec.structs.asdict(tokens), user=profile)
    return json_response(view).with_header(*cookie)


async def _login(request: ApiRequest, user_id: UserId, user: User) -> LogIn:
    seen = await seen_network(request, user_id)
    return LogIn(
        session_id=SessionId(new_id()),
        user_id=user_id,
        nonce=secrets.token_hex(_NONCE_BYTES),
        credentials=user.credentials,
        new_network=seen.news,
        known_networks=seen.kept,
        idle=request.api.system.settings.jwt_refresh_expiry,
    )


async def _profile(system: System, user_id: UserId, user: User, session: Session) -> ProfileView:
    org_id, role = session.organization_id, None
    if org_id is not None:
        organization = await system.commands.states.fresh(Organization, org_id, org_id)
        role = organization.role_of(user_id)
        no_totp = organization.settings.require_totp and user.totp is None
        if no_totp or not accepts(organization, user_id, session.origin):
            role = None
    return ProfileView(
        id=user_id,
        email=user.email,
        email_confirmed=user.email_confirmed,
        name=user.name,
        role=role,
        organization_id=None if role is None else org_id,
        totp=user.totp is not None,
    )


def tokens_of(
    system: System, session_id: SessionId, session: Session
) -> tuple[Tokens, tuple[bytes, bytes]]:
    """Return the current tokens of a session: one for the body, one for the cookie."""
    assert session.user_id is not None  # noqa: S101 - it was started
    ttl = system.settings.jwt_access_expiry
    access = system.keys.tokens.issue(
        session.user_id,
        session_id,
        session.organization_id,
        system.clock(),
        ttl,
        session.generation,
    )
    token = refresh.mint(
        system.keys.refresh, session_id, session.generation, session.nonce.encode()
    )
    tokens = Tokens(access, "Bearer", int(ttl.total_seconds()))
    return tokens, cookie_of(system).set(token)


def access_tokens(request: ApiRequest, org_id: OrgId | None) -> Tokens:
    """Return another access token of the caller's session, which works in *org_id*."""
    system, caller = request.api.system, request.caller
    ttl = system.settings.jwt_access_expiry
    token = system.keys.tokens.issue(
        caller.user_id, caller.session_id, org_id, system.clock(), ttl, request.claims.gen
    )
    return Tokens(token, "Bearer", int(ttl.total_seconds()))


def cookie_of(system: System) -> SecretCookie:
    """Return the refresh cookie as configured for this deployment."""
    return refresh_cookie(
        secure=system.settings.cookie_secure, lifetime=system.settings.jwt_refresh_expiry
    )


def _wrong() -> Problem:
    return Problem(
        401,
        "invalid_credentials",
        "Wrong e-mail address or password.",
        headers={"www-authenticate": "Bearer"},
    )
