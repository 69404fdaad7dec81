"""Key derivation: one configured secret gives a separate key per purpose, by HKDF."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES_MIN = 32
"""A secret shorter than the 256-bit keys derived from it would be the weakest link."""

KEY_BYTES = 32


def derive_key(secret: str, purpose: str) -> bytes:
    """Return the 32-byte key derived from *secret* for *purpose*.

    HKDF-SHA256 without salt (RFC 5869, section 3.1); *purpose* is the ``info`` label, so that two
    purposes never share a key although they share a secret.

    :raises ValueError: the secret has fewer than 32 bytes.
    """
    material = secret.encode()
    if len(material) < SECRET_BYTES_MIN:
        raise ValueError(f"a secret needs at least {SECRET_BYTES_MIN} bytes")
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(material)
