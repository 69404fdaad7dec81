"""How each route can fail: the statuses and codes of its problems.

Failures that all routes, all commands or all lists share are here. Failures of a single route are
declared with the route, by ``fails`` in its policy.
"""

from collections.abc import Iterator

from litestar.handlers import HTTPRouteHandler

from api.description.headers import Json
from api.http.errors import STATUS
from api.http.policy import CONFINED, FAILS, POLICY, Failure, Open, scope_of
from api.http.problem import PROBLEM_JSON, phrase_of
from commands.base import (
    AlreadyRan,
    ChangedSince,
    KeyReused,
    NoOrganization,
    NotForApiKeys,
    NotPermitted,
    ScopeMissing,
)
from domain.base import NotFound
from domain.identity.api_key.errors import (
    KeyHasExpired,
    KeyWasRevoked,
    KeyWithoutOwner,
    KeyWithoutSecondFactor,
    NetworkNotAllowed,
)
from domain.identity.organization.sso import LoginWayNotAccepted
from domain.identity.session.errors import SessionConfined
from domain.identity.user.totp import TotpRequired

ANYWHERE: dict[int, tuple[str, ...]] = {
    400: ("malformed_request",),
    408: ("request_timeout",),
    414: ("url_too_long",),
    429: ("rate_limited", "too_many_connections", "too_many_pipelined"),
    431: ("headers_too_large", "too_many_headers"),
    500: ("internal_error",),
}
"""Failures in the connection and the edge, which every route can return."""

_STORES: tuple[Failure, ...] = (
    (503, "busy"),
    (503, "deadline_exceeded"),
    (503, "unavailable"),
)
_BODY: tuple[Failure, ...] = (
    (413, "body_too_large"),
    (415, "unsupported_encoding"),
    (415, "unsupported_media_type"),
)
_COMMAND: tuple[Failure, ...] = (
    AlreadyRan,
    ChangedSince,
    KeyReused,
    (409, "conflict"),
    (503, "read_only"),
    (503, "log_contradicted"),
)
_QUERY: tuple[Failure, ...] = ((503, "read_model_behind"), (503, "rebuilding"))
_CALLER: tuple[Failure, ...] = (
    (401, "unauthorized"),
    (401, "token_expired"),
    (403, "membership_suspended"),
    KeyHasExpired,
    KeyWasRevoked,
    KeyWithoutOwner,
    KeyWithoutSecondFactor,
    LoginWayNotAccepted,
    NetworkNotAllowed,
    TotpRequired,
)


def failures_of(method: str, handler: HTTPRouteHandler) -> dict[int, list[str]]:
    """Return the codes that a route can answer, by status."""
    found: dict[int, set[str]] = {status: set(codes) for status, codes in ANYWHERE.items()}
    for failure in _all(method, handler):
        status, code = _of(failure)
        found.setdefault(status, set()).add(code)
    return {status: sorted(codes) for status, codes in sorted(found.items())}


def _all(method: str, handler: HTTPRouteHandler) -> Iterator[Failure]:
    policy = handler.opt[POLICY]
    yield (422, "invalid_request")
    yield from _STORES
    yield from _BODY
    if policy is not Open.PUBLIC:
        yield from _CALLER
        yield from _QUERY if method == "GET" else _COMMAND
    elif method != "GET":
        yield from ((409, "conflict"), (503, "read_only"), (503, "log_contradicted"))
    if not isinstance(policy, Open):
        yield from (NoOrganization, NotPermitted)
    if policy is Open.ACCOUNT and not handler.opt.get(CONFINED):
        yield SessionConfined
    if policy is not Open.PUBLIC:
        yield NotForApiKeys if scope_of(handler) is None else ScopeMissing
    if "{" in next(iter(handler.paths)) or _path_parameters(handler):
        yield NotFound
    yield from handler.opt.get(FAILS, ())


def _path_parameters(handler: HTTPRouteHandler) -> bool:
    return any("{" in str(getattr(layer, "path", "")) for layer in handler.ownership_layers)


def code_of(failure: Failure) -> str:
    """Return the code of a failure as routes declare it."""
    return _of(failure)[1]


def _of(failure: Failure) -> tuple[int, str]:
    if isinstance(failure, tuple):
        return failure
    return STATUS[failure.refusal], failure.code


def problem_response(status: int, codes: list[str]) -> Json:
    """Return the description of one response with a problem that has one of *codes*."""
    listed = ", ".join(f"`{code}`" for code in codes)
    response: Json = {
        "description": f"{phrase_of(status)}: {listed}",
        "content": {
            PROBLEM_JSON: {
                "schema": {
                    "$ref": "#/components/schemas/Problem",
                    "properties": {"status": {"const": status}, "code": {"enum": codes}},
                }
            }
        },
    }
    return response
