"""Login challenges: signed tokens of somebody whose password was right, for the second step.

A challenge gives no access. It names the account and how often its password had been changed, and
nothing is stored for it.
"""

import hmac
import re
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from security.base64url import to_base64url

CHALLENGE_LIFETIME = timedelta(minutes=5)
"""How long somebody may take to type the code."""

_SHAPE = re.compile(
    r"lc1\.([0-9a-f]{32})\.(0|[1-9][0-9]{0,8})\.([1-9][0-9]{9,10})\.([A-Za-z0-9_-]{43})"
)


class Challenge(Struct, frozen=True):
    """Who may take the second step, and under which password."""

    user_id: UUID
    credentials: int


def mint_challenge(key: bytes, challenge: Challenge, now: datetime) -> str:
    """Return the token of *challenge*, valid from *now* for ``CHALLENGE_LIFETIME``."""
    until = int((now + CHALLENGE_LIFETIME).timestamp())
    said = f"lc1.{challenge.user_id.hex}.{challenge.credentials}.{until}"
    return f"{said}.{_mac(key, said)}"


def read_challenge(key: bytes, token: str, now: datetime) -> Challenge | None:
    """Return what *token* says; None if it is not one of ours, or has expired."""
    match = _SHAPE.fullmatch(token)
    if match is None:
        return None
    said, _, mac = token.rpartition(".")
    if not hmac.compare_digest(mac, _mac(key, said)) or now.timestamp() >= int(match[3]):
        return None
    return Challenge(UUID(hex=match[1]), int(match[2]))


def _mac(key: bytes, said: str) -> str:
    return to_base64url(hmac.digest(key, said.encode(), "sha256"))
