"""Client info: what the headers and the connection say about the sender of a request."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct

from api.http.cors import Header
from api.http.problem import malformed
from api.upload import Upload
from eventstore.identifiers import new_id
from security.addresses import canonical, node_address
from security.url_guard import IPNetwork

USER_AGENT_CHARS_MAX = 512
"""Longer values are truncated, because it is stored with every event."""

SCOPE_KEY = "trackrecord.client_info"

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]+)(:[0-9]*)?")
_SINGLETONS = frozenset(
    (
        b"access-control-request-method",
        b"authorization",
        b"content-disposition",
        b"content-length",
        b"content-type",
        b"date",
        b"expect",
        b"from",
        b"host",
        b"idempotency-key",
        b"if-modified-since",
        b"if-range",
        b"if-unmodified-since",
        b"last-event-id",
        b"max-forwards",
        b"origin",
        b"proxy-authorization",
        b"range",
        b"referer",
        b"sec-fetch-dest",
        b"sec-fetch-mode",
        b"sec-fetch-site",
        b"sec-fetch-user",
        b"user-agent",
        b"x-api-key",
        b"x-correlation-id",
        b"x-min-position",
        b"x-request-id",
        b"x-requested-with",
    )
)
"""Fields that hold one value; every other one may be a list over several lines."""


class ClientInfo(Struct):
    """Request id, IP address, user agent and headers of a request."""

    request_id: str
    ip: str | None
    user_agent: str | None
    headers: Mapping[bytes, bytes]
    body: bytes = b""
    upload: Upload | None = None
    """The body of a route that takes a file, in place of ``body``; None without Content-Length."""
    head_only: bool = False
    """Whether this is a HEAD, which routes see as a GET."""
    is_answered: bool = False
    """Whether the response has begun."""
    correlation_id: str | None = None
    """What the client calls the purpose of this request and others; None if it says nothing."""
    rate_limit: Sequence[Header] = ()
    """The headers that tell the client what is left of its rate limit."""

    @property
    def correlation(self) -> str:
        """By what the events of this request are found together, perhaps with those of others."""
        return self.correlation_id or self.request_id

    def header(self, name: bytes) -> str | None:
        """Return the header with the lower-case *name*."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


def client_info_of(scope: Mapping[str, Any], trusted: tuple[IPNetwork, ...]) -> ClientInfo:
    """Return the client info of a request; X-Forwarded-For counts if set by a *trusted* proxy."""
    headers = _combined(scope["headers"])
    asked, shared = headers.get(b"x-request-id"), headers.get(b"x-correlation-id")
    known = asked is not None and _REQUEST_ID.fullmatch(asked)
    related = shared is not None and _REQUEST_ID.fullmatch(shared)
    client = scope.get("client")
    ip: str | None = client[0] if client else None
    if ip is not None:
        ip = _client_of(ip, headers.get(b"x-forwarded-for", b"").decode("latin-1"), trusted)
    agent = headers.get(b"user-agent")
    return ClientInfo(
        asked.decode() if known and asked else new_id().hex,
        ip,
        None if agent is None else _text(agent)[:USER_AGENT_CHARS_MAX],
        headers,
        correlation_id=shared.decode() if related and shared else None,
    )


def refuse_malformed_head(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> None:
    """Refuse a request without exactly one Host, or with two values where a field holds one.

    Two programs on the way might each believe another value (RFC 9110, section 5.3, and RFC 9112,
    section 3.2).

    :raises Problem: 400.
    """
    if len(headers) != len(scope["headers"]):
        names = [name for name, _ in scope["headers"] if name in _SINGLETONS]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise malformed(f"The header field {twice.decode()} is repeated.")
    host = headers.get(b"host")
    if host is None:
        if scope["http_version"] != "1.0":
            raise malformed("The header field Host is missing.")
    elif _HOST.fullmatch(host) is None:
        raise malformed("The header field Host is not a host name.")


def client_info_in(scope: Any) -> ClientInfo:
    """Return the client info that the edge put into the ASGI *scope*."""
    client_info: ClientInfo = scope[SCOPE_KEY]
    return client_info


def _combined(lines: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return the header fields by name; the lines of one name are one list."""
    headers: dict[bytes, bytes] = {}
    for name, value in lines:
        if name in headers:
            separator = b"; " if name == b"cookie" else b", "
            headers[name] += separator + value
        else:
            headers[name] = value
    return headers


def _text(value: bytes) -> str:
    """Return a header value as text: UTF-8 if it is, otherwise one character for each byte."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


@lru_cache(4_096)  # an address is parsed in Python, and most requests come from few of them
def _client_of(peer: str, forwarded: str, trusted: tuple[IPNetwork, ...]) -> str:
    """Return the address of the client in front of our trusted proxies, in canonical form.

    Each proxy appends the address it received the request from, so the list is trustworthy only
    from the right, up to the first address that is not one of our proxies.
    """
    believed = canonical(peer)
    if believed is None:
        return peer
    hops = forwarded.split(",") if forwarded else []
    while hops and any(believed in network for network in trusted):
        address = node_address(hops.pop())
        if address is None:
            break
        believed = address
    return str(believed)
