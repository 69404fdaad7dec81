"""URL guard: which URLs and addresses webhooks may be sent to.

A customer chooses the URL, and our worker runs next to the databases. Two checks are therefore
needed: `check_url` when a webhook is created and before each attempt, `check_address` on every
address that the name resolves to, right before the connection is opened.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

URL_CHARS_MAX = 2048  # what the stored configuration and common receivers can hold
HOST_CHARS_MAX = 253  # RFC 1035 section 2.3.4, without the final dot
PUBLIC_PORTS = frozenset({443, 8443})
DEFAULT_PORTS = {"https": 443, "http": 80}

# One strict grammar instead of urlsplit: what is checked is what is dialled, nothing is repaired.
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9a-f.]*:[0-9a-f:.]*\]|[0-9a-z.-]+)"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?",
    re.IGNORECASE | re.ASCII,
)
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.ASCII)
# The last label decides whether resolvers read the whole name as a number (WHATWG URL, "ends in
# a number"): 127.1, 0x7f.1, 017700000001 and 2130706433 are all loopback to getaddrinfo.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)

# IANA special-use domain names (RFC 6761, 6762, 7686, 8375, 9476) and the names ICANN keeps out
# of the root for private use (resolution 2018.02.04.12, `internal` in 2024).
# fmt: off
SPECIAL_TOP_LEVELS = frozenset((
    "alt", "arpa", "corp", "example", "home", "internal", "intranet", "invalid", "lan", "local",
    "localdomain", "localhost", "mail", "onion", "private", "test",
))
# fmt: on

# IANA special-purpose address registries (RFC 6890). Written out, because `is_global` of Python
# 3.11 calls NAT64, 6to4 and multicast global.
DENIED: tuple[tuple[IPNetwork, str], ...] = tuple(
    (ip_network(network), meaning)
    for network, meaning in (
        ("0.0.0.0/8", "this host"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "cloud metadata"),  # Azure's host agent, in public space
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "protocol assignments"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "NAT64"),
        ("fc00::/7", "unique local"),
        ("fe80::/10", "link-local"),
        ("ff00::/8", "multicast"),
        ("2001::/32", "Teredo"),
        ("2001::/23", "protocol assignments"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3ffe::/16", "retired 6bone"),  # RFC 3701
        ("3fff::/20", "documentation"),  # RFC 9637
    )
)
GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")  # RFC 4291 section 2.4 as assigned by IANA
LOOPBACKS: tuple[IPAddress, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


class UrlRefused(Exception):
    """The URL or one of its addresses may not receive webhooks; `reason` is shown to its owner."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of a URL: scheme and host in lower case, IPv6 literals without brackets."""

    scheme: str
    host: str
    port: int
    path_and_query: str


class UrlGuard:
    """Checks for the whole process; *allow* (WEBHOOK_ALLOW_NETWORKS) overrides every refusal."""

    def __init__(self, allow: Sequence[IPNetwork] = ()) -> None:
        self._allow = tuple(allow)

    def check_url(self, url: str) -> Target:
        """Return the parts of *url* without resolving its name.

        Plain http, other ports and address literals pass only inside the allowed networks.

        :raises UrlRefused: webhooks may not be sent to the URL.
        """
        if len(url) > URL_CHARS_MAX:
            raise UrlRefused(f"the URL is longer than {URL_CHARS_MAX} characters")
        if any(not "!" <= char <= "~" or char == "\\" for char in url):
            raise UrlRefused("the URL has a character that must be percent-encoded")
        parts = _URL.fullmatch(url)
        if parts is None:
            raise UrlRefused("the URL must be https://host/path, without user or fragment")
        scheme = parts["scheme"].lower()
        host = parts["host"].lower().strip("[]")
        port = int(parts["port"] or DEFAULT_PORTS[scheme])
        if port > 65535:
            raise UrlRefused("the port is above 65535")
        if not self.fixed_addresses(host):
            _refuse_unless_public_name(host)
            if scheme != "https":
                raise UrlRefused("the URL must use https")
            if port not in PUBLIC_PORTS:
                raise UrlRefused("the port must be 443 or 8443")
        return Target(scheme, host, port, (parts["path"] or "/") + (parts["query"] or ""))

    def fixed_addresses(self, host: str) -> tuple[IPAddress, ...]:
        """Return the allowed addresses that *host* means without DNS; empty for every other name.

        `localhost` is never looked up (RFC 6761 section 6.3).
        """
        if host == "localhost":
            return tuple(address for address in LOOPBACKS if self._allows(address))
        address = _canonical_literal(host)
        return (address,) if address is not None and self._allows(address) else ()

    def check_address(self, address: IPAddress) -> None:
        """Return if a connection to *address* is allowed.

        :raises UrlRefused: it belongs to a special network, which the reason names.
        """
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if self._allows(address):
            return
        for network, meaning in DENIED:
            if address in network:
                raise UrlRefused(f"the host has an address that is not public ({meaning})")
        if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST_V6:
            raise UrlRefused("the host has an address that is not public (not global unicast)")

    def _allows(self, address: IPAddress) -> bool:
        return any(address in network for network in self._allow)


def _canonical_literal(host: str) -> IPAddress | None:
    """Return the address that *host* spells in canonical form, or None."""
    address: IPAddress
    try:
        address = IPv6Address(host) if ":" in host else IPv4Address(host)
    except AddressValueError:
        return None
    return address if str(address) == host else None


def _refuse_unless_public_name(host: str) -> None:
    labels = host.split(".")
    if ":" in host or _NUMBER.fullmatch(labels[-1]):
        raise UrlRefused("the host must be a name, not an address")
    if len(host) > HOST_CHARS_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        raise UrlRefused("the host is not a valid DNS name")
    if len(labels) < 2:
        raise UrlRefused("the host must be a full name such as hooks.example.com")
    if labels[-1] in SPECIAL_TOP_LEVELS:
        raise UrlRefused(f"names under .{labels[-1]} are not public")
