"""List cursors that nobody else can forge.

A cursor is bound to the list it was issued for (organization, filters, sort order) and refused
anywhere else. It is authenticated, not encrypted, so it must not contain secrets.
"""

import hashlib
import hmac
from collections.abc import Sequence

import msgspec

from security.base64url import from_base64url, to_base64url
from security.derivation import derive_key

CURSOR_CHARS_MAX = 1024
"""A cursor travels in a query string; proxies commonly truncate those at a few KiB."""

MAC_BYTES = 16
"""Keyed BLAKE2b (RFC 7693) of 128 bits: a third of the time of HMAC-SHA256."""

ISSUED_MAX = 1_024
"""Cursors that are kept in memory: less than 1 MB.

Most of those that are asked for were issued a moment ago: nothing has to be computed again.
"""

CursorValue = str | int | float | bool | None
"""What a cursor can contain: JSON scalars."""

_values = msgspec.json.Decoder(list[CursorValue]).decode


class InvalidCursor(Exception):
    """This cursor was not issued for this list."""


class CursorKey:
    """Encodes and decodes cursors with one secret of at least 32 bytes."""

    def __init__(self, secret: str) -> None:
        self._key = derive_key(secret, "trackrecord list cursor v1")
        self._issued: dict[tuple[str, bytes], str] = {}
        self._payloads: dict[tuple[str, str], bytes] = {}

    def encode(self, binding: str, values: Sequence[CursorValue]) -> str:
        """Return a cursor that contains *values* and is valid for *binding* only.

        :raises ValueError: it would be longer than ``CURSOR_CHARS_MAX``.
        """
        payload = msgspec.json.encode(values)
        known = self._issued.get((binding, payload))
        if known is not None:  # most pages are asked for again and again
            return known
        cursor = to_base64url(self._mac(binding, payload) + payload)
        if len(cursor) > CURSOR_CHARS_MAX:
            raise ValueError(f"a cursor has at most {CURSOR_CHARS_MAX} characters")
        if len(self._issued) >= ISSUED_MAX:
            self._issued.clear()
            self._payloads.clear()
        self._issued[binding, payload] = cursor
        self._payloads[binding, cursor] = payload
        return cursor

    def decode(self, binding: str, cursor: str) -> list[CursorValue]:
        """Return the values in *cursor*.

        :raises InvalidCursor: we did not issue it, or issued it for another binding.
        """
        payload = self._payloads.get((binding, cursor)) or self._verified(binding, cursor)
        return _values(payload)

    def _verified(self, binding: str, cursor: str) -> bytes:
        """Return the payload of a cursor that another process issued, or that is forgotten.

        :raises InvalidCursor: we did not issue it, or issued it for another binding.
        """
        if len(cursor) > CURSOR_CHARS_MAX:
            raise InvalidCursor
        try:
            raw = from_base64url(cursor)
        except ValueError:
            raise InvalidCursor from None
        mac, payload = raw[:MAC_BYTES], raw[MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(binding, payload)):
            raise InvalidCursor
        return payload

    def _mac(self, binding: str, payload: bytes) -> bytes:
        # The length prefix distinguishes "a" + "bc" from "ab" + "c".
        bound = binding.encode("utf-8", "surrogatepass")
        message = len(bound).to_bytes(4, "big") + bound + payload
        return hashlib.blake2b(message, key=self._key, digest_size=MAC_BYTES).digest()
