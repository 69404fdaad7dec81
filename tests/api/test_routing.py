"""The one way that every request takes to its route, and what it leaves out."""

from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar, get
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency, Provide
from litestar.handlers.base import BaseRouteHandler
from litestar.response import Stream

from api.deadline import Deadline
from api.http.access_log import AccessLog
from api.http.cors import Cors
from api.http.edge import Edge
from api.http.policy import AllowedMethods, StreamingRoutes, public
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.routing import RouteUnfit, Routing


async def _greeting() -> str:
    return "hello"


async def _watched(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Do nothing."""


async def _afterwards(request: Any) -> None:
    """Do nothing."""


@get("/", dependencies={"greeting": Provide(_greeting)})
async def _needs_a_dependency(greeting: NamedDependency[str]) -> ApiResponse:
    return ApiResponse(greeting.encode())


@get("/", guards=[_watched])
async def _has_a_guard_of_its_own() -> ApiResponse:
    return ApiResponse()


@get("/", after_response=_afterwards)
async def _goes_on_after_its_response() -> ApiResponse:
    return ApiResponse()


@get("/", cache=True)
async def _is_cached() -> ApiResponse:
    return ApiResponse()


@get("/", sync_to_thread=False)
def _is_no_coroutine() -> ApiResponse:
    return ApiResponse()


@pytest.mark.parametrize(
    "route",
    [
        _needs_a_dependency,
        _has_a_guard_of_its_own,
        _goes_on_after_its_response,
        _is_cached,
        _is_no_coroutine,
    ],
    ids=lambda route: str(route.handler_name),
)
def test_nothing_starts_with_a_route_that_needs_what_is_left_out(route: Any) -> None:
    with pytest.raises(RouteUnfit):
        Routing(Litestar([route], openapi_config=None), ApiRequest)


def _streaming(*, begun: bool) -> Callable[..., Any]:
    @get("/", opt=public())
    async def route() -> Stream:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"one"
            raise RuntimeError

        if not begun:
            raise RuntimeError
        return Stream(pieces())

    return route


def _client(route: Any) -> httpx.AsyncClient:
    app = Litestar([route], openapi_config=None)
    app.asgi_handler = Edge(
        Routing(app, ApiRequest),
        cors=Cors(()),
        trusted_proxies=(),
        access_log=AccessLog(enabled=False),
        allowed=AllowedMethods(app),
        streaming=StreamingRoutes(app),
        deadline=Deadline(30.0),
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(cast(Any, app)), base_url="http://localhost"
    )


async def test_an_unknown_error_is_answered_without_what_it_says() -> None:
    async with _client(_streaming(begun=False)) as client:
        response = await client.get("/")

    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "internal_error"
    assert response.json()["requestId"] == response.headers["x-request-id"]


async def test_a_response_that_has_begun_is_cut_off_by_an_error_and_not_followed_by_another() -> (
    None
):
    async with _client(_streaming(begun=True)) as client:
        with pytest.raises(Exception, match=r"unhandled errors|RuntimeError"):
            await client.get("/")
