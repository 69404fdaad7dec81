"""The guard in front of every route: authentication, rate limits, parameters and permissions."""

from typing import Any

from litestar.connection import Request
from litestar.handlers.base import BaseRouteHandler
from msgspec.structs import replace

from api.http.caller import Caller
from api.http.policy import CONFINED, POLICY, RATE, Open, scope_of
from api.http.problem import malformed, unauthorized
from api.http.query import refuse_malformed_query
from api.http.rates import Asked
from api.http.request import READS, ApiRequest
from api.http.run_command import note_denied
from commands.base import NotForApiKeys
from domain.base import DomainError, Refusal
from domain.identity.plan import request_share
from domain.identity.session.errors import SessionConfined
from domain.permission import Permission
from security.api_keys import PresentedKey
from security.tokens import AccessClaims, InvalidToken, TokenExpired

_KEY_START = b"tr_"
"""No access token begins like this."""


async def guard(connection: Request[Any, Any, Any]) -> None:
    """Accept or refuse a request before its body is read.

    Litestar's own guards copy the route for every request, which takes longer than all of this. The
    application refuses to start if a route lacks this guard.

    :raises Problem: 400, 401, 403, 422 or 429.
    """
    assert isinstance(connection, ApiRequest)  # noqa: S101 - the application's request class
    connection.api_key = None
    handler, query = connection.route_handler, connection.scope["query_string"]
    policy, reads = handler.opt[POLICY], connection.scope["method"] in READS
    if policy is Open.PUBLIC:
        if handler.opt[RATE]:
            await connection.limit(*connection.network_limits(handler.opt[RATE]))
        refuse_malformed_query(query, handler, reads=reads)
        return
    if _is_recalled(connection, fresh=reads):
        caller = connection.admitted()
    else:
        caller = await _identified(connection, fresh=reads)
    _refuse_if_confined(caller, handler)
    if (session_id := caller.session) is not None:
        await connection.api.token_use.note(session_id, connection.claims.gen)
        await connection.note_use(session_id, caller.user_id)
    await connection.limit(*_limits_of(caller))
    if caller.key is not None:
        connection.api.key_uses.note(caller.key.api_key_id, connection.api.system.clock())
    refuse_malformed_query(query, handler, reads=reads)
    needed = policy if isinstance(policy, Permission) else None
    if caller.key is not None:
        needed = scope_of(handler)
        if needed is None:
            await _refuse_key(connection)
    if not reads:
        return
    connection.min_position()  # refused here also where nothing waits for it
    if needed is not None:
        await _refuse_unless_may(connection, caller, needed)


def _is_recalled(connection: ApiRequest, *, fresh: bool) -> bool:
    """Return whether somebody who was identified before is found to be the caller again.

    They are if their session, account and organization are as they were then: in the log if
    *fresh*, otherwise in memory.
    """
    headers = connection.client_info.headers
    sent = headers.get(b"authorization")
    if sent is None or b"x-api-key" in headers:
        return False
    known = connection.api.access.recall(sent, connection.api.system.clock(), fresh=fresh)
    if known is None:
        return False
    connection.claims, caller = known.claims, known.caller
    connection.known_caller = caller if caller.fresh is fresh else replace(caller, fresh=fresh)
    connection.heads = {**known.heads} if fresh else {}
    return True


async def _identified(connection: ApiRequest, *, fresh: bool) -> Caller:
    """Return who presents a token or an API key.

    :raises Problem: 401, or 400 for both.
    """
    if (given := sent_key(connection)) is None:
        connection.claims = presented_claims(connection)
    else:
        connection.api_key = await _presented_key(connection, given)
    return await connection.identify(fresh=fresh)


def _refuse_if_confined(caller: Caller, handler: BaseRouteHandler) -> None:
    """Refuse a session that works in one organization only on a route about the account.

    :raises SessionConfined: it is one.
    """
    opt = handler.opt
    if caller.confined and opt[POLICY] is Open.ACCOUNT and not opt.get(CONFINED):
        raise SessionConfined


async def _refuse_key(connection: ApiRequest) -> None:
    """Refuse an API key on a route that no key may use.

    :raises NotForApiKeys: always, or another error if the key is no longer good.
    """
    if not connection.caller.fresh:
        await connection.identify(fresh=True)  # a key that was revoked gets to know that
    raise NotForApiKeys


async def _refuse_unless_may(connection: ApiRequest, caller: Caller, needed: Permission) -> None:
    """Refuse what the role or the API key does not grant, and record it.

    :raises DomainError: it does not.
    """
    try:
        caller.refuse_unless_may(needed)
    except DomainError as refused:
        if refused.refusal is Refusal.FORBIDDEN:
            await note_denied(connection, str(refused.details.get("needs", refused.code)))
        raise


def _limits_of(caller: Caller) -> list[Asked]:
    """Return the limits that a request counts against: the caller's and their organization's."""
    if caller.key is None:
        limits = [Asked("api", caller.user_id)]
    else:
        limits = [Asked("key", caller.key.api_key_id, request_share(caller.key.plan))]
    if caller.org_id is not None:
        limits.append(Asked("organization", caller.org_id))
    return limits


def sent_key(connection: ApiRequest) -> bytes | None:
    """Return what a request sends as an API key, None if it sends none.

    :raises Problem: 400 for a request with two credentials.
    """
    headers = connection.client_info.headers
    given = headers.get(b"x-api-key")
    if given is not None:
        if b"authorization" in headers:
            raise malformed("Send either Authorization or X-Api-Key.")
        return given
    authorization = headers.get(b"authorization", b"")
    if not authorization.startswith(_KEY_START, len(b"Bearer ")):
        return None  # without a copy of the token
    scheme, _, token = authorization.partition(b" ")
    return token if scheme.lower() == b"bearer" and token.startswith(_KEY_START) else None


async def _presented_key(connection: ApiRequest, given: bytes) -> PresentedKey:
    """Return the API key that a request sends as *given*.

    :raises Problem: 401 for a malformed key, 429 for a network that presents too many keys that
        are new to this process.
    """
    presented = connection.api.system.keys.api_keys.read(given.decode("latin-1"))
    if presented is None:
        raise unauthorized()
    if not connection.api.access.keys.is_known(presented):
        await connection.limit(*connection.network_limits("guess"))
        connection.client_info.rate_limit = ()
    return presented


def presented_claims(connection: ApiRequest) -> AccessClaims:
    """Return what the access token of a request says.

    :raises Problem: 401.
    """
    authorization = connection.client_info.headers.get(b"authorization", b"")
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer" or not token:
        raise unauthorized()
    system = connection.api.system
    try:
        return system.keys.tokens.verify(token.decode("latin-1"), system.clock())
    except TokenExpired:
        raise unauthorized("token_expired") from None
    except InvalidToken:
        raise unauthorized() from None
