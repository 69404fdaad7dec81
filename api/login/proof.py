"""Proofs: callers with a session show again that they know the password of their account."""

from api.http.problem import Problem
from api.http.rates import Asked
from api.http.request import ApiRequest
from commands.identity.user import PASSWORD
from domain.base import PLATFORM


async def prove_password(request: ApiRequest, password: str) -> None:
    """Refuse unless *password* is that of the caller's account.

    Wrong ones are limited like failed logins, but apart from them: whoever stole a token can
    neither guess the password nor keep its owner from logging in.

    :raises Problem: 401 if it is wrong, 429 after too many wrong ones.
    """
    system, user_id = request.api.system, request.caller.user_id
    attempts = [Asked("account", ("proof", user_id)), Asked("failures", ("proof", user_id))]
    await request.limit(*attempts)
    stored = await system.log.secret(user_id, PLATFORM, PASSWORD)
    known = None if stored is None else stored.decode()
    if not (await system.passwords.verify(known, password)).accepted:
        raise Problem(401, "wrong_password", "Your current password is wrong.")
    for attempt in attempts:
        await request.api.rates.forget(attempt.name, attempt.key)
