"""Name servers: where the DNS is asked, instead of where the machine asks it."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec import Struct

DNS_PORT = 53


class NameServer(Struct, frozen=True):
    """A resolver of the DNS."""

    address: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


def parse_name_server(text: str) -> NameServer:
    """Return the server that *text* names, such as ``192.0.2.53`` or ``[2001:db8::53]:5300``.

    :raises ValueError: it names none.
    """
    try:
        parts = urlsplit(f"//{text}")
        address, port = str(ip_address(parts.hostname or "")), parts.port
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address such as 192.0.2.53") from None
    server = NameServer(address, DNS_PORT if port is None else port)
    if text not in (str(server), address, f"[{address}]"):
        raise ValueError(f"{text!r} is not an IP address such as 192.0.2.53")
    return server
