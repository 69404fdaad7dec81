"""Peppers: a secret of the deployment that goes into every password hash.

Whoever copies the database without it cannot even begin to guess passwords (OWASP Password Storage
Cheat Sheet, "Peppering": an HMAC before the hash). A hash names the pepper it was made with, so
that a pepper can be replaced: each hash is renewed at its owner's next login.
"""

import hmac

from security.base64url import to_base64url
from security.derivation import derive_key

_ID_BYTES = 4


class Pepper:
    """One pepper, derived from a configured secret of at least 32 bytes.

    Its ``id`` identifies the secret without revealing anything about it.
    """

    def __init__(self, secret: str) -> None:
        self._key = derive_key(secret, "password pepper v1")
        self.id = derive_key(secret, "password pepper id v1")[:_ID_BYTES].hex()

    def applied(self, password: bytes) -> bytes:
        """Return what is hashed instead of *password*."""
        return to_base64url(hmac.digest(self._key, password, "sha256")).encode()


class Peppers:
    """The pepper that new hashes are made with, and older ones, with which they are verified."""

    def __init__(self, current: Pepper, *older: Pepper) -> None:
        self.current = current
        self._known = {pepper.id: pepper for pepper in (*older, current)}

    def of(self, pepper_id: str) -> Pepper | None:
        """Return the pepper with this id; None if it is not, or no longer, known."""
        return self._known.get(pepper_id)
