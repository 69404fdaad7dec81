"""Webhook signatures as specified by Standard Webhooks 1.0 (standardwebhooks.com).

``v1`` is HMAC-SHA256 with a shared ``whsec_`` secret, ``v1a`` is Ed25519 with a ``whsk_`` key whose
public half the receiver holds. Both sign ``id.timestamp.body``.
"""

import base64
import binascii
import hmac
import re
import secrets as randomness
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of a secret
PRIVATE_KEY_PREFIX = "whsk_"
SECRET_BYTES = 32
"""Standard Webhooks requires 24 to 64 random bytes."""

SECRET_BYTES_MIN, SECRET_BYTES_MAX = 24, 64
ED25519_SEED_BYTES = 32

# The dot separates the signed parts; white space or CR LF would break the header.
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")


def new_secret() -> str:
    """Return a new shared secret: ``whsec_`` and the base64 of 32 random bytes."""
    random_bytes = randomness.token_bytes(SECRET_BYTES)
    return SECRET_PREFIX + base64.b64encode(random_bytes).decode("ascii")


def sign(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the three headers that prove that we sent *body*.

    Every valid secret signs, so that receivers can switch to a new one at their own pace.
    *timestamp* is the time of the attempt in seconds since the epoch; *message_id* stays the same
    through all attempts.

    :raises ValueError: a secret is malformed, there is none, or the message id has characters other
        than letters, digits, ``-`` and ``_``.
    """
    if not secrets:
        raise ValueError("there is no secret to sign with")
    if _MESSAGE_ID.fullmatch(message_id) is None:
        raise ValueError("a message id must be 1 to 255 letters, digits, - and _")
    signed = b"%s.%d.%s" % (message_id.encode("ascii"), timestamp, body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    if secret.startswith(PRIVATE_KEY_PREFIX):
        # The key is written as seed and public half; the seed determines both.
        seed = _key_bytes(secret, PRIVATE_KEY_PREFIX)[:ED25519_SEED_BYTES]
        version, proof = "v1a", Ed25519PrivateKey.from_private_bytes(seed).sign(signed)
    else:
        key = _key_bytes(secret, SECRET_PREFIX)
        version, proof = "v1", hmac.digest(key, signed, "sha256")
    return f"{version},{base64.b64encode(proof).decode('ascii')}"


def _key_bytes(secret: str, prefix: str) -> bytes:
    if not secret.startswith(prefix):
        raise ValueError(f"a webhook secret must start with {prefix}")
    try:
        key = base64.b64decode(secret.removeprefix(prefix), validate=True)
    except binascii.Error:
        raise ValueError("a webhook secret must be base64 after its prefix") from None
    if not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        raise ValueError(
            f"a webhook secret must have {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes"
        )
    return key
