"""Refusals of requests that never reach the application, as complete HTTP responses."""

from collections.abc import Iterable

from api.http.cors import Header
from api.http.edge import REPLACEABLE, SECURITY_HEADERS
from api.http.problem import PROBLEM_JSON, Problem, malformed, phrase_of
from eventstore.identifiers import new_id


def head_too_large(limit: int) -> Problem:
    """Return the problem of header fields of more than *limit* bytes in all (RFC 6585)."""
    detail = "The header fields are too large. `limit` is the maximum in bytes."
    return Problem(431, "headers_too_large", detail, details={"limit": limit})


def too_many_headers(limit: int) -> Problem:
    """Return the problem of more than *limit* header fields."""
    detail = "There are too many header fields. `limit` is the maximum number."
    return Problem(431, "too_many_headers", detail, details={"limit": limit})


def url_too_long(limit: int) -> Problem:
    """Return the problem of a URL of more than *limit* bytes."""
    detail = "The URL is too long. `limit` is the maximum in bytes."
    return Problem(414, "url_too_long", detail, details={"limit": limit})


def head_too_slow() -> Problem:
    """Return the problem of a request whose header fields did not arrive in time."""
    return Problem(408, "request_timeout", "The header fields did not arrive in time.")


def not_http() -> Problem:
    """Return the problem of bytes that are not an HTTP/1.1 request."""
    return malformed("This is not a valid HTTP/1.1 request.")


def too_many_pipelined() -> Problem:
    """Return the problem of requests sent ahead of too many responses."""
    detail = "Wait for responses before you send more requests on this connection."
    return Problem(429, "too_many_pipelined", detail, headers={"retry-after": "1"})


def too_many_of_peer(limit: int) -> Problem:
    """Return the problem of more than *limit* connections from one network."""
    detail = "Your network has too many open connections. `limit` is the maximum number."
    headers = {"retry-after": "5"}
    return Problem(429, "too_many_connections", detail, details={"limit": limit}, headers=headers)


def too_many_in_all() -> Problem:
    """Return the problem of a server that serves as many connections as it can."""
    detail = "The server has too many open connections. Try again in a moment."
    return Problem(503, "busy", detail, headers={"retry-after": "2"})


def response_of(problem: Problem, server_headers: Iterable[Header]) -> bytes:
    """Return the response with *problem*, after which the connection closes."""
    request_id = new_id().hex
    body = problem.body(request_id)
    headers: list[Header] = [
        *server_headers,
        *((name.encode(), value.encode()) for name, value in problem.headers.items()),
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
        (b"x-request-id", request_id.encode()),
        (b"vary", b"Origin"),
        *SECURITY_HEADERS,
        *REPLACEABLE,
    ]
    lines = [b"%b: %b\r\n" % header for header in headers]
    phrase = phrase_of(problem.status).encode()
    return b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (problem.status, phrase, b"".join(lines), body)
