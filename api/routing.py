"""Routing: finds the route of a request and runs it.

Litestar describes the routes, matches paths, and reads and validates parameters. Its own way from
the one to the other also asks every request for caches, dependencies, forms, hooks and middleware,
which no route of ours has; that took a fifth of the time of a request that does nothing. So all
requests, whatever their route, take this shorter way.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Litestar, Response
from litestar.exceptions import ClientException, SerializationException
from litestar.routes import HTTPRoute
from litestar.types import Empty
from litestar.utils import normalize_path
from msgspec import Struct

from api.http.client_info import client_info_in
from api.http.edge import App, Receive, Send
from api.http.errors import answer_error
from api.http.guard import guard
from api.http.problem import FieldError, invalid
from api.http.request import ApiRequest
from api.http.response import ApiResponse


class RouteUnfit(Exception):
    """A route needs something of Litestar that this way leaves out; nothing starts."""


class _Run(Struct, frozen=True):
    """How one route is run: what reads its parameters, what validates them, and its function.

    ``rendered`` makes an ASGI application of an answer that is none yet. A request without a body
    is refused if the route ``needs_body``.
    """

    read: Callable[[ApiRequest], Awaitable[dict[str, Any]]]
    validate: Callable[[ApiRequest, dict[str, Any]], dict[str, Any]]
    function: Callable[..., Awaitable[ApiResponse | Response[Any]]]
    rendered: Callable[..., Awaitable[App]]
    needs_body: bool


class Routing:
    """The ASGI application behind the edge."""

    def __init__(self, app: Litestar, request_class: type[ApiRequest]) -> None:
        """Prepare all routes of *app*.

        :raises RouteUnfit: one of them needs more than its parameters.
        """
        self._app, self._request_class = app, request_class
        self._match = app.asgi_router.handle_routing
        self._runs = {
            id(handler): _run_of(handler, model)
            for route in app.routes
            if isinstance(route, HTTPRoute)
            for method, (handler, model) in route.route_handler_map.items()
            if method != "OPTIONS"  # the edge answers these
        }

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        try:
            response = await self._respond(scope, receive, send)
            await response(scope, receive, send)
        except Exception as error:
            client_info = client_info_in(scope)
            if client_info.is_answered:
                raise
            response = answer_error(client_info.request_id, error)
            await response(scope, receive, send)

    async def _respond(self, scope: Any, receive: Receive, send: Send) -> App:
        """Run the route of a request and return its response."""
        path = normalize_path(scope["path"])
        _, handler, path, parameters, template = self._match(path=path, method=scope["method"])
        scope["path"], scope["path_params"] = path, parameters
        scope["route_handler"], scope["path_template"] = handler, template
        run = self._runs[id(handler)]
        request = self._request_class(scope, receive, send)
        await guard(request)
        try:
            values = await run.read(request)
        except SerializationException as error:
            raise ClientException(str(error)) from error
        if values.get("data") is Empty:
            if run.needs_body:
                raise invalid(FieldError("$", "Expected a body in JSON"))
            del values["data"]
        answer = await run.function(**run.validate(request, values))
        if isinstance(answer, ApiResponse):
            return answer
        return await run.rendered(app=self._app, data=answer, request=request)


def _run_of(handler: Any, model: Any) -> _Run:  # Any: Litestar leaves some of its types unknown
    """Return how the route of *handler* is run, whose parameters Litestar describes by *model*.

    :raises RouteUnfit: it needs more than its parameters.
    """
    more = (
        model.dependency_batches,
        model.expected_form_data,
        handler.cache,
        handler.resolve_guards(),
        handler.resolve_after_response(),
        handler.resolve_middleware(),
        handler.resolve_return_dto(),
        handler.has_sync_callable,
    )
    if any(more):
        raise RouteUnfit(str(handler))
    validate = handler.signature_model.parse_values_from_connection_kwargs
    body = handler.parsed_fn_signature.parameters.get("data")
    needs_body = body is not None and not body.has_default
    return _Run(model.to_kwargs, validate, handler.fn, handler.to_response, needs_body)
