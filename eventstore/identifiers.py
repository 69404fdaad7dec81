"""New identifiers, and the random bytes that they, salts, nonces and keys are made of.

Ids are UUIDs of version 7, so that those created in sequence are stored together. The id of an
event is not among them: it is made from what the event says.

Random bytes are read from the system in large blocks. Reading 16 of them costs little in itself,
but it releases the interpreter lock, and with a busy writer thread, getting it back costs twenty
times as much.

``uuid.UUID(...)`` checks its arguments, which takes a microsecond or more; ids that are known to be
valid are created without it.
"""

import os
import threading
import time
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from uuid import UUID, SafeUUID

IDS_REMEMBERED = 65_536
_DRAUGHT_BYTES = 4096

_new = object.__new__
_set = object.__setattr__
_UNKNOWN = SafeUUID.unknown
_MASK = ~(0xF000 << 64 | 0xC000 << 48)
_VERSION_7 = 0x7000 << 64 | 0x8000 << 48
_VERSION_8 = 0x8000 << 64 | 0x8000 << 48


class _Pool(threading.local):
    """A pool per thread, so that no byte is used twice."""

    def __init__(self) -> None:
        self.drawn = BytesIO()


_pool = _Pool()


def random_bytes(count: int) -> bytes:
    """Return *count* bytes from the system's cryptographic generator, each used only once."""
    found = _pool.drawn.read(count)
    if len(found) < count:
        _pool.drawn = BytesIO(os.urandom(_DRAUGHT_BYTES + count))
        found = _pool.drawn.read(count)
    return found


def _start_over() -> None:
    _pool.drawn = BytesIO()


# A forked child must not return the same bytes as its parent.
os.register_at_fork(after_in_child=_start_over)


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, 74 random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(random_bytes(10), "big")
    return _made(value & _MASK | _VERSION_7)


def made_at(new: UUID) -> int:
    """Return when an id of ``new_id`` was made, in milliseconds since 1970."""
    return new.int >> 80


def id_of_event(state: bytes) -> UUID:
    """Return the id of the event with the stored bytes *state*, which no other event has.

    A UUIDv8 (RFC 9562, section 5.8) made of the first bytes of SHA-256(0x00 || state), which is
    the event's leaf in the audit tree: the id needs no space in the log, and whatever proves the
    leaf proves the id.
    """
    digest = sha256(b"\0" + state).digest()
    return _made(int.from_bytes(digest[:16], "big") & _MASK | _VERSION_8)


@lru_cache(IDS_REMEMBERED)
def id_of(stored: bytes) -> UUID:
    """Return an id from its 16 bytes, cached because the same ids recur."""
    return _made(int.from_bytes(stored, "big"))


def _made(value: int) -> UUID:
    made = _new(UUID)
    _set(made, "int", value)
    _set(made, "is_safe", _UNKNOWN)
    return made
