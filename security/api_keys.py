"""API keys: ``tr_live_``, then 12 characters of id, 32 of secret and 6 of checksum, in base 62.

The prefix and the checksum let scanners find a leaked key, and let us refuse a mistyped one without
asking the log. The secret has 190 bits, so a fast hash of it cannot be searched; it is keyed, so
that whoever can write to the database cannot make up a key.
"""

import hmac
import re
import secrets
import string
import zlib
from collections.abc import Iterable

from msgspec import Struct

KEY_PREFIX = "tr_live_"
KEY_PATTERN = r"tr_live_[0-9A-Za-z]{50}"
"""For secret scanners."""

_ID_CHARS, _SECRET_CHARS, _CHECK_CHARS = 12, 32, 6
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_KEY = re.compile(KEY_PATTERN)
_IN_TEXT = re.compile(rf"({KEY_PREFIX}[0-9A-Za-z]{{0,{_ID_CHARS}}})[0-9A-Za-z]*")


class PresentedKey(Struct, frozen=True):
    """A well-formed key; only its hash can tell whether it was ever issued."""

    key_id: str
    hash: str


class NewKey(Struct, frozen=True):
    """A key just made: ``text`` is shown once and stored nowhere."""

    text: str
    key_id: str
    hash: str

    @property
    def last4(self) -> str:
        """The last characters, by which people recognise a key; they are of the checksum."""
        return self.text[-4:]


class ApiKeys:
    """Makes and reads keys with the pepper of the deployment."""

    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper

    def new(self, key_id: str | None = None) -> NewKey:
        """Return a new key, or a new secret for the key with the id *key_id*."""
        key_id = key_id or _random(_ID_CHARS)
        start = f"{KEY_PREFIX}{key_id}{_random(_SECRET_CHARS)}"
        text = start + _checksum(start)
        return NewKey(text, key_id, self._hash(text))

    def read(self, text: str) -> PresentedKey | None:
        """Return what *text* says, None if it is malformed or mistyped."""
        if _KEY.fullmatch(text) is None or _checksum(text[:-_CHECK_CHARS]) != text[-_CHECK_CHARS:]:
            return None
        key_id = text[len(KEY_PREFIX) : len(KEY_PREFIX) + _ID_CHARS]
        return PresentedKey(key_id, self._hash(text))

    def _hash(self, text: str) -> str:
        return hmac.digest(self._pepper, b"api key\0" + text.encode(), "sha256").hex()


def without_keys(text: str) -> str:
    """Return *text* with only the public part of each key in it, also of one that is cut off."""
    if KEY_PREFIX not in text:
        return text
    return _IN_TEXT.sub(r"\1…", text)


def is_key(presented: PresentedKey, hashes: Iterable[str]) -> bool:
    """Return whether one of *hashes* is of the presented key, in constant time."""
    found = [hmac.compare_digest(each.encode(), presented.hash.encode()) for each in hashes]
    return any(found)


def _random(chars: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(chars))


def _checksum(text: str) -> str:
    """Return the CRC-32 of *text* in base 62."""
    rest, found = zlib.crc32(text.encode()), ""
    for _ in range(_CHECK_CHARS):
        rest, digit = divmod(rest, len(_ALPHABET))
        found = _ALPHABET[digit] + found
    return found
