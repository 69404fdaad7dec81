"""What a provider says about a person, checked as far as we use it."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from api.login.sso.provider import ProofRefused
from domain.identity.organization.sso import EmailNotVerified, Provider
from domain.name import Name
from security.mail_address import canonical_address, is_address
from security.oidc.attempt import SsoAttempt
from security.oidc.id_token import LEEWAY_S, auth_time

_SUBJECT_CHARS_MAX = 255  # OpenID Connect Core 1.0, section 2
_EMAIL_CHARS_MAX = 254
_ROLE_VALUES_MAX = 1_000


def claims_needed(provider: Provider) -> list[str]:
    """Return the claims about a person without which the userinfo endpoint is asked, too."""
    role = [] if provider.role_claim is None else [provider.role_claim]
    return ["email", "email_verified", *role]


class VouchedPerson(Struct, frozen=True):
    """Whom the provider vouches for; ``email`` in canonical form."""

    subject: str
    email: str
    name: str
    role_values: tuple[str, ...]
    proved_at: datetime | None


def person_in(
    claims: dict[str, Any], provider: Provider, attempt: SsoAttempt, now: datetime
) -> VouchedPerson:
    """Return the person whom the verified *claims* are about.

    :raises ProofRefused: something that we need is missing or odd.
    :raises EmailNotVerified: the provider does not vouch for the address.
    """
    subject, given = claims.get("sub"), claims.get("email")
    if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_CHARS_MAX:
        raise ProofRefused("odd_subject")
    if not isinstance(given, str):
        raise ProofRefused("no_email")
    email = canonical_address(given)
    if not is_address(email) or len(email) > _EMAIL_CHARS_MAX:
        raise ProofRefused("odd_email")
    if claims.get("email_verified") is not True:
        raise EmailNotVerified
    proved_at = auth_time(claims, now)
    asked_again = proved_at is not None and proved_at.timestamp() >= attempt.began_at - LEEWAY_S
    if attempt.fresh and not asked_again:
        raise ProofRefused("not_asked_again")
    return VouchedPerson(
        subject=subject,
        email=email,
        name=_name(claims.get("name")) or _name(email.partition("@")[0]) or "?",
        role_values=_role_values(claims.get(provider.role_claim or "")),
        proved_at=proved_at,
    )


def _name(given: Any) -> str | None:
    try:
        return msgspec.convert(given, type=Name)
    except msgspec.ValidationError:
        return None


def _role_values(given: Any) -> tuple[str, ...]:
    """Return the values of a role claim, which is a text or a list of them."""
    if isinstance(given, str):
        return (given,)
    listed: list[object] = [*given] if isinstance(given, list) else []  # pyright: ignore[reportUnknownVariableType]  # JSON has no types
    return tuple(value for value in listed[:_ROLE_VALUES_MAX] if isinstance(value, str))
