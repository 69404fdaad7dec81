"""Tokens that prove access to a mailbox: for invitations, password resets and confirmations.

A token names its owner (an organization or a user) and its subject, so that it is found without a
search, and ends with an HMAC over both, the purpose and the expiry. The log holds only its SHA-256
hash; whoever sends the mail computes the token again from what the event says.
"""

import hashlib
import hmac
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from security.base64url import from_base64url, to_base64url

_ID_BYTES, _MAC_BYTES = 16, 32


class MailPurpose(StrEnum):
    """What a token is for; one of another purpose is never accepted."""

    INVITATION = "invitation"
    EMAIL = "e-mail"
    PASSWORD_RESET = "password reset"  # noqa: S105 - a purpose, not a secret


class MailToken(Struct, frozen=True):
    """The parts of a presented token, and its hash, to be compared with the hash in the log."""

    owner: UUID
    subject: UUID
    hash: str


class MailTokens:
    """Computes tokens with the key of the deployment."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def mint(self, purpose: MailPurpose, owner: UUID, subject: UUID, expires_at: datetime) -> str:
        """Return the token of *subject*: always the same one for the same expiry."""
        until_us = round(expires_at.astimezone(UTC).timestamp() * 1_000_000)
        names = owner.bytes + subject.bytes
        message = b"|".join((purpose.encode(), names, str(until_us).encode()))
        return to_base64url(names + hmac.digest(self._key, message, "sha256"))


def read_mail_token(text: str) -> MailToken | None:
    """Return what a token says, None if it is malformed; only its hash can tell if it is true."""
    try:
        raw = from_base64url(text)
    except ValueError:
        return None
    if len(raw) != 2 * _ID_BYTES + _MAC_BYTES:
        return None
    owner, subject = UUID(bytes=raw[:_ID_BYTES]), UUID(bytes=raw[_ID_BYTES : 2 * _ID_BYTES])
    return MailToken(owner, subject, hash_of(text))


def hash_of(token: str) -> str:
    """Return the SHA-256 (hex) of a token, as the log holds it."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_token(hash_found: str, token: MailToken) -> bool:
    """Return whether *token* is the one whose hash is in the log, in constant time."""
    return hmac.compare_digest(hash_found.encode(), token.hash.encode())
