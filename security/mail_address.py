"""E-mail addresses in one form."""

import contextlib
import unicodedata

import idna


def canonical_address(email: str) -> str:
    """Return the one form of an address under which it is claimed.

    Unicode NFKC, lower case, and the domain as IDNA 2008 A-labels (RFC 5891) without a final dot,
    so that another spelling cannot open a second account. An invalid domain is left as it is.
    """
    local, at, domain = unicodedata.normalize("NFKC", email.strip()).lower().rpartition("@")
    domain = domain.removesuffix(".")
    with contextlib.suppress(idna.IDNAError):
        domain = idna.encode(domain, uts46=True).decode()
    return f"{local}{at}{domain}"


def is_address(email: str) -> bool:
    """Return whether *email* can be an address; only a message could prove that it exists."""
    local, _, domain = email.partition("@")
    plain = email.isprintable() and " " not in email and "@" not in domain
    return bool(local) and "." in domain.strip(".") and plain
