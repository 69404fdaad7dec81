"""E-mail addresses in one form."""

import contextlib
import re
import unicodedata

import idna

_ATOM = r"""[^\s"(),.:;<>@\[\\\]]+"""
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")
"""A dot-string (RFC 5321, section 4.1.2), with letters of any script (RFC 6531)."""

_LABEL = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}\.)+(?![0-9]+$){_LABEL}")
"""Two labels or more, of which the last is no number (RFC 1123, section 2.1)."""


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
    """Return whether *email* can be an address; only a message could prove that it exists.

    Quoted names, which are another spelling of the same mailbox, and addresses of hosts in brackets
    (RFC 5321, section 4.1.2) are refused: nobody has them.
    """
    local, _, domain = canonical_address(email).rpartition("@")
    return (
        local.isprintable()
        and _LOCAL.fullmatch(local) is not None
        and _DOMAIN.fullmatch(domain) is not None
    )
