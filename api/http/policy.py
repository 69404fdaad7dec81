"""Who may use each route, as declared by the route, and the methods of each path."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from commands.base import NotForApiKeys
from domain.base import DomainError
from domain.identity.session.errors import ReauthenticationRequired
from domain.permission import KEY_PERMISSIONS, Permission

POLICY = "policy"
RATE = "rate"
NO_DRY_RUN = "no_dry_run"
NO_KEY = "no_key"
SCOPE = "scope"
CONFINED = "confined"
TOLERANT = "tolerant"
FAILS = "fails"
SENDS = "sends"
STREAMS = "streams"

_ORDER = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Open(StrEnum):
    """Who may use a route that requires no permission."""

    PUBLIC = "public"  # everybody, without a token
    ACCOUNT = "account"  # every logged-in user, with or without an organization


Policy = Permission | Open


Failure = type[DomainError] | tuple[int, str]
"""How a route can fail: a rule that refuses, or status and code of a problem of the API itself."""


def public(
    rate: str | None = None,
    *,
    dry_run: bool = True,
    tolerant: bool = False,
    fails: Sequence[Failure] = (),
    sends: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the options of a public route, limited by IP address under the name *rate*.

    Without *dry_run* it refuses dry runs, because it issues tokens. If *tolerant*, it ignores
    parameters that it does not know. *fails* is what this route can answer beside what all can, and
    *sends* names its special headers: both are for the description.
    """
    return {
        POLICY: Open.PUBLIC,
        RATE: rate,
        NO_DRY_RUN: not dry_run,
        TOLERANT: tolerant,
        FAILS: fails,
        SENDS: sends,
    }


def account(
    *,
    dry_run: bool = True,
    key: bool = True,
    scope: Permission | None = None,
    fails: Sequence[Failure] = (),
    sends: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the options of a route for logged-in users; the rest is as in ``public``.

    Without *key* an Idempotency-Key has no effect, because the response is not kept or the route
    records nothing in the log. API keys with *scope* may use it, too; without one, none may.
    """
    return {
        POLICY: Open.ACCOUNT,
        SCOPE: scope,
        NO_DRY_RUN: not dry_run,
        NO_KEY: not key,
        FAILS: fails,
        SENDS: sends,
    }


def confined(options: dict[str, Any]) -> dict[str, Any]:
    """Return *options* of a route for logged-in users that sessions of a provider may use, too.

    They may use no other such route: who chooses the identity provider of an organization could
    begin one for any member, and must neither see nor change the account.
    """
    return {**options, CONFINED: True}


def needs(  # noqa: PLR0913 - what a route can say about itself
    permission: Permission,
    *,
    dry_run: bool = True,
    key: bool = True,
    fails: Sequence[Failure] = (),
    sends: Sequence[str] = (),
    streams: bool = False,
) -> dict[str, Any]:
    """Return the options of a route for members whose role grants *permission*.

    With *streams* its body is a file, and is not read before the route runs.
    """
    return {
        POLICY: permission,
        NO_DRY_RUN: not dry_run,
        NO_KEY: not key,
        FAILS: fails,
        SENDS: sends,
        STREAMS: streams,
    }


def scope_of(handler: HTTPRouteHandler) -> Permission | None:
    """Return the scope that an API key needs for a route; None: no key may use it.

    What needs a recent proof of who asks is left to people, and so is what says so.
    """
    fails = handler.opt.get(FAILS, ())
    if ReauthenticationRequired in fails or NotForApiKeys in fails:
        return None
    scope = handler.opt.get(SCOPE) or handler.opt[POLICY]
    return scope if isinstance(scope, Permission) and scope in KEY_PERMISSIONS else None


class PolicyMissing(Exception):
    """A route has no policy; the application does not start."""


def handlers_of(app: Litestar) -> list[tuple[str, str, HTTPRouteHandler]]:
    """Return path, method and handler of every route, except those that Litestar adds."""
    found: list[tuple[str, str, HTTPRouteHandler]] = []
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            raise PolicyMissing(f"{route.path} is not an HTTP route, so it cannot have a policy")
        found += [
            (route.path_format, str(method), handler)
            for method, (handler, _) in route.route_handler_map.items()
            if method != "OPTIONS"
        ]
    return found


def refuse_without_policy(app: Litestar, guard: Any) -> None:
    """Refuse to start if a route has no policy or lacks the *guard*.

    :raises PolicyMissing: with the names of all such routes.
    """
    without = [
        f"{method} {path}"
        for path, method, handler in handlers_of(app)
        if not isinstance(handler.opt.get(POLICY), Permission | Open)
        or handler.resolve_before_request() is not guard
    ]
    if without:
        raise PolicyMissing(", ".join(without))


class AllowedMethods:
    """The methods that each path supports, for Allow (RFC 9110, section 10.2.1)."""

    def __init__(self, app: Litestar) -> None:
        self._routes = [
            (_pattern(route), {str(method) for method in route.route_handler_map})
            for route in sorted(
                (each for each in app.routes if isinstance(each, HTTPRoute)),
                key=lambda each: len(each.path_parameters),
            )
        ]

    def of(self, path: str) -> list[str]:
        """Return the methods that *path* supports, none if there is no such path.

        A path that a route names as a whole is not one of a route with a parameter there.
        """
        path = path.rstrip("/") or "/"
        found: set[str] = set()
        for pattern, methods in self._routes:
            if pattern.fullmatch(path):
                found |= methods | {"OPTIONS"}
                if pattern.pattern == re.escape(path):
                    break
        if "GET" in found:
            found.add("HEAD")
        return [method for method in _ORDER if method in found]


class StreamingRoutes:
    """The routes whose body is a file, which is not read before they run."""

    def __init__(self, app: Litestar) -> None:
        every: dict[str, list[str]] = {}
        for route in (each for each in app.routes if isinstance(each, HTTPRoute)):
            for method, (handler, _) in route.route_handler_map.items():
                if handler.opt.get(STREAMS):
                    every.setdefault(str(method), []).append(_pattern(route).pattern)
        self._routes = {m: re.compile("|".join(patterns)) for m, patterns in every.items()}

    def take(self, method: str, path: str) -> bool:
        """Return whether the body of a request is streamed."""
        pattern = self._routes.get(method)
        return pattern is not None and pattern.fullmatch(path.rstrip("/") or "/") is not None


def _pattern(route: HTTPRoute) -> re.Pattern[str]:
    parts: list[str] = []
    for component in route.path_components:
        if isinstance(component, str):
            parts.append(re.escape(component))
        else:
            parts.append("[0-9A-Fa-f-]{32,36}" if component.type is UUID else "[^/]+")
    return re.compile("/" + "/".join(parts))
