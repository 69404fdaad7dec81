"""HTTP routes of the second factor: a code of an authenticator at every login."""

from typing import Annotated

from litestar import Controller, delete, post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.http.parameters import nothing, shows
from api.http.policy import account, public
from api.http.rates import Asked
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from api.http.run_command import run_without_reply
from api.login.credentials import LoginView
from api.login.proof import prove_password
from api.login.second_factor import Code, GivenCode, second_step, verified_code
from commands.identity.personal_secrets import PersonalSecrets
from commands.identity.totp import (
    TOTP_PROPOSED,
    TOTP_SECRET,
    DisableTotp,
    EnableTotp,
    RenewRecoveryCodes,
)
from domain.base import PLATFORM
from domain.identity.user.errors import AccountDeactivated
from domain.identity.user.totp import TotpAlreadyEnabled, TotpNotEnabled, WrongCode
from eventstore.append import Secret
from security.totp import new_recovery_codes, new_totp_secret, recovery_hash, step_of, totp_uri

RecoveryCode = Annotated[str, Meta(min_length=16, max_length=32)]
CurrentPassword = Annotated[str, Meta(max_length=1024)]


class SecondStep(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of the second step of a login: the challenge of the first, and a code."""

    challenge: Annotated[str, Meta(max_length=200)]
    code: Code | None = None
    recovery_code: RecoveryCode | None = None


class PasswordProof(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body with the current password."""

    current_password: CurrentPassword


class CodeProof(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body with a code of the authenticator."""

    code: Code


class FullProof(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body with the current password, and a code or a recovery code."""

    current_password: CurrentPassword
    code: Code | None = None
    recovery_code: RecoveryCode | None = None


class ProposedTotp(Struct, frozen=True, rename="camel"):
    """What an authenticator needs, shown only once; ``uri`` is what a QR code holds."""

    secret: str
    uri: str


class RecoveryCodes(Struct, frozen=True, rename="camel"):
    """Codes that replace the authenticator once each, shown only once."""

    recovery_codes: list[str]


class TotpController(Controller):
    """The second factor of the caller's own account."""

    path = "/api/auth"
    tags = ("Authentication",)

    @post(
        "/login/totp",
        status_code=200,
        opt=public(
            "login",
            dry_run=False,
            fails=((401, "unauthorized"), WrongCode),
            sends=("Set-Cookie",),
        ),
        responses=shows(LoginView),
    )
    async def second_step(self, request: ApiRequest, data: JSONBody[SecondStep]) -> ApiResponse:
        """Finish a login with a code of your authenticator or a recovery code."""
        return await second_step(request, data.challenge, GivenCode(data.code, data.recovery_code))

    @post(
        "/totp",
        status_code=200,
        opt=account(dry_run=False, key=False, fails=((401, "wrong_password"), TotpAlreadyEnabled)),
        responses=shows(ProposedTotp),
    )
    async def propose(self, request: ApiRequest, data: JSONBody[PasswordProof]) -> ApiResponse:
        """Get the secret for an authenticator. Nothing changes until you confirm it by a code."""
        system, caller = request.api.system, request.caller
        await prove_password(request, data.current_password)
        if caller.user.totp is not None:
            raise TotpAlreadyEnabled
        secret = new_totp_secret()
        sealed = await PersonalSecrets(system.log).sealed(
            caller.user_id, caller.user_id, TOTP_PROPOSED, secret.encode()
        )
        if sealed is None:
            raise AccountDeactivated
        await system.log.put_secret(Secret(caller.user_id, TOTP_PROPOSED, sealed), PLATFORM)
        return json_response(ProposedTotp(secret, totp_uri(secret, caller.user.email)))

    @post(
        "/totp/confirm",
        status_code=200,
        opt=account(dry_run=False, key=False, fails=(WrongCode, TotpAlreadyEnabled)),
        responses=shows(RecoveryCodes),
    )
    async def confirm(self, request: ApiRequest, data: JSONBody[CodeProof]) -> ApiResponse:
        """Turn two-factor login on. The recovery codes are shown only in this response."""
        caller = request.caller
        if caller.user.totp is not None:
            raise TotpAlreadyEnabled
        step, sealed = await _confirmed(request, data.code)
        codes = new_recovery_codes()
        command = EnableTotp(
            user_id=caller.user_id,
            step=step,
            recovery=_hashes(request, codes),
            sealed_secret=sealed,
        )
        await run_without_reply(request, command)
        return json_response(RecoveryCodes(codes))

    @post(
        "/totp/recovery-codes",
        status_code=200,
        opt=account(dry_run=False, key=False, fails=(WrongCode, TotpNotEnabled)),
        responses=shows(RecoveryCodes),
    )
    async def renew(self, request: ApiRequest, data: JSONBody[CodeProof]) -> ApiResponse:
        """Replace your recovery codes. The new ones are shown only in this response."""
        caller = request.caller
        proof = await verified_code(
            request, caller.user_id, caller.user, GivenCode(data.code, None)
        )
        codes = new_recovery_codes()
        command = RenewRecoveryCodes(
            user_id=caller.user_id, proof=proof, recovery=_hashes(request, codes)
        )
        await run_without_reply(request, command)
        return json_response(RecoveryCodes(codes))

    @delete(
        "/totp",
        status_code=200,
        opt=account(
            dry_run=False, key=False, fails=((401, "wrong_password"), WrongCode, TotpNotEnabled)
        ),
        responses=nothing(),
    )
    async def disable(self, request: ApiRequest, data: JSONBody[FullProof]) -> ApiResponse:
        """Turn two-factor login off, by your password and a code or a recovery code."""
        caller = request.caller
        await prove_password(request, data.current_password)
        proof = await verified_code(
            request, caller.user_id, caller.user, GivenCode(data.code, data.recovery_code)
        )
        command = DisableTotp(user_id=caller.user_id, proof=proof)
        await run_without_reply(request, command)
        return ApiResponse(b"", 204)


async def _confirmed(request: ApiRequest, code: str) -> tuple[int, bytes]:
    """Return the step of *code*, and the proposed secret sealed to be kept.

    :raises WrongCode: the code is wrong, or no secret was proposed.
    """
    system, user_id = request.api.system, request.caller.user_id
    attempt = Asked("account", ("totp", user_id))
    await request.limit(attempt)
    secrets = PersonalSecrets(system.log)
    secret = await secrets.opened(user_id, user_id, TOTP_PROPOSED)
    step = None if secret is None else step_of(secret.decode(), code, system.clock())
    if secret is None or step is None:
        raise WrongCode
    await request.api.rates.forget(attempt.name, attempt.key)
    sealed = await secrets.sealed(user_id, user_id, TOTP_SECRET, secret)
    if sealed is None:
        raise AccountDeactivated
    return step, sealed


def _hashes(request: ApiRequest, codes: list[str]) -> tuple[str, ...]:
    key, user_id = request.api.system.keys.recovery, request.caller.user_id
    return tuple(recovery_hash(key, user_id, code) for code in codes)
