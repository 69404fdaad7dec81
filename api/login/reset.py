"""Password resets: a token by mail, and a new password by it."""

from api.http.request import ApiRequest
from api.login.attempts import context_as, unlock
from api.login.credentials import refuse_weak
from api.login.errand import send_on_errand
from commands.identity.errand import ErrandKind
from commands.identity.user import ResetPassword
from domain.base import NotFound, UserId
from domain.identity.user.errors import ResetIsOver
from domain.identity.user.state import User
from security.mail_address import canonical_address
from security.mail_tokens import read_mail_token


async def request_reset(request: ApiRequest, email: str) -> None:
    """Have a token mailed to the account with this address, if there is one.

    A worker looks for it, so that nothing here takes longer for an address that has one.

    :raises OperationsUnavailable: the request cannot be kept.
    """
    await send_on_errand(request, ErrandKind.RESET_PASSWORD, canonical_address(email))


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
