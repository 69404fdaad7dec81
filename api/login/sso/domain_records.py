"""Proof of a domain: a TXT record that only whoever runs the DNS of the domain can set.

What it has to say is computed from a key, the organization and the domain, so nothing is stored
before the proof, and what proves a domain for one organization proves it for no other.
"""

from collections.abc import Sequence

from dns.asyncresolver import Resolver
from dns.exception import DNSException
from dns.nameserver import Do53Nameserver
from dns.rdtypes.ANY.TXT import TXT
from dns.resolver import NXDOMAIN, NoAnswer

from api.http.problem import Problem
from security.oidc.name_server import NameServer

DNS_DEADLINE_S = 3.5
"""For one look-up with its repetitions; a request of ours is given up after 5 s."""


async def texts_at(name: str, servers: Sequence[NameServer]) -> list[str]:
    """Return the texts of the TXT records at *name*; none if there are none.

    *servers* are asked instead of those of the system, if there are any.

    :raises Problem: 502 if no server answers in time.
    """
    try:
        resolver = Resolver(configure=not servers)
        if servers:
            resolver.nameservers = [Do53Nameserver(each.address, each.port) for each in servers]
        # The final dot makes the name absolute: search domains of resolv.conf are not tried.
        answer = await resolver.resolve(f"{name}.", "TXT", lifetime=DNS_DEADLINE_S)
    except (NXDOMAIN, NoAnswer):
        return []
    except (DNSException, OSError):
        detail = "The DNS of this domain cannot be read now. Try again later."
        raise Problem(502, "dns_failed", detail) from None
    records = [record for record in answer if isinstance(record, TXT)]
    return [b"".join(record.strings).decode("latin-1") for record in records]
