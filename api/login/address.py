"""E-mail addresses in one form, and what cannot be one."""

import contextlib
import unicodedata

import idna

from api.http.problem import FieldError, invalid


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


def refuse_odd_address(email: str) -> None:
    """Refuse what cannot be an e-mail address; only a message could prove that it exists.

    :raises Problem: 422.
    """
    local, _, domain = email.partition("@")
    if not local or "." not in domain.strip(".") or not email.isprintable() or " " in email:
        raise invalid(FieldError("$.email", "Expected an e-mail address"))
    if "@" in domain:
        raise invalid(FieldError("$.email", "Expected an e-mail address"))
