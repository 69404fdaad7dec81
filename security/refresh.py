"""Refresh tokens that are computed, not stored.

``rt1.<family>.<generation>.<mac>``: a family is one login, its generation counts rotations. Whoever
has the key and the family's nonce can compute every token of the family. Therefore neither a token
nor its hash is ever stored, two servers that rotate the same token at the same time agree on its
successor, and a forged token can be told from a spent one.
"""

import hmac
import re
from uuid import UUID

import msgspec

from security.base64url import from_base64url, to_base64url

GENERATION_MAX = 2**32 - 1
"""One rotation a second for 136 years."""

_SHAPE = re.compile(
    r"rt1\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(0|[1-9][0-9]{0,9})\.([A-Za-z0-9_-]{43})"
)


class RefreshToken(msgspec.Struct, frozen=True):
    """The claims of a refresh token; do not trust them before ``authentic`` returns true."""

    family: UUID
    generation: int
    mac: bytes


def mint(key: bytes, family: UUID, generation: int, nonce: bytes) -> str:
    """Return the token of *generation* in *family*, the same on every call.

    *nonce* is random and unique to the family, so that a leaked key alone forges nothing.

    :raises ValueError: the generation is negative or beyond ``GENERATION_MAX``.
    """
    if not 0 <= generation <= GENERATION_MAX:
        raise ValueError("a generation is a 32-bit number")
    mac = _mac(key, family, generation, nonce)
    return f"rt1.{family}.{generation}.{to_base64url(mac)}"


def parse(token: str) -> RefreshToken | None:
    """Return the parts of *token*; None if it is not a refresh token in its exact spelling."""
    match = _SHAPE.fullmatch(token)
    if match is None:
        return None
    family, generation, mac = match.groups()
    if int(generation) > GENERATION_MAX:
        return None
    try:
        return RefreshToken(UUID(family), int(generation), from_base64url(mac))
    except ValueError:
        return None


def authentic(key: bytes, token: RefreshToken, nonce: bytes) -> bool:
    """Return whether we issued *token*; whether it is still valid depends on the family."""
    return hmac.compare_digest(token.mac, _mac(key, token.family, token.generation, nonce))


def _mac(key: bytes, family: UUID, generation: int, nonce: bytes) -> bytes:
    # Fixed widths before the nonce, so no two families or generations share a message.
    message = family.bytes + generation.to_bytes(4, "big") + nonce
    return hmac.digest(key, message, "sha256")
