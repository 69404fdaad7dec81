"""Responses whose bytes are ready to send, with as little overhead as possible."""

from collections.abc import Iterable
from typing import Any

import msgspec
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send
from msgspec import Struct

from api.http.conditions import is_known

JSON = b"application/json"
_encode = msgspec.json.Encoder().encode


class _Identified(Struct):
    id: str


_decode_id = msgspec.json.Decoder(_Identified)


class ApiResponse(ASGIResponse):
    """A response that is its own ASGI app, since Litestar's take twice as long as the route."""

    def __init__(  # pyright: ignore[reportMissingSuperCall]  # the base class renders what is rendered already
        self,
        body: bytes = b"",
        status: int = 200,
        *,
        content_type: bytes = JSON,
        headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        # A terminal shows its prompt on a line of its own; for parsers it is white space.
        if content_type is JSON and not body.endswith(b"\n"):
            body += b"\n"
        self.status_code, self.body = status, body
        self.raw = [*headers]
        if status in (204, 304):
            self.body = b""
        else:
            self.raw += [
                (b"content-type", content_type),
                (b"content-length", b"%d" % len(self.body)),
            ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})

    def with_header(self, name: bytes, value: bytes) -> "ApiResponse":
        """Return the response with one more header."""
        self.raw.append((name, value))
        return self


def json_response(value: Any, status: int = 200) -> ApiResponse:
    """Return a response with *value* as JSON."""
    return ApiResponse(_encode(value), status)


def redirect(status: int, to: str) -> ApiResponse:
    """Return a response without a body that sends a browser elsewhere."""
    answer = ApiResponse(b"", 204)
    answer.status_code = status
    return answer.with_header(b"location", to.encode()).with_header(b"content-length", b"0")


def etag(version: int) -> bytes:
    """Return a version as an entity tag (RFC 9110, section 8.8.3)."""
    return b'"%d"' % version


def conditional(asked: bytes | None, body: bytes, version: int) -> ApiResponse:
    """Return a resource, or 304 if the client already has this version."""
    tag = etag(version)
    if asked is not None and is_known(asked, tag):
        return ApiResponse(b"", 304, headers=[(b"etag", tag)])
    return ApiResponse(body, headers=[(b"etag", tag)])


def id_in(body: bytes) -> str:
    """Return the ``id`` of a rendered resource."""
    return _decode_id.decode(body).id
