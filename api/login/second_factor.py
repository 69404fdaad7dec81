"""The second step of a login, and codes that callers with a session show again."""

from typing import Annotated, NamedTuple

from api.http.problem import FieldError, Problem, invalid, unauthorized
from api.http.rates import Asked
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.login.attempts import attempt_of, failed, remembered
from api.login.credentials import begin_session
from commands.identity.personal_secrets import PersonalSecrets
from commands.identity.totp import TOTP_SECRET
from domain.base import NotFound, UserId
from domain.identity.user.state import User
from domain.identity.user.totp import SecondProof, TotpNotEnabled, WrongCode
from domain.patterned import patterned
from security.challenge import CHALLENGE_LIFETIME, Challenge, mint_challenge, read_challenge
from security.totp import recovery_hash, step_of

Code = Annotated[str, patterned(r"^\d{6}$", "six digits")]
"""What an authenticator shows."""


class GivenCode(NamedTuple):
    """A code of an authenticator, or a recovery code instead."""

    code: str | None
    recovery_code: str | None


def challenged(request: ApiRequest, user_id: UserId, user: User) -> Problem:
    """Return the response to a right password of an account with a second factor."""
    system = request.api.system
    challenge = Challenge(user_id, user.credentials)
    return Problem(
        401,
        "totp_required",
        "Send the code of your authenticator with this challenge to /api/auth/login/totp.",
        details={
            "challenge": mint_challenge(system.keys.challenges, challenge, system.clock()),
            "expiresIn": int(CHALLENGE_LIFETIME.total_seconds()),
        },
        headers={"www-authenticate": "Bearer"},
    )


async def second_step(request: ApiRequest, challenge: str, given: GivenCode) -> ApiResponse:
    """Start a session for whoever answers their *challenge* with a right code.

    :raises Problem: 401 if the challenge is over or the code wrong, 429 after too many wrong ones.
    """
    system = request.api.system
    found = read_challenge(system.keys.challenges, challenge, system.clock())
    if found is None:
        raise unauthorized()
    user_id = UserId(found.user_id)
    try:
        user = await system.commands.states.fresh(User, user_id)
    except NotFound:
        raise unauthorized() from None
    if not user.active or user.credentials != found.credentials or user.totp is None:
        raise unauthorized()
    try:
        proof = await verified_code(request, user_id, user, given)
    except WrongCode:
        await failed(request, attempt_of(request, user.email), user.email)
        raise
    answer = await begin_session(request, user_id, user, second=proof)
    return answer.with_header(*remembered(system, attempt_of(request, user.email)))


async def verified_code(
    request: ApiRequest, user_id: UserId, user: User, given: GivenCode
) -> SecondProof:
    """Return the proof that *given* is, which the command then uses up.

    :raises TotpNotEnabled: the account has no second factor.
    :raises WrongCode: the code is wrong, or was used.
    :raises Problem: 422 without a code, 429 after too many wrong ones.
    """
    if user.totp is None:
        raise TotpNotEnabled
    if (given.code is None) == (given.recovery_code is None):
        raise invalid(FieldError("$.code", "Expected code or recoveryCode"))
    attempts = [Asked("account", ("totp", user_id)), Asked("failures", ("totp", user_id))]
    await request.limit(*attempts)
    system = request.api.system
    if given.recovery_code is not None:
        hashed = recovery_hash(system.keys.recovery, user_id, given.recovery_code)
        if hashed not in user.totp.recovery:
            raise WrongCode
        proof = SecondProof(recovery=hashed)
    else:
        secret = await PersonalSecrets(system.log).opened(user_id, user_id, TOTP_SECRET)
        code = given.code or ""
        step = None if secret is None else step_of(secret.decode(), code, system.clock())
        if step is None or step <= user.totp.step:
            raise WrongCode
        proof = SecondProof(step=step)
    for attempt in attempts:
        await request.api.rates.forget(attempt.name, attempt.key)
    return proof
