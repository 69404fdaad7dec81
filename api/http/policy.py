"""Policies: every route says who may use it, and the application does not start otherwise."""

from enum import StrEnum
from typing import Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from domain.permission import Permission

POLICY = "policy"
RATE = "rate"
NO_DRY_RUN = "no_dry_run"


class Open(StrEnum):
    """What a route may ask for instead of a permission of the caller's role."""

    PUBLIC = "public"  # anybody, without a token
    ACCOUNT = "account"  # whoever is logged in, with or without organization


Policy = Permission | Open


def public(rate: str | None = None, *, dry_run: bool = True) -> dict[str, Any]:
    """Return the options of a route for everybody, limited by address under the name *rate*.

    Without *dry_run* it cannot be asked what it would record, as it hands out tokens.
    """
    return {POLICY: Open.PUBLIC, RATE: rate, NO_DRY_RUN: not dry_run}


def account(*, dry_run: bool = True) -> dict[str, Any]:
    """Return the options of a route for whoever is logged in."""
    return {POLICY: Open.ACCOUNT, NO_DRY_RUN: not dry_run}


def needs(permission: Permission) -> dict[str, Any]:
    """Return the options of a route for members whose role grants *permission*."""
    return {POLICY: permission}


class PolicyMissing(Exception):
    """A route does not say who may use it; nothing is served until it does."""


def handlers_of(app: Litestar) -> list[tuple[str, str, HTTPRouteHandler]]:
    """Return path, method and handler of every route, those that Litestar makes left out."""
    found: list[tuple[str, str, HTTPRouteHandler]] = []
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            raise PolicyMissing(f"{route.path} is neither HTTP nor does it have a policy")
        found += [
            (route.path_format, str(method), handler)
            for method, (handler, _) in route.route_handler_map.items()
            if method != "OPTIONS"
        ]
    return found


def refuse_without_policy(app: Litestar, guard: Any) -> None:
    """Refuse to start with a route that has no policy, or that *guard* does not guard.

    :raises PolicyMissing: naming all of them.
    """
    without = [
        f"{method} {path}"
        for path, method, handler in handlers_of(app)
        if not isinstance(handler.opt.get(POLICY), Permission | Open)
        or handler.resolve_before_request() is not guard
    ]
    if without:
        raise PolicyMissing(", ".join(without))
