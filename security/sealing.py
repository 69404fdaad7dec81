"""Personal data at rest: each subject's values sealed with that subject's own key.

A data key lives only wrapped by the master key. Destroy the wrapped key, and
everything it sealed is noise for ever, wherever copies may lie; the log itself
stays untouched. AES-256-GCM throughout (NIST SP 800-38D) with random 96-bit
nonces, which are safe for 2^32 messages a key.
"""

import hashlib
import hmac
import os
import threading
from collections import OrderedDict
from uuid import UUID, uuid5

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from security.derivation import derive_key

DATA_KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
KEY_ID_BYTES = 8
SALT_BYTES = 16

SEALED_V1 = b"\x01"
"""First byte of a sealed value: then nonce, ciphertext, tag."""

WRAPPED_V1 = b"\x01"
"""First byte of a wrapped key: then the master key's id, nonce, ciphertext, tag."""

SEALERS_MAX = 4096
"""Sealers kept ready, about 2 KiB each."""

CLAIM_NAMESPACE = UUID("8d0c6f0e-54a4-5b1c-9c1f-2f7f3c6a9b11")
"""Ids of claim streams live here. Fixed for ever: another value frees every taken name."""


class SealBroken(Exception):
    """This was not sealed with this key for this purpose, or was changed since."""


class Sealer:
    """Seals and opens values with one data key; safe to share between threads."""

    __slots__ = ("_aead",)

    def __init__(self, data_key: bytes) -> None:
        if len(data_key) != DATA_KEY_BYTES:
            raise ValueError(f"a data key has {DATA_KEY_BYTES} bytes")
        self._aead = AESGCM(data_key)

    def seal(self, plain: bytes, aad: bytes) -> bytes:
        """Return *plain* sealed; it opens only with the same *aad*, which says what it is."""
        nonce = os.urandom(NONCE_BYTES)
        return SEALED_V1 + nonce + self._aead.encrypt(nonce, plain, SEALED_V1 + aad)

    def open(self, blob: bytes, aad: bytes) -> bytes:
        """Return what was sealed.

        :raises SealBroken: if key, *aad* or a single bit is another.
        """
        if blob[:1] != SEALED_V1 or len(blob) < 1 + NONCE_BYTES + TAG_BYTES:
            raise SealBroken
        nonce = blob[1 : 1 + NONCE_BYTES]
        try:
            return self._aead.decrypt(nonce, blob[1 + NONCE_BYTES :], SEALED_V1 + aad)
        except InvalidTag:
            raise SealBroken from None


class MasterKey:
    """Wraps data keys. Derived from a configured secret of at least 32 bytes.

    Its ``key_id`` says which secret it came from and gives nothing of it away.
    """

    def __init__(self, secret: str) -> None:
        self._aead = AESGCM(derive_key(secret, "trackrecord data key wrapping v1"))
        self.key_id = derive_key(secret, "trackrecord data key wrapping id v1")[:KEY_ID_BYTES]

    def wrap(self, data_key: bytes, subject: UUID) -> bytes:
        """Return *data_key* fit to be stored, bound to *subject*."""
        nonce = os.urandom(NONCE_BYTES)
        head = WRAPPED_V1 + self.key_id
        return head + nonce + self._aead.encrypt(nonce, data_key, head + subject.bytes)

    def unwrap(self, blob: bytes, subject: UUID) -> bytes:
        """Return the data key.

        :raises SealBroken: if it was wrapped by another master key, for another
            subject, or was changed since.
        """
        head_bytes = len(WRAPPED_V1) + KEY_ID_BYTES
        head, nonce = blob[:head_bytes], blob[head_bytes : head_bytes + NONCE_BYTES]
        if head != WRAPPED_V1 + self.key_id or len(nonce) != NONCE_BYTES:
            raise SealBroken
        try:
            wrapped = blob[head_bytes + NONCE_BYTES :]
            return self._aead.decrypt(nonce, wrapped, head + subject.bytes)
        except InvalidTag:
            raise SealBroken from None


class Sealers:
    """Sealers ready for use, the least recently used dropped first.

    Asking needs the wrapped key each time, so a subject whose wrapped key is
    erased can not be served from memory. Master keys other than the first only
    unwrap: they are the ones rotated out. Safe to share between threads.
    """

    def __init__(self, current: MasterKey, *previous: MasterKey, size_max: int = SEALERS_MAX):
        self._current = current
        self._masters = {master.key_id: master for master in (*previous, current)}
        self._size_max = size_max
        self._ready: OrderedDict[UUID, tuple[bytes, Sealer]] = OrderedDict()
        self._lock = threading.Lock()

    def new(self, subject: UUID) -> bytes:
        """Return a new wrapped data key for *subject*, to be stored."""
        return self._current.wrap(new_data_key(), subject)

    def of(self, wrapped: bytes, subject: UUID) -> Sealer:
        """Return the sealer of *subject*, whose wrapped data key is *wrapped*.

        :raises SealBroken: if no master key of ours unwraps it.
        """
        with self._lock:
            ready = self._ready.get(subject)
            if ready is not None and ready[0] == wrapped:
                self._ready.move_to_end(subject)
                return ready[1]
        sealer = Sealer(self._unwrap(wrapped, subject))
        with self._lock:
            self._ready[subject] = (wrapped, sealer)
            self._ready.move_to_end(subject)
            while len(self._ready) > self._size_max:
                self._ready.popitem(last=False)
        return sealer

    def forget(self, subject: UUID) -> None:
        """Drop the sealer of *subject* from memory, as an erasure must."""
        with self._lock:
            self._ready.pop(subject, None)

    def _unwrap(self, wrapped: bytes, subject: UUID) -> bytes:
        master = self._masters.get(wrapped[1 : 1 + KEY_ID_BYTES])
        if master is None:
            raise SealBroken
        return master.unwrap(wrapped, subject)


def new_data_key() -> bytes:
    """Return 32 random bytes: the key of one subject."""
    return os.urandom(DATA_KEY_BYTES)


def new_salt() -> bytes:
    """Return the 16 random bytes that a commitment needs."""
    return os.urandom(SALT_BYTES)


def commitment(salt: bytes, value: bytes) -> str:
    """Return what can stand in the log for *value*, and prove it later, but not tell it.

    Once the random salt is destroyed, not even a guessed value can be confirmed.

    :raises ValueError: if the salt has not 16 bytes: salt and value are simply
        joined, so another length would let two pairs share a commitment.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    return "sha256:" + hashlib.sha256(salt + value).hexdigest()


def pepper_hash(pepper: bytes, kind: str, value: str) -> bytes:
    """Return a keyed hash of *value*, the same each time: equality without the value.

    HMAC-SHA256 over kind, NUL, value. Bring the value to one spelling first.

    :raises ValueError: if the kind contains NUL.
    """
    if "\0" in kind:
        raise ValueError("a kind contains no NUL")
    return hmac.digest(pepper, f"{kind}\0{value}".encode(), "sha256")


def claim_id(pepper: bytes, kind: str, value: str) -> UUID:
    """Return the id of the stream that makes *value* unique among its kind."""
    return uuid5(CLAIM_NAMESPACE, pepper_hash(pepper, kind, value).hex())
