"""HTTP routes for registration, login and logout."""

from typing import Annotated, cast

from litestar import Controller, get, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.http.parameters import nothing, shows
from api.http.policy import account, confined, public
from api.http.problem import unauthorized
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from api.http.run_command import Reply, run_command, run_without_reply
from api.identity.organization import NewOrganization
from api.login.attempts import context_as, remembered
from api.login.cookie import refuse_foreign_origin
from api.login.credentials import (
    LoginView,
    Tokens,
    access_tokens,
    begin_session,
    cookie_of,
    refuse_weak,
    tokens_of,
    verified,
)
from api.login.profile import ProfileView, profile_of, render_profile
from api.login.proof import prove_password
from api.login.registration import register_user
from api.login.second_factor import Code, GivenCode, challenged, verified_code
from commands.identity.session import LogOut, Reauthenticate, RotateRefreshToken
from commands.identity.user import ChangePassword, Email
from domain.base import NotFound, SessionId
from domain.claim import EmailTaken, SubdomainTaken
from domain.identity.organization.state import Organization
from domain.identity.session.errors import SessionExpired, SessionIsOver
from domain.identity.session.state import Session
from domain.identity.subdomain import SubdomainNotAllowed
from domain.identity.user.state import User
from domain.identity.user.totp import TotpNotEnabled, WrongCode
from domain.name import Name
from eventstore.mode import LogClosed, LogMode
from security import refresh

Password = Annotated[str, Meta(min_length=1, max_length=1024)]


class Registration(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a registration; the new user becomes the ADMIN of the organization, if any."""

    email: Email
    password: Password
    name: Name
    organization: NewOrganization | None = None


class Login(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a login."""

    email: Annotated[str, Meta(max_length=254)]
    password: Annotated[str, Meta(max_length=1024)]


class PasswordChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a password change."""

    current_password: Annotated[str, Meta(max_length=1024)]
    new_password: Password


class Proof(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body with what proves that it is still the caller: the password, or a code."""

    password: Annotated[str, Meta(max_length=1024)] | None = None
    code: Code | None = None


class AuthController(Controller):
    """Accounts and sessions; responses with tokens are never cached."""

    path = "/api/auth"
    tags = ("Authentication",)

    @post(
        "/register",
        status_code=201,
        opt=public(
            "register",
            fails=(
                EmailTaken,
                SubdomainNotAllowed,
                SubdomainTaken,
                (422, "weak_password"),
            ),
        ),
        responses=shows(ProfileView, 201),
    )
    async def register(self, request: ApiRequest, data: JSONBody[Registration]) -> ApiResponse:
        """Create an account and, if requested, an organization."""
        return await register_user(request, data)

    @post(
        "/login",
        status_code=200,
        opt=public(
            dry_run=False,
            fails=((401, "invalid_credentials"), (401, "totp_required"), (429, "rate_limited")),
            sends=("Set-Cookie",),
        ),
        responses=shows(LoginView),
    )
    async def login(self, request: ApiRequest, data: JSONBody[Login]) -> ApiResponse:
        """Log in with e-mail address and password to get an access token and a refresh cookie.

        Every login is recorded, so while the log is read-only nobody can log in.
        """
        found = await verified(request, data.email, data.password)
        if found.user.totp is not None:
            raise challenged(request, found.user_id, found.user)
        answer = await begin_session(request, found.user_id, found.user)
        return answer.with_header(*remembered(request.api.system, found.attempt))

    @post(
        "/refresh-token",
        status_code=200,
        opt=public(
            "refresh",
            dry_run=False,
            fails=((401, "unauthorized"), (403, "origin_not_allowed")),
            sends=("Set-Cookie",),
        ),
        responses=shows(Tokens),
    )
    async def refresh_token(self, request: ApiRequest) -> ApiResponse:
        """Exchange the refresh cookie for a new one and a new access token.

        While the log is read-only, the cookie stays the same, so that whoever is logged in can go
        on reading.
        """
        refuse_foreign_origin(request)
        system = request.api.system
        presented = refresh.parse(cookie_of(system).read(request) or "")
        if presented is None:
            raise unauthorized()
        session_id = SessionId(presented.family)
        try:
            session = await system.commands.states.fresh(Session, session_id)
        except NotFound:
            raise unauthorized() from None
        nonce = session.nonce.encode()
        if session.user_id is None or not refresh.authentic(system.keys.refresh, presented, nonce):
            raise unauthorized()
        await _refuse_beyond_limits(request, session)
        command = RotateRefreshToken(
            session_id=session_id,
            presented=presented.generation,
            used=await request.api.token_use.newest(session_id) >= session.generation,
            idle=system.settings.jwt_refresh_expiry,
        )
        rotated = await _rotated(request, session, command)
        tokens, cookie = tokens_of(system, session_id, rotated)
        return json_response(tokens).with_header(*cookie)

    @post(
        "/logout",
        status_code=200,
        opt=confined(account(sends=("Set-Cookie",))),
        responses=nothing(),
    )
    async def logout(self, request: ApiRequest) -> ApiResponse:
        """End this session. Its access and refresh tokens stop working at once."""
        session_id = request.caller.session_id
        answer = await run_command(request, LogOut(session_id=session_id), Reply(stream=session_id))
        if answer.status_code == 204:  # not after a dry run
            answer.with_header(*cookie_of(request.api.system).clear())
        return answer

    @post(
        "/change-password",
        status_code=200,
        opt=account(
            dry_run=False,
            fails=((401, "wrong_password"), (422, "weak_password")),
            sends=("Set-Cookie",),
        ),
        responses=shows(LoginView),
    )
    async def change_password(
        self, request: ApiRequest, data: JSONBody[PasswordChange]
    ) -> ApiResponse:
        """Change your password. All your sessions end, and the response starts a new one."""
        system, caller = request.api.system, request.caller
        await prove_password(request, data.current_password)
        user = caller.user
        refuse_weak(system, data.new_password, "$.newPassword", user.email, user.name)
        hashed = (await system.passwords.hash(data.new_password)).encode()
        command = ChangePassword(user_id=caller.user_id, password_hash=hashed)
        # Without a reply: the response has tokens, and a retry has to prove the password again.
        receipt = await run_without_reply(request, command, key=True)
        changed = cast(User, receipt.states[caller.user_id].state)
        return await begin_session(request, caller.user_id, changed, proved=True)

    @post(
        "/reauthenticate",
        status_code=200,
        opt=account(
            dry_run=False,
            key=False,
            fails=((401, "wrong_password"), SessionIsOver, TotpNotEnabled, WrongCode),
        ),
        responses=shows(Tokens),
    )
    async def reauthenticate(self, request: ApiRequest, data: JSONBody[Proof]) -> ApiResponse:
        """Prove again that it is you. Sensitive requests are then accepted for ten minutes."""
        caller, second = request.caller, None
        if data.password is None:
            given = GivenCode(data.code, None)
            second = await verified_code(request, caller.user_id, caller.user, given)
        else:
            await prove_password(request, data.password)
        command = Reauthenticate(
            session_id=caller.session_id,
            second=second,
            credentials=caller.user.credentials,
        )
        await run_without_reply(request, command)
        return json_response(access_tokens(request, request.caller.org_id))

    @get("/profile", opt=confined(account()), responses=shows(ProfileView))
    async def get_profile(self, request: ApiRequest) -> ApiResponse:
        """Return your account."""
        return ApiResponse(render_profile(profile_of(request.caller)))


async def _refuse_beyond_limits(request: ApiRequest, session: Session) -> None:
    """Refuse a session that its organization no longer takes.

    :raises Problem: 401.
    """
    org_id, system = session.organization_id, request.api.system
    if org_id is None or session.user_id is None:
        return
    organization = await system.commands.states.fresh(Organization, org_id, org_id)
    limits = organization.settings.session_limits
    if organization.role_of(session.user_id) and not session.is_within(limits, system.clock()):
        raise unauthorized()


async def _rotated(request: ApiRequest, session: Session, command: RotateRefreshToken) -> Session:
    """Return the session with its next token, or as it is while the log is read-only.

    :raises Problem: 401 if it is over, or the token was replaced.
    """
    assert session.user_id is not None  # noqa: S101  its token was authentic
    context = context_as(request, session.user_id)
    try:
        receipt = await request.api.system.commands.handle(command, context)
        rotated = cast(Session, receipt.states[command.session_id].state)
    except (SessionIsOver, SessionExpired):
        raise unauthorized() from None
    except LogClosed as closed:
        if closed.mode is not LogMode.READ_ONLY:
            raise
        if not command.is_accepted(session, context.now):
            raise unauthorized() from None
        rotated = session
    if rotated.ended:
        raise unauthorized()
    return rotated
