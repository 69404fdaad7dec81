"""Encryption of personal data: each subject's values under the subject's own key.

A data key is stored only wrapped by the master key. Once the wrapped key is destroyed, what it
encrypted is unreadable forever, in all copies, while the log itself stays unchanged. AES-256-GCM
throughout (NIST SP 800-38D) with random 96-bit nonces, which are safe for 2^32 messages per key.
"""

import hmac
import os
from collections.abc import Callable
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from security.derivation import derive_key

DATA_KEY_BYTES = 32
_NONCE_BYTES = 12
TAG_BYTES = 16
_KEY_ID_BYTES = 8

SEALED_V1 = b"\x01"
"""First byte of a sealed value: then nonce, ciphertext, tag."""

_SEALED_FROM = len(SEALED_V1) + _NONCE_BYTES
_SEALED_MIN = _SEALED_FROM + TAG_BYTES

WRAPPED_V1 = b"\x01"
"""First byte of a wrapped key: then the master key's id, nonce, ciphertext, tag."""


class SealBroken(Exception):
    """This was not encrypted with this key for this purpose, or was changed since."""


class StreamCipher:
    """Encrypts and decrypts values with one data key; can be shared between threads."""

    __slots__ = ("_aead", "_random")

    def __init__(self, data_key: bytes, random: Callable[[int], bytes] = os.urandom) -> None:
        if len(data_key) != DATA_KEY_BYTES:
            raise ValueError(f"a data key has {DATA_KEY_BYTES} bytes")
        self._aead = AESGCM(data_key)
        self._random = random

    def seal(self, plain: bytes, aad: bytes) -> bytes:
        """Return *plain* encrypted; it opens only with the same *aad*, which says what it is."""
        nonce = self._random(_NONCE_BYTES)
        return SEALED_V1 + nonce + self._aead.encrypt(nonce, plain, SEALED_V1 + aad)

    def open(self, blob: bytes, aad: bytes) -> bytes:
        """Return the decrypted value.

        :raises SealBroken: the key or *aad* differs, or a bit was changed.
        """
        if len(blob) < _SEALED_MIN or not blob.startswith(SEALED_V1):
            raise SealBroken
        nonce, sealed = blob[1:_SEALED_FROM], blob[_SEALED_FROM:]
        try:
            return self._aead.decrypt(nonce, sealed, SEALED_V1 + aad)
        except InvalidTag:
            raise SealBroken from None


class MasterKey:
    """Wraps data keys and secrets. Derived from a configured secret of at least 32 bytes.

    Its ``key_id`` identifies the secret without revealing anything about it.
    """

    def __init__(self, secret: str) -> None:
        self._aead = AESGCM(derive_key(secret, "trackrecord data key wrapping v1"))
        self.key_id = derive_key(secret, "trackrecord data key wrapping id v1")[:_KEY_ID_BYTES]

    def wrap(
        self, data_key: bytes, subject: UUID, random: Callable[[int], bytes] = os.urandom
    ) -> bytes:
        """Return *data_key* wrapped for storage and bound to *subject*."""
        nonce = random(_NONCE_BYTES)
        head = WRAPPED_V1 + self.key_id
        return head + nonce + self._aead.encrypt(nonce, data_key, head + subject.bytes)

    def unwrap(self, blob: bytes, subject: UUID) -> bytes:
        """Return the data key.

        :raises SealBroken: it was wrapped by another master key, for another subject, or was
            changed since.
        """
        head_bytes = len(WRAPPED_V1) + _KEY_ID_BYTES
        head, nonce = blob[:head_bytes], blob[head_bytes : head_bytes + _NONCE_BYTES]
        if head != WRAPPED_V1 + self.key_id or len(nonce) != _NONCE_BYTES:
            raise SealBroken
        try:
            wrapped = blob[head_bytes + _NONCE_BYTES :]
            return self._aead.decrypt(nonce, wrapped, head + subject.bytes)
        except InvalidTag:
            raise SealBroken from None


class MasterKeys:
    """The master key that wraps, and previous ones that only unwrap until all is wrapped again."""

    def __init__(self, current: MasterKey, *previous: MasterKey) -> None:
        self._current = current
        self._by_id = {master.key_id: master for master in (current, *previous)}

    def wrap(
        self, plain: bytes, subject: UUID, random: Callable[[int], bytes] = os.urandom
    ) -> bytes:
        """Return *plain* wrapped by the current key and bound to *subject*."""
        return self._current.wrap(plain, subject, random)

    def unwrap(self, blob: bytes, subject: UUID) -> bytes:
        """Return what is wrapped in *blob*, by whichever key.

        :raises SealBroken: none of our keys wrapped it, or it was changed since.
        """
        master = self._by_id.get(key_id_of(blob))
        if master is None:
            raise SealBroken
        return master.unwrap(blob, subject)

    def is_outdated(self, blob: bytes) -> bool:
        """Return whether a previous key wrapped *blob*, so that it has to be wrapped again."""
        return blob[:1] == WRAPPED_V1 and key_id_of(blob) in self._by_id.keys() - {
            self._current.key_id
        }


def master_keys(*secrets: str) -> MasterKeys:
    """Return the keys derived from *secrets*, the current one first, without empty ones."""
    current, *previous = (MasterKey(secret) for secret in secrets if secret)
    return MasterKeys(current, *previous)


def key_id_of(blob: bytes) -> bytes:
    """Return the id of the master key that wrapped *blob*."""
    return blob[1 : 1 + _KEY_ID_BYTES]


class DataKeys:
    """Creates and opens the data keys of subjects; it stores none of them.

    *pepper* keys the hashes by which personal values are found. *random* returns as many
    unpredictable bytes as asked for, never the same ones twice.
    """

    def __init__(
        self, masters: MasterKeys, pepper: bytes, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._masters, self._pepper, self._random = masters, pepper, random

    def make(self, subject: UUID) -> tuple[StreamCipher, bytes]:
        """Return the cipher of a new data key for *subject*, and the wrapped key to be stored."""
        key = self._random(DATA_KEY_BYTES)
        return StreamCipher(key, self._random), self._masters.wrap(key, subject, self._random)

    def fingerprint(self, kind: str, value: str) -> bytes:
        """Return a keyed hash of *value*, the same in every process of a deployment."""
        return pepper_hash(self._pepper, kind, value)

    def open(self, wrapped: bytes, subject: UUID) -> StreamCipher:
        """Return the cipher of *subject*, whose wrapped data key is *wrapped*.

        :raises SealBroken: none of our master keys unwraps it.
        """
        return StreamCipher(self._masters.unwrap(wrapped, subject), self._random)


def pepper_hash(pepper: bytes, kind: str, value: str) -> bytes:
    """Return a keyed hash of *value*, the same every time, to compare values without storing them.

    HMAC-SHA256 over kind, NUL, value. Normalise the value first.

    :raises ValueError: the kind contains NUL.
    """
    if "\0" in kind:
        raise ValueError("a kind contains no NUL")
    return hmac.digest(pepper, f"{kind}\0{value}".encode(), "sha256")
