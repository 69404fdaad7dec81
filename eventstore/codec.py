"""Encodes events as stored bytes and decodes them by their tag.

``state`` is the JSON object ``{"metadata": …, "event": …}`` exactly as the audit tree hashes it.
It holds a personal value as ``sha256:<base64url of sha256(salt || value)>``; the salt and the value
go into ``private``, a msgpack pair of sealed values ``[origin, event]``. The first says where the
request came from, sealed with the key of the person who asked; the second is a map of the event's
personal fields, sealed with the key of the stream or of another subject that the event names.
"""

import hashlib
from binascii import b2a_base64
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Protocol, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from msgspec import Meta, Struct, defstruct
from msgspec.structs import force_setattr, replace

from domain.base import ERASED, Event, OrgId
from domain.catalog import EVENT_TYPES
from eventstore.identifiers import random_bytes
from eventstore.recorded import Metadata, Recorded, Row
from eventstore.upcasting import STEPS, schema_version, upcast

SALT_BYTES = 16
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Cipher(Protocol):
    """Seals bytes under the data key of one subject."""

    def seal(self, plain: bytes, aad: bytes, /) -> bytes: ...
    def open(self, blob: bytes, aad: bytes, /) -> bytes: ...


class _Stored(Struct, frozen=True):
    metadata: Metadata
    event: Event


Salted = tuple[bytes, str]
"""A personal value after its salt."""

Values = dict[str, Salted]
"""Personal values by field name."""


class PersonalFields:
    """The personal fields of an event by their names in Python and in the stored bytes."""

    def __init__(self, event_type: type[Event]) -> None:
        hints = get_type_hints(event_type, include_extras=True)
        names = zip(event_type.__struct_fields__, event_type.__struct_encode_fields__, strict=True)
        self.encoded = {name: encoded for name, encoded in names if _is_personal(hints[name])}
        self.attributes = {encoded: name for name, encoded in self.encoded.items()}


def _is_personal(hint: Any) -> bool:
    metas = getattr(hint, "__metadata__", ())
    if any(isinstance(m, Meta) and (m.extra or {}).get("personal") for m in metas):
        return True
    return get_origin(hint) is not None and any(_is_personal(arg) for arg in get_args(hint))


PERSONAL = {event_type: PersonalFields(event_type) for event_type in EVENT_TYPES.values()}

_encoder = msgspec.json.Encoder()
_pack = msgspec.msgpack.Encoder().encode
_unpack_private = msgspec.msgpack.Decoder(tuple[bytes | None, bytes | None]).decode
_unpack_values = msgspec.msgpack.Decoder(Values).decode
_unpack_value = msgspec.msgpack.Decoder(Salted).decode

_TAGS: dict[type[Event], str] = {kind: tag for tag, kind in EVENT_TYPES.items()}

# One decoder per tag: finding the right member of a union costs as much as decoding it.
_DECODE: dict[str, Callable[[bytes], Any]] = {
    tag: msgspec.json.Decoder(defstruct("Stated", [("event", kind)], gc=False)).decode
    for tag, kind in EVENT_TYPES.items()
}

_EVENT = b',"event":'
"""The event follows the last occurrence of these bytes, because quotes inside a text are escaped
and no event has a member called ``event``."""

SEALED_TYPES = frozenset(kind for kind, fields in PERSONAL.items() if fields.encoded)
"""The events with personal values."""

SEALED_TAGS = frozenset(tag for tag, kind in EVENT_TYPES.items() if kind in SEALED_TYPES)
"""The tags of these events, as written today."""

KEYED_TAGS = SEALED_TAGS | STEPS.keys()
"""The tags of all events that may have personal values, which need a key to be read."""


def commit_to(value: str) -> tuple[str, Salted]:
    """Return a salted commitment to *value*, and what opens it."""
    salt = random_bytes(SALT_BYTES)
    digest = b2a_base64(hashlib.sha256(salt + value.encode()).digest(), newline=False)
    return f"sha256:{digest[:-1].translate(_URL_SAFE).decode()}", (salt, value)


class Origin(Struct, frozen=True):
    """Where a command came from, committed to and sealed once for all of its events."""

    commitment: str | None = None
    sealed: bytes | None = None


NOWHERE = Origin()
"""The origin of a command without a request, or without a user whose key could seal it."""


def seal_origin(
    ip: str | None, user_agent: str | None, cipher: Cipher | None, command: tuple[UUID, int]
) -> Origin:
    """Commit to the address and the program that a command came from, as JSON ``[ip, program]``.

    *command* is the person and the time in microseconds; the sealed value is bound to both.
    """
    if cipher is None or (ip is None and user_agent is None):
        return NOWHERE
    commitment, opened = commit_to(_encoder.encode((ip, user_agent)).decode())
    return Origin(commitment, cipher.seal(_pack(opened), _command_place(*command)))


EncodeNumbered = Callable[[int], bytes]  # the state of an event with its ``number``


def encode(
    event: Event, metadata: Metadata, org_id: OrgId, origin: Origin, cipher: Cipher | None
) -> Row:
    """Return the row of *event*; the append assigns its position and sequence number.

    *cipher* is that of its ``key_owner``; None is allowed only for events without personal fields.
    """
    row = empty_row(event, metadata.stream, metadata.version, org_id, metadata.at)
    fill_row(row, event, metadata, origin, cipher)
    return row


def empty_row(event: Event, stream: UUID, version: int, org_id: OrgId, at: int) -> Row:
    """Return the row of *event* without its bytes."""
    return Row(0, stream, version, _TAGS[type(event)], b"", None, org_id, 0, at)


def fill_row(
    row: Row, event: Event, metadata: Metadata, origin: Origin, cipher: Cipher | None
) -> None:
    """Fill in the bytes of *row*, the one of *event*; see ``encode``."""
    row.state = _encoder.encode(_prepared(row, event, metadata, origin, cipher))


def fill_open(
    row: Row, event: Event, metadata: Metadata, origin: Origin, cipher: Cipher | None
) -> EncodeNumbered:
    """Fill in *row* but for its state; return the function that encodes that by number."""
    stored = _prepared(row, event, metadata, origin, cipher)

    def numbered(number: int) -> bytes:
        return _encoder.encode(_Stored(stored.metadata, replace(stored.event, number=number)))

    return numbered


def _prepared(
    row: Row, event: Event, metadata: Metadata, origin: Origin, cipher: Cipher | None
) -> _Stored:
    """Fill in what is sealed in *row*; return what is not."""
    if row.tag in STEPS:
        metadata = replace(metadata, schema=schema_version(row.tag))
    stated, sealed = _committed(event, metadata, cipher)
    if origin.sealed or sealed:
        row.private = _pack((origin.sealed, sealed))
    return _Stored(metadata, stated)


def _committed(
    event: Event, metadata: Metadata, cipher: Cipher | None
) -> tuple[Event, bytes | None]:
    """Return *event* with commitments in place of its personal values, and those values sealed."""
    values: Values = {}
    commitments: dict[str, str] = {}
    for name, encoded in PERSONAL[type(event)].encoded.items():
        value = getattr(event, name)
        if isinstance(value, str):
            commitments[name], values[encoded] = commit_to(value)
    if not values:
        return event, None
    if cipher is None:
        raise ValueError(f"{type(event).__name__} needs a key")
    sealed = cipher.seal(_pack(values), _place(metadata.stream, metadata.version))
    return replace(event, **commitments), sealed


def decode(row: Row, cipher: Cipher | None) -> Recorded:
    """Return *row* as readers see it; without *cipher*, personal values read as erased.

    :raises msgspec.ValidationError: this version cannot read the stored bytes.
    """
    return Recorded(
        row.position,
        row.org_id,
        row.org_seq,
        row.stream_id,
        row.version,
        row.recorded_at,
        decode_event(row, cipher),
        row.state,
    )


def decode_event(row: Row, cipher: Cipher | None) -> Event:
    """Return the event of *row* without its envelope, which is enough to fold it."""
    tag = row.tag
    if tag in STEPS:
        return _opened(upcast(row, STEPS[tag]), row, cipher)
    stated: Any = _DECODE[tag](row.state)
    return _opened(stated.event, row, cipher) if tag in SEALED_TAGS else stated.event


def decode_events(rows: Iterable[Row], ciphers: Mapping[int, Cipher | None]) -> list[Event]:
    """Return what ``decode_event`` does for each of *rows*; *ciphers* are by position."""
    return [
        decode_event(row, ciphers.get(row.position))
        if row.tag in KEYED_TAGS
        else _DECODE[row.tag](row.state).event
        for row in rows
    ]


def event_part(state: bytes) -> bytes:
    """Return the JSON of the event in a stored *state*.

    :raises ValueError: there is none.
    """
    return state[state.rindex(_EVENT) + len(_EVENT) : -1]


def _opened(event: Event, row: Row, cipher: Cipher | None) -> Event:
    """Put the personal values of *event*, which was decoded just now for the caller, in place."""
    values = event_values(row, cipher)
    for encoded, name in PERSONAL[type(event)].attributes.items():
        if (salted := values.get(encoded)) is not None:
            force_setattr(event, name, salted[1])
        elif isinstance(getattr(event, name), str):
            force_setattr(event, name, ERASED)
    return event


def event_values(row: Row, cipher: Cipher | None) -> Values:
    """Return the personal values of the event in *row* with their salts."""
    if row.private is None or cipher is None:
        return {}
    sealed = _unpack_private(row.private)[1]
    if sealed is None:
        return {}
    return _unpack_values(cipher.open(sealed, _place(row.stream_id, row.version)))


def left_of(row: Row, cipher: Cipher, gone: Collection[str]) -> bytes | None:
    """Return what is left of the sealed values of *row* without the fields *gone*."""
    if row.private is None:
        return None
    origin, _ = _unpack_private(row.private)
    kept = {k: v for k, v in event_values(row, cipher).items() if k not in gone}
    sealed = cipher.seal(_pack(kept), _place(row.stream_id, row.version)) if kept else None
    return _pack((origin, sealed)) if origin or sealed else None


def origin_value(row: Row, cipher: Cipher | None, subject: UUID) -> Salted | None:
    """Return the value behind the origin in *row*, None if it has none or its key is gone."""
    if row.private is None or cipher is None:
        return None
    sealed = _unpack_private(row.private)[0]
    if sealed is None:
        return None
    opened: Salted = _unpack_value(cipher.open(sealed, _command_place(subject, row.recorded_at)))
    return opened


def _place(stream: UUID, version: int) -> bytes:
    # Bound to every sealed value, so that it cannot be moved to another event.
    return (stream.int << 64 | version).to_bytes(24, "big")


def _command_place(subject: UUID, at: int) -> bytes:
    # So that the origin of one command cannot be moved to another.
    return (subject.int << 64 | at).to_bytes(24, "big")
