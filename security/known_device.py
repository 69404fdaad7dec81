"""Known devices: a signed token that a browser keeps after a good login to one account.

It gives no access. It only lets a login pass the queues and limits that strangers fill (OWASP
"device cookies"). Nothing is stored for it.
"""

import hmac
import re
import secrets
from datetime import datetime, timedelta

from security.base64url import to_base64url

DEVICE_LIFETIME = timedelta(days=90)
"""How long after its last good login a device is known."""

_SHAPE = re.compile(r"kd1\.([A-Za-z0-9_-]{22})\.([1-9][0-9]{9,10})\.([A-Za-z0-9_-]{43})")
_ID_BYTES = 16


def mint_device(key: bytes, account: bytes, now: datetime, device: str | None = None) -> str:
    """Return the token of a device on which *account* logged in at *now*.

    A *device* that is known already keeps its id.
    """
    device = device or to_base64url(secrets.token_bytes(_ID_BYTES))
    until = int((now + DEVICE_LIFETIME).timestamp())
    return f"kd1.{device}.{until}.{_mac(key, account, device, until)}"


def device_of(key: bytes, token: str, account: bytes, now: datetime) -> str | None:
    """Return the id of the device, or None if *token* is not one of *account*, or has expired."""
    match = _SHAPE.fullmatch(token)
    if match is None:
        return None
    device, until, mac = match[1], int(match[2]), match[3]
    if not hmac.compare_digest(mac, _mac(key, account, device, until)):
        return None
    return device if now.timestamp() < until else None


def _mac(key: bytes, account: bytes, device: str, until: int) -> str:
    # The id has a fixed length and the time only digits, so no two messages are the same.
    return to_base64url(hmac.digest(key, f"{device}.{until}.".encode() + account, "sha256"))
