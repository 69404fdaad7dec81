"""Links that give out one file for a few minutes, without any other credential.

Nothing is stored for a link. It says for whom it was made, so that their access is checked again
when it is used.
"""

import hmac
import re
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from security.base64url import to_base64url

LINK_LIFETIME = timedelta(minutes=5)
"""How long a link leads to its file: time to start a download, not to pass the link on."""

_ID = r"([0-9a-f]{32})"
_SHAPE = re.compile(rf"fl1\.{_ID}\.{_ID}\.{_ID}\.([1-9][0-9]{{9,10}})\.([A-Za-z0-9_-]{{43}})")


class DownloadLink(Struct, frozen=True):
    """Which file a link gives out, and to whom."""

    org_id: UUID
    attachment_id: UUID
    user_id: UUID


def mint_link(key: bytes, link: DownloadLink, until: datetime) -> str:
    """Return the token of *link*, which is valid until the whole second of *until*."""
    ids = ".".join(each.hex for each in (link.org_id, link.attachment_id, link.user_id))
    said = f"fl1.{ids}.{int(until.timestamp())}"
    return f"{said}.{_mac(key, said)}"


def read_link(key: bytes, token: str, now: datetime) -> DownloadLink | None:
    """Return what *token* says; None if it is not one of ours, or has expired."""
    match = _SHAPE.fullmatch(token)
    if match is None:
        return None
    said, _, mac = token.rpartition(".")
    if not hmac.compare_digest(mac, _mac(key, said)) or now.timestamp() >= int(match[4]):
        return None
    return DownloadLink(UUID(hex=match[1]), UUID(hex=match[2]), UUID(hex=match[3]))


def _mac(key: bytes, said: str) -> str:
    return to_base64url(hmac.digest(key, said.encode(), "sha256"))
