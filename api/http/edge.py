"""Edge: what applies to every request and response, whether or not a route matches.

It wraps the whole application, so that responses with 404 and 405 pass through it as well.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from api.deadline import Deadline, DeadlineExceeded, RequestWatch
from api.http.access_log import AccessLog
from api.http.client_info import (
    SCOPE_KEY,
    ClientInfo,
    client_info_of,
    refuse_malformed_head,
)
from api.http.cors import Cors, Header
from api.http.policy import AllowedMethods, StreamingRoutes
from api.http.problem import PROBLEM_JSON, Problem, not_found
from api.upload import Upload
from security.url_guard import IPNetwork

BODY_BYTES_MAX = 1024 * 1024
BODY_DEADLINE_S = 10.0
"""A body that takes longer is refused; the server itself would wait forever."""
_LENGTH_DIGITS_MAX = 15

_logger = logging.getLogger("api")

Message = dict[str, Any]  # ASGI's own shapes are plain dictionaries
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

SECURITY_HEADERS: list[Header] = [
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
REPLACEABLE: list[Header] = [
    (
        b"content-security-policy",
        b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (b"cache-control", b"no-store"),
]
"""Headers whose value a route may replace."""


class Edge:
    """ASGI middleware: request id, limits, deadline, security headers, CORS and the access log."""

    def __init__(  # noqa: PLR0913 - what applies to every request
        self,
        app: App,
        *,
        cors: Cors,
        trusted_proxies: tuple[IPNetwork, ...],
        access_log: AccessLog,
        allowed: AllowedMethods,
        streaming: StreamingRoutes,
        deadline: Deadline,
    ) -> None:
        self._app, self._cors, self._access_log = app, cors, access_log
        self._trusted, self._allowed, self._deadline = trusted_proxies, allowed, deadline
        self._streaming, self._body_deadline = streaming, Deadline(BODY_DEADLINE_S)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        client_info = client_info_of(scope, self._trusted)
        scope[SCOPE_KEY] = client_info
        watch, status = RequestWatch(self._deadline), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                watch.end()
                client_info.is_answered, status = True, message["status"]
                upload = client_info.upload
                if upload is not None and not upload.ended and not await upload.drain():
                    message["headers"] = [*message["headers"], (b"connection", b"close")]
                message["headers"] = self._headers(scope, client_info, message)
            elif scope["method"] == "HEAD":
                message["body"] = b""
            await send(message)

        try:
            await self._serve(scope, client_info, receive, answer, watch)
        except Problem as problem:
            headers = [(name.encode(), value.encode()) for name, value in problem.headers.items()]
            headers += [(b"content-type", PROBLEM_JSON.encode()), (b"connection", b"close")]
            await _send(answer, problem.status, headers, problem.body(client_info.request_id))
        except ConnectionError:
            status = 499  # the client disconnected before its request was complete
        finally:
            took_s = time.perf_counter() - started
            self._access_log.add(
                scope["method"], scope["path"], status, took_s, client_info.request_id
            )

    async def _serve(
        self,
        scope: Any,
        client_info: ClientInfo,
        receive: Receive,
        answer: Send,
        watch: RequestWatch,
    ) -> None:
        headers, method = client_info.headers, scope["method"]
        refuse_malformed_head(scope, headers)
        if method == "OPTIONS":
            methods = self._allowed.of(scope["path"])
            if not methods:
                raise not_found()
            asked = self._cors.preflight(headers, methods) if Cors.is_preflight(headers) else []
            await _send(answer, 204, [(b"allow", ", ".join(methods).encode()), *asked], b"")
            return
        if method == "HEAD":  # the same as GET without its content (RFC 9110, section 9.3.2)
            scope, client_info.head_only = {**scope, "method": "GET"}, True
        if self._streaming.take(scope["method"], scope["path"]):
            client_info.upload = _upload_of(client_info, receive)
            await self._app(scope, receive, answer)  # it takes as long as the file needs
            return
        receive = await self._body_read(scope["method"], client_info, receive)
        try:
            with watch:
                await self._app(scope, receive, answer)
        except DeadlineExceeded:
            _logger.warning("request %s was given up as too slow", client_info.request_id)
            raise _too_slow() from None

    async def _body_read(self, method: str, client_info: ClientInfo, receive: Receive) -> Receive:
        """Read the whole body, within limits, and return a ``receive`` that yields it in one piece.

        :raises Problem: the body is too large, too slow, compressed or not labelled as JSON.
        :raises ConnectionError: the client disconnected.
        """
        headers = client_info.headers
        announced = headers.get(b"content-length", b"0")
        if announced == b"0" and b"transfer-encoding" not in headers:
            return receive
        if not announced.isdigit() or int(announced[:20]) > BODY_BYTES_MAX:
            raise _too_large()
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            detail = "Send the body without Content-Encoding."
            accepted = {"accept-encoding": "identity"}
            raise Problem(415, "unsupported_encoding", detail, headers=accepted)
        try:
            with RequestWatch(self._body_deadline):
                body = await _whole(receive)
        except DeadlineExceeded:
            raise Problem(408, "request_timeout", "The body did not arrive in time.") from None
        if body:
            _refuse_unless_json(method, headers.get(b"content-type", b""))
        client_info.body = body
        whole: Message = {"type": "http.request", "body": body, "more_body": False}
        handed = False

        async def given() -> Any:
            nonlocal handed
            if handed:
                return await receive()
            handed = True
            return whole

        return given

    def _headers(self, scope: Any, client_info: ClientInfo, message: Message) -> list[Header]:
        """Return the headers of the response that *message* begins."""
        always = [
            (b"x-request-id", client_info.request_id.encode()),
            *SECURITY_HEADERS,
            *self._cors.headers(client_info.headers.get(b"origin")),
            *client_info.rate_limit,
        ]
        given: list[Header] = [(bytes(name), bytes(value)) for name, value in message["headers"]]
        if message["status"] == 405:  # Litestar knows the methods of one route of the path only
            given = [header for header in given if header[0] != b"allow"]
            given.append((b"allow", ", ".join(self._allowed.of(scope["path"])).encode()))
        taken = dict(given)
        return [*given, *always, *[h for h in REPLACEABLE if h[0] not in taken]]


def _upload_of(client_info: ClientInfo, receive: Receive) -> Upload | None:
    """Return the body that a route is going to read; None if its length is not promised."""
    promised = client_info.headers.get(b"content-length", b"")
    if not promised.isdigit() or len(promised) > _LENGTH_DIGITS_MAX:
        return None
    waits = client_info.headers.get(b"expect", b"").lower() == b"100-continue"
    return Upload(receive, int(promised), waits=waits)


async def _whole(receive: Receive) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        if len(message["body"]) > BODY_BYTES_MAX:
            raise _too_large()
        alone: bytes = message["body"]
        return alone
    body = bytearray()
    while True:
        if message["type"] != "http.request":
            raise ConnectionError
        body += message["body"]
        if len(body) > BODY_BYTES_MAX:
            raise _too_large()
        if not message.get("more_body", False):
            return bytes(body)
        message = await receive()


def _refuse_unless_json(method: str, content_type: bytes) -> None:
    """Refuse content that is not labelled as JSON in UTF-8; other parameters mean nothing.

    A PATCH may call itself a merge patch (RFC 7396), because that is what ours are.

    :raises Problem: 415 with the types that are accepted.
    """
    if content_type == b"application/json":
        return
    kind, *parameters = [part.strip() for part in content_type.lower().split(b";")]
    accepted = [b"application/json"]
    if method == "PATCH":
        accepted.append(b"application/merge-patch+json")
    charsets = [
        value.strip(b'" ')
        for name, _, value in (p.partition(b"=") for p in parameters)
        if name.strip() == b"charset"
    ]
    if kind not in accepted or any(charset != b"utf-8" for charset in charsets):
        types = ", ".join(each.decode() for each in accepted)
        detail = f"Send the body in UTF-8 as {types.replace(', ', ' or ')}."
        raise Problem(415, "unsupported_media_type", detail, headers={"accept": types})


def _too_large() -> Problem:
    return Problem(
        413,
        "body_too_large",
        "The request body is too large. `limit` is the maximum in bytes.",
        details={"limit": BODY_BYTES_MAX},
    )


def _too_slow() -> Problem:
    detail = (
        "This took too long. A command may have been recorded nevertheless: with the same"
        " Idempotency-Key it is safe to send it again."
    )
    return Problem(503, "deadline_exceeded", detail)


async def _send(send: Send, status: int, headers: list[Header], body: bytes) -> None:
    headers = [*headers, (b"content-length", b"%d" % len(body))] if body else headers
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
