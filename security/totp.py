"""Codes of authenticators (TOTP, RFC 6238: SHA-1, 6 digits, 30 s) and recovery codes."""

import base64
import hmac
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from pyotp import random_base32
from pyotp.totp import TOTP

PERIOD = timedelta(seconds=30)
"""How long each code is shown."""

DRIFT_STEPS = 1
"""How many periods the clock of an authenticator may be off (RFC 6238, section 5.2)."""

RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
"""80 random bits, 16 letters in base32: nobody guesses them, not even from their hashes."""
_GROUP = 4
_ISSUER = "Trackrecord"


def new_totp_secret() -> str:
    """Return a secret of 160 random bits (RFC 4226, section 4) in base32."""
    return random_base32()


def totp_uri(secret: str, account: str) -> str:
    """Return the ``otpauth:`` URI that authenticators read from a QR code."""
    return TOTP(secret).provisioning_uri(name=account, issuer_name=_ISSUER)


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """Return the period that *code* belongs to, counted from 1970; None if it is wrong now."""
    totp = TOTP(secret)
    newest = totp.timecode(now)
    found: int | None = None
    for step in range(max(newest - DRIFT_STEPS, 0), newest + DRIFT_STEPS + 1):
        # All are compared, so that the time tells nothing.
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Return new recovery codes in groups of letters, to be shown once."""
    return [_grouped(secrets.token_bytes(_RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]


def recovery_hash(key: bytes, user_id: UUID, code: str) -> str:
    """Return the keyed hash (HMAC-SHA256, hex) of a recovery code, however it is typed."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return hmac.new(key, user_id.bytes + plain.encode(), "sha256").hexdigest()


def _grouped(random: bytes) -> str:
    letters = base64.b32encode(random).decode().lower()
    return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))
