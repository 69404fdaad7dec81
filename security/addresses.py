"""IP addresses in one form, whatever way they are written, and the networks of one customer."""

import ipaddress
import re

from security.url_guard import IPAddress, IPNetwork

IPV6_CUSTOMER_BITS = 56
"""What providers usually assign to one home or office (RIPE-690)."""

_SHARES_V4 = ((32, 1), (24, 4))
_SHARES_V6 = ((64, 1), (IPV6_CUSTOMER_BITS, 2), (48, 4), (32, 32))
"""A network of 64 bits is one source: a single host can use all of its addresses (RFC 4291)."""

_NODE = re.compile(
    r"(?P<v4>[0-9.]+)(?::[0-9]{1,5})?"
    r"|\[(?P<v6>[0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?"
    r"|(?P<bare>[0-9A-Fa-f:.]+)"
)


def canonical(text: str) -> IPAddress | None:
    """Return the address that *text* spells, or None.

    An IPv4 address inside IPv6 (``::ffff:192.0.2.1``) is that IPv4 address; a zone is dropped.
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def canonical_network(text: str) -> IPNetwork | None:
    """Return the network that *text* spells, such as ``192.0.2.0/24``, or None.

    An address alone is a network of one. One with bits set behind the prefix is refused, because
    what was meant is unclear. IPv4 inside IPv6 is that IPv4 network, as for addresses. A zone is
    refused: it may be any text, and means something only on one host.
    """
    if "%" in text:
        return None
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        return None
    mapped = 128 - 32
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= mapped:
        inside = network.network_address.ipv4_mapped
        if inside is not None:
            return ipaddress.ip_network((inside, network.prefixlen - mapped))
    return network


def node_address(node: str) -> IPAddress | None:
    """Return the address of a *node* as proxies write it, or None.

    Accepts ``192.0.2.1``, ``192.0.2.1:4711``, ``2001:db8::1``, ``[2001:db8::1]`` and
    ``[2001:db8::1]:4711``, each in quotes or not (RFC 7239, section 6).
    """
    match = _NODE.fullmatch(node.strip().strip('"'))
    return None if match is None else canonical(match["v4"] or match["v6"] or match["bare"])


def networks_of(address: IPAddress) -> list[tuple[IPNetwork, int]]:
    """Return the networks around *address*, the narrowest first, each with its share.

    The narrowest is one source: an IPv4 address or an IPv6 network of 64 bits. The share says how
    many times the limit of one source the whole network gets; without it, whoever rents a wide
    network could pose as any number of sources.
    """
    shares = _SHARES_V4 if address.version == 4 else _SHARES_V6
    return [(_around(address, bits), share) for bits, share in shares]


def network_of(address: IPAddress) -> IPNetwork:
    """Return the network of one customer: the IPv4 address, or the IPv6 network of 56 bits."""
    return _around(address, 32 if address.version == 4 else IPV6_CUSTOMER_BITS)


def neighbourhood_of(address: IPAddress) -> IPNetwork:
    """Return the network within which an address costs nothing to change: 24 or 56 bits."""
    return _around(address, 24 if address.version == 4 else IPV6_CUSTOMER_BITS)


def _around(address: IPAddress, bits: int) -> IPNetwork:
    return ipaddress.ip_network((address, bits), strict=False)
