"""Logins through an identity provider that have begun: a signed cookie until the browser is back.

The cookie binds the login to one browser. Nothing is stored for it: the nonce and the code verifier
are computed from a key and the state, and the session that the login would start can be started
only once.
"""

import hmac
import secrets
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct

from security.base64url import from_base64url, to_base64url

ATTEMPT_LIFETIME = timedelta(minutes=10)
"""How long somebody may take to log in at their provider."""

_STATE_BYTES = 24


class SsoAttempt(Struct, frozen=True, array_like=True):
    """A login that has begun.

    ``state`` is what the provider sends back, ``configuration`` names what the organization had
    configured, ``expires_at`` is in seconds since 1970. If ``fresh``, the provider must have asked
    the person who they are after ``expires_at`` minus ``ATTEMPT_LIFETIME``.
    """

    state: str
    organization: UUID
    configuration: UUID
    session: UUID
    return_to: str
    expires_at: int
    fresh: bool = False

    @property
    def began_at(self) -> int:
        """When the login began, in seconds since 1970."""
        return self.expires_at - int(ATTEMPT_LIFETIME.total_seconds())


_decode = msgspec.json.Decoder(SsoAttempt).decode


def new_state() -> str:
    """Return a random state."""
    return to_base64url(secrets.token_bytes(_STATE_BYTES))


def sign_attempt(key: bytes, attempt: SsoAttempt) -> str:
    """Return the cookie's value."""
    said = to_base64url(msgspec.json.encode(attempt))
    return f"sa1.{said}.{_mac(key, said)}"


def read_attempt(key: bytes, cookie: str, state: str, now: datetime) -> SsoAttempt | None:
    """Return the login that *cookie* binds to this browser.

    None if it is not one of ours, has another *state*, or has expired.
    """
    version, _, rest = cookie.partition(".")
    said, _, mac = rest.partition(".")
    if version != "sa1" or not hmac.compare_digest(mac.encode(), _mac(key, said).encode()):
        return None
    attempt = _decode(from_base64url(said))
    same = hmac.compare_digest(attempt.state.encode(), state.encode())
    return attempt if same and now.timestamp() < attempt.expires_at else None


def nonce_of(key: bytes, state: str) -> str:
    """Return what the ID token of this login must repeat."""
    return _derived(key, "nonce", state)


def verifier_of(key: bytes, state: str) -> str:
    """Return the code verifier of this login (RFC 7636): 43 characters."""
    return _derived(key, "code verifier", state)


def _derived(key: bytes, purpose: str, state: str) -> str:
    return to_base64url(hmac.digest(key, f"{purpose}\0{state}".encode(), "sha256"))


def _mac(key: bytes, said: str) -> str:
    return to_base64url(hmac.digest(key, f"cookie\0{said}".encode(), "sha256"))
