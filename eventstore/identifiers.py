"""New identifiers: UUIDs of version 7, so that ids created in sequence are stored together.

The id of an event is not among them: it is made from what the event says.

``uuid.UUID(...)`` checks its arguments, which takes a microsecond or more; ids that are known to be
valid are created without it.
"""

import time
from functools import lru_cache
from hashlib import sha256
from uuid import UUID, SafeUUID

from eventstore.randomness import random_bytes

IDS_REMEMBERED = 65_536

_new = object.__new__
_set = object.__setattr__
_UNKNOWN = SafeUUID.unknown
_MASK = ~(0xF000 << 64 | 0xC000 << 48)
_VERSION_7 = 0x7000 << 64 | 0x8000 << 48
_VERSION_8 = 0x8000 << 64 | 0x8000 << 48


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
