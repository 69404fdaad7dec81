"""The guard in front of every route: authentication, rate limits, parameters and permissions."""

from typing import Any

from litestar.connection import Request

from api.http.policy import POLICY, RATE, Open
from api.http.problem import unauthorized
from api.http.query import refuse_malformed_query
from api.http.rates import Asked
from api.http.request import READS, ApiRequest
from api.http.run_command import note_denied
from commands.base import NoOrganization, NotPermitted
from domain.permission import Permission, is_allowed
from security.tokens import AccessClaims, InvalidToken, TokenExpired


async def guard(connection: Request[Any, Any, Any]) -> None:
    """Accept or refuse a request before its body is read.

    Litestar's own guards copy the route for every request, which takes longer than all of this. The
    application refuses to start if a route lacks this guard.

    :raises Problem: 400, 401, 403, 422 or 429.
    """
    assert isinstance(connection, ApiRequest)  # noqa: S101 - the application's request class
    method = connection.scope["method"]
    handler = connection.route_handler
    policy = handler.opt[POLICY]
    if policy is Open.PUBLIC:
        if handler.opt[RATE]:
            await connection.limit(*connection.network_limits(handler.opt[RATE]))
        refuse_malformed_query(connection.scope["query_string"], handler, reads=method in READS)
        return
    connection.claims = presented_claims(connection)
    caller = await connection.identify(fresh=method in READS)
    await connection.api.token_use.note(caller.session_id, connection.claims.gen)
    await connection.note_use(caller.session_id, caller.user_id)
    limits = [Asked("api", caller.user_id)]
    if caller.org_id is not None:
        limits.append(Asked("organization", caller.org_id))
    await connection.limit(*limits)
    refuse_malformed_query(connection.scope["query_string"], handler, reads=method in READS)
    if method not in READS:
        return
    connection.min_position()  # refused here also where nothing waits for it
    if isinstance(policy, Permission):
        if caller.role is None:
            raise NoOrganization
        if not is_allowed(caller.role, policy):
            await note_denied(connection, policy.value)
            raise NotPermitted(needs=policy)


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
