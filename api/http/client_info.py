"""Client info: what headers and connection tell about the sender of a request."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from eventstore.identifiers import new_id

USER_AGENT_CHARS_MAX = 512
"""Longer values are truncated, because it is stored with every event."""

SCOPE_KEY = "trackrecord.facts"

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,128}")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ClientInfo(Struct):
    """Request id, IP address, user agent and headers of a request."""

    request_id: str
    ip: str | None
    user_agent: str | None
    headers: Mapping[bytes, bytes]
    body: bytes = b""

    def header(self, name: bytes) -> str | None:
        """Return the header with the lower-case *name*."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


def client_info_of(scope: Mapping[str, Any], trusted: Sequence[Network]) -> ClientInfo:
    """Return the client info of a request; X-Forwarded-For counts if set by a *trusted* proxy."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    asked = headers.get(b"x-request-id")
    known = asked is not None and _REQUEST_ID.fullmatch(asked)
    client = scope.get("client")
    ip: str | None = client[0] if client else None
    if trusted and ip is not None and b"x-forwarded-for" in headers:
        ip = _behind(ip, headers[b"x-forwarded-for"].decode("latin-1"), trusted)
    agent = headers.get(b"user-agent")
    return ClientInfo(
        asked.decode() if known and asked else new_id().hex,
        ip,
        None if agent is None else agent.decode("latin-1")[:USER_AGENT_CHARS_MAX],
        headers,
    )


def client_info_in(scope: Any) -> ClientInfo:
    """Return the client info that the edge put into the ASGI *scope*."""
    client_info: ClientInfo = scope[SCOPE_KEY]
    return client_info


def _behind(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """Return the address of the client in front of our trusted proxies.

    Each proxy appends the address it received the request from, so the list is trustworthy only
    from the right, up to the first address that is not one of our proxies.
    """
    hops = [*(hop.strip() for hop in forwarded.split(",")), peer]
    believed = peer
    for hop in reversed(hops):
        try:
            address = ipaddress.ip_address(hop)
        except ValueError:
            return believed
        believed = str(address)
        if not any(address in network for network in trusted):
            return believed
    return believed
