"""The guard in front of every route: authentication, rate limits, parameters and permissions."""

from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from litestar.connection import Request
from litestar.enums import ParamType
from litestar.handlers.base import BaseRouteHandler
from litestar.params import ParameterKwarg

from api.http.policy import NO_DRY_RUN, POLICY, RATE, Open
from api.http.problem import FieldError, invalid, malformed, unauthorized
from api.http.request import READS, ApiRequest
from commands.base import NoOrganization, NotPermitted
from domain.permission import Permission, is_allowed
from security.addresses import canonical, network_of
from security.tokens import AccessClaims, InvalidToken, TokenExpired


async def guard(connection: Request[Any, Any, Any]) -> None:
    """Accept or refuse a request before its body is read.

    Litestar's own guards copy the route for every request, which takes longer than all of this. The
    application refuses to start if a route lacks this guard.

    :raises Problem: 401, 403, 422 or 429.
    """
    assert isinstance(connection, ApiRequest)  # noqa: S101 - the application's request class
    method = connection.scope["method"]
    if method == "OPTIONS":
        return
    handler = connection.route_handler
    policy = handler.opt[POLICY]
    api = connection.api
    if policy is Open.PUBLIC:
        if handler.opt[RATE]:
            api.limit(handler.opt[RATE], _customer(connection.client_info.ip))
        _check_query(connection, handler)
        return
    connection.claims = _claims(connection)
    caller = await connection.identify(fresh=method in READS)
    api.limit("api", caller.user_id)
    _check_query(connection, handler)
    if method in READS and isinstance(policy, Permission):
        if caller.role is None:
            raise NoOrganization
        if not is_allowed(caller.role, policy):
            raise NotPermitted(needs=policy)


def _claims(connection: ApiRequest) -> AccessClaims:
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


@lru_cache(256)
def _parameters_of(handler: BaseRouteHandler) -> frozenset[str]:
    """Return the names of the query parameters that a route accepts."""
    names: set[str] = set()
    if not READS & handler_methods(handler) and not handler.opt.get(NO_DRY_RUN):
        names.add("dry_run")
    for name, field in handler.parsed_fn_signature.parameters.items():
        definition = field.kwarg_definition
        if isinstance(definition, ParameterKwarg) and definition.param_type is not ParamType.PATH:
            names.add(definition.name or name)
    return frozenset(names)


def handler_methods(handler: BaseRouteHandler) -> set[str]:
    """Return the HTTP methods of a route."""
    return {str(method) for method in getattr(handler, "http_methods", ())}


def _customer(ip: str | None) -> str:
    address = canonical(ip or "")
    return ip or "" if address is None else str(network_of(address))


def _check_query(connection: ApiRequest, handler: BaseRouteHandler) -> None:
    """Refuse query parameters that are repeated, unknown or malformed.

    Ignoring a misspelt filter would silently return everything.
    """
    query: bytes = connection.scope["query_string"]
    if not query:
        return
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, max_num_fields=50, errors="strict"
        )
    except (UnicodeDecodeError, ValueError):
        raise malformed("The query string is malformed.") from None
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise invalid(FieldError(twice, "The parameter is repeated"))
    unknown = set(names) - _parameters_of(handler)
    if unknown:
        raise invalid(*(FieldError(name, "Unknown parameter") for name in sorted(unknown)))
    if any("\0" in value for _, value in pairs):
        raise invalid(FieldError("query", "Text must not contain NUL characters"))
