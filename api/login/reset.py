"""Password resets: a token by mail, and a new password by it."""

from datetime import timedelta

from msgspec.structs import replace

from api.http.request import ApiRequest
from api.login.afterwards import afterwards
from api.login.attempts import context_as, unlock
from api.login.credentials import refuse_weak
from commands.base import Context
from commands.identity.user import RequestPasswordReset, ResetPassword
from commands.reservations import email_claim
from domain.base import NotFound, UserId
from domain.identity.user.errors import ResetIsOver
from domain.identity.user.state import User
from eventstore.identifiers import new_id
from eventstore.recorded import Actor, ActorKind
from runtime.system import System
from security.mail_address import canonical_address
from security.mail_tokens import MailPurpose, hash_of, read_mail_token

RESET_LIFETIME = timedelta(minutes=30)
"""How long a token resets a password."""


def request_reset(request: ApiRequest, email: str) -> None:
    """Have a token mailed to the account with this address, if there is one.

    The account is looked for after the answer, which therefore tells nothing by its time either.
    """
    address = canonical_address(email)
    context = context_as(request, UserId(new_id()))
    afterwards(
        _request(request.api.system, address, context), failing="a password reset was not recorded"
    )


async def _request(system: System, address: str, context: Context) -> None:
    holder = await system.log.holder(email_claim(system.log.keys.fingerprint, address))
    if holder is None:
        return
    user_id, reset_id = UserId(holder), new_id()
    expires_at = context.now + RESET_LIFETIME
    token = system.keys.mail_tokens.mint(MailPurpose.PASSWORD_RESET, user_id, reset_id, expires_at)
    command = RequestPasswordReset(
        user_id=user_id, reset_id=reset_id, token_hash=hash_of(token), expires_at=expires_at
    )
    await system.commands.handle(command, replace(context, actor=Actor(ActorKind.USER, user_id)))


async def reset_password(request: ApiRequest, token: str, password: str) -> None:
    """Change the password of the account that *token* was mailed to.

    This also lets its owner log in again after others have used up the failed logins of a day.

    :raises ResetIsOver: the token is none, was used, replaced or has expired.
    :raises Problem: 422 for a weak password.
    """
    system = request.api.system
    presented = read_mail_token(token)
    if presented is None:
        raise ResetIsOver
    user_id = UserId(presented.owner)
    try:
        user = await system.commands.states.fresh(User, user_id)
    except NotFound:
        raise ResetIsOver from None
    user.refuse_unless_resettable(presented.hash, system.clock())
    refuse_weak(system, password, "$.newPassword", user.email, user.name)
    hashed = (await system.passwords.hash(password)).encode()
    command = ResetPassword(user_id=user_id, token_hash=presented.hash, password_hash=hashed)
    await system.commands.handle(command, context_as(request, user_id))
    await unlock(request, user.email)
