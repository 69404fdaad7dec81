"""Subdomain: the name by which an organization is addressed, fit to be a DNS label."""

import re

from domain.base import DomainError

SUBDOMAIN_PATTERN = r"^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$"
"""3-63 lower-case letters, digits and inner hyphens (RFC 1035, 2.3.1; RFC 1123 allows a digit
first). Two hyphens in a row are refused: ``xn--`` would make it an IDNA label (RFC 5890)."""

_RESERVED = """
    about abuse account accounts admin administrator api app apps assets auth autoconfig
    autodiscover billing blog cdn dns docs download email files ftp health help hostmaster imap
    info internal invalid invite local localhost login logout mail metrics mx news noreply ns1
    ns2 oauth official ops platform pop pop3 postmaster private public register root sales
    secure security signin signup smtp sso static stats status support system webhook webhooks
    webmaster wpad www
"""

RESERVED_SUBDOMAINS = frozenset(_RESERVED.split())
"""Names that mail, certificates (CA/Browser Forum's addresses) or readers would trust as ours."""

_PATTERN = re.compile(SUBDOMAIN_PATTERN)


def refuse_unless_allowed(subdomain: str) -> None:
    """Refuse what is not a well-formed or not a free-to-take name.

    :raises SubdomainNotAllowed: with ``reserved`` telling which of the two it was.
    """
    reserved = subdomain in RESERVED_SUBDOMAINS
    if reserved or _PATTERN.fullmatch(subdomain) is None:
        raise SubdomainNotAllowed(reserved=reserved)


class SubdomainNotAllowed(DomainError):
    """A subdomain has 3 to 63 lower-case letters, digits or inner hyphens; some are reserved."""

    code = "subdomain_not_allowed"
