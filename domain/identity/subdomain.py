"""Subdomain: the name under which an organization is reached; a valid DNS label."""

import re

from domain.base import DomainError, Refusal

SUBDOMAIN_PATTERN = r"^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$"
"""3-63 lower-case letters, digits and inner hyphens (RFC 1035, 2.3.1; RFC 1123 allows a leading
digit). Double hyphens are refused, because ``xn--`` would make it an IDNA label (RFC 5890)."""

_RESERVED = """
    about abuse account accounts admin administrator api app apps assets auth autoconfig
    autodiscover billing blog cdn dns docs download email files ftp health help hostmaster imap
    info internal invalid invite local localhost login logout mail metrics mx news noreply ns1
    ns2 oauth official ops platform pop pop3 postmaster private public register root sales
    secure security signin signup smtp sso static stats status support system webhook webhooks
    webmaster wpad www
"""

RESERVED_SUBDOMAINS = frozenset(_RESERVED.split())
"""Names that mail servers, certificate authorities (CA/Browser Forum) or readers would take for
ours."""

_PATTERN = re.compile(SUBDOMAIN_PATTERN)


def refuse_unless_allowed(subdomain: str) -> None:
    """Refuse a malformed or reserved name.

    :raises SubdomainNotAllowed: with ``reserved``, whether the name is reserved.
    """
    reserved = subdomain in RESERVED_SUBDOMAINS
    if reserved or _PATTERN.fullmatch(subdomain) is None:
        raise SubdomainNotAllowed(reserved=reserved)


class SubdomainNotAllowed(DomainError):
    """A subdomain has 3-63 lower-case letters, digits or inner hyphens. Some names are reserved."""

    code = "subdomain_not_allowed"
    refusal = Refusal.INVALID
