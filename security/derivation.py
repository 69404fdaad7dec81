"""One configured secret, many keys: each purpose gets its own, by HKDF."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES_MIN = 32
"""A secret shorter than the 256-bit keys it gives would be the weakest link."""

KEY_BYTES = 32


def derive_key(secret: str, purpose: str) -> bytes:
    """Return the 32-byte key that *secret* gives for *purpose*.

    HKDF-SHA256 without salt (RFC 5869, section 3.1); *purpose* is the ``info``
    label, so two purposes never share a key although they share a secret.

    :raises ValueError: if the secret has fewer than 32 bytes.
    """
    material = secret.encode()
    if len(material) < SECRET_BYTES_MIN:
        raise ValueError(f"a secret needs at least {SECRET_BYTES_MIN} bytes")
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(material)
