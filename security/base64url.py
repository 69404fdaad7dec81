"""Base64url without padding (RFC 4648, section 5), decoded strictly.

Only the canonical spelling is accepted, so that no token has a second one: the standard library
skips foreign characters and ignores spare bits.
"""

import base64


def to_base64url(raw: bytes) -> str:
    """Return *raw* as base64url text without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """Return the bytes that *text* encodes.

    :raises ValueError: ``to_base64url`` would not have written exactly *text*.
    """
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if to_base64url(raw) != text:
        raise ValueError("not canonical base64url")
    return raw
