"""Events to stored bytes and back, named by their tag.

``state`` is the JSON object ``{"metadata": …, "event": …}`` exactly as the audit tree hashes it.
A personal value stands there as ``sha256:<base64url of sha256(salt || value)>``; salt and value go
into ``private``, a msgpack pair of sealed maps ``[metadata, event]``, each under the key of its
subject: the actor for where a request came from, the stream for what it says.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any, Protocol, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from domain.base import Event, OrgId
from domain.catalog import EVENT_TYPES
from eventstore.randomness import random_bytes
from eventstore.recorded import ERASED, Metadata, Recorded, Row
from eventstore.upcasting import STEPS, schema_version, upcast

SALT_BYTES = 16
ORIGIN = "from"
"""The name of the origin in the metadata."""


class Cipher(Protocol):
    """Seals bytes under the data key of one subject."""

    def seal(self, plain: bytes, aad: bytes, /) -> bytes: ...
    def open(self, blob: bytes, aad: bytes, /) -> bytes: ...


class _Stored(Struct, frozen=True):
    metadata: Metadata
    event: Event


Values = dict[str, tuple[bytes, str]]
"""Personal values by field name, each with its salt."""


class PersonalFields:
    """Which fields of an event are personal, under both of their names."""

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


# One decoder a tag: looking for the right member of a union costs as much as decoding one.
_DECODE = {tag: msgspec.json.Decoder(kind).decode for tag, kind in EVENT_TYPES.items()}

_METADATA_AT = len(b'{"metadata":')
_EVENT = b',"event":'
"""What the event begins after: the last such bytes, as quotes inside a text are escaped and no
event has a member called ``event``. Looking from the end passes over the event only, which is
short, and not over the metadata, nine tenths of most states."""

SEALED_TAGS = frozenset(tag for tag, kind in EVENT_TYPES.items() if PERSONAL[kind].encoded)
"""The events with personal values, by the names they are written under today."""


def commit_to(value: str) -> tuple[str, tuple[bytes, str]]:
    """Return a salted commitment to *value*, and what opens it."""
    salt = random_bytes(SALT_BYTES)
    digest = urlsafe_b64encode(hashlib.sha256(salt + value.encode()).digest())
    return f"sha256:{digest[:-1].decode()}", (salt, value)


class Origin(Struct, frozen=True):
    """Where a command came from: committed to and sealed once for all of its events."""

    commitment: str | None = None
    sealed: bytes | None = None


NOWHERE = Origin()
"""The origin of a command without a request, or without a user whose key could seal it."""


class _Request(Struct, frozen=True, rename="camel", omit_defaults=True):
    ip: str | None = None
    user_agent: str | None = None


def seal_origin(
    ip: str | None, user_agent: str | None, cipher: Cipher | None, command: tuple[UUID, int]
) -> Origin:
    """Commit to the address and program that a command came from.

    *command* is its actor and its time in microseconds, to which the sealed value is bound.
    """
    if cipher is None or (ip is None and user_agent is None):
        return NOWHERE
    commitment, opened = commit_to(_encoder.encode(_Request(ip, user_agent)).decode())
    return Origin(commitment, cipher.seal(_pack({ORIGIN: opened}), _command_place(*command)))


EncodeAgain = Callable[[int], bytes]
"""Makes the state of an event anew, with another ``number``."""


def encode(
    event: Event, metadata: Metadata, org_id: OrgId, origin: Origin, cipher: Cipher | None
) -> Row:
    """Return the row of *event*; position and sequence are the append's to assign.

    *cipher* is that of the stream; it may be None only for events without personal fields.
    """
    return encode_open(event, metadata, org_id, origin, cipher)[0]


def encode_open(
    event: Event, metadata: Metadata, org_id: OrgId, origin: Origin, cipher: Cipher | None
) -> tuple[Row, EncodeAgain]:
    """Return the row of *event*, and what makes its state anew once its number is known."""
    tag = str(event.__struct_config__.tag)
    if tag in STEPS:
        metadata = replace(metadata, schema=schema_version(tag))
    stated, sealed = _committed(event, metadata, cipher)
    row = Row(
        position=0,
        stream_id=metadata.stream,
        version=metadata.version,
        tag=tag,
        state=_encoder.encode(_Stored(metadata, stated)),
        private=(_pack((origin.sealed, sealed)) if origin.sealed or sealed else None),
        org_id=org_id,
        org_seq=0,
        recorded_at=metadata.at,
        command_id=None,
    )

    def again(number: int) -> bytes:
        return _encoder.encode(_Stored(metadata, replace(stated, number=number)))

    return row, again


def _committed(
    event: Event, metadata: Metadata, cipher: Cipher | None
) -> tuple[Event, bytes | None]:
    """Return *event* with commitments for its personal values, and these values sealed."""
    values: Values = {}
    commitments: dict[str, str] = {}
    for name, encoded in PERSONAL[type(event)].encoded.items():
        value = getattr(event, name)
        if isinstance(value, str):
            commitments[name], values[encoded] = commit_to(value)
    if not values:
        return event, None
    if cipher is None:
        raise ValueError(f"{type(event).__name__} needs the key of its stream")
    sealed = cipher.seal(_pack(values), _place(metadata.stream, metadata.version))
    return replace(event, **commitments), sealed


def decode(row: Row, cipher: Cipher | None) -> Recorded:
    """Return *row* as readers see it; without the sealer of the stream, personal values are erased.

    :raises msgspec.ValidationError: when the stored bytes are not what this version can read.
    """
    return Recorded(
        row.position,
        row.org_id,
        row.org_seq,
        row.stream_id,
        row.version,
        row.recorded_at,
        decode_event(row, cipher),
        row.state[_METADATA_AT : row.state.rindex(_EVENT)],
    )


def decode_event(row: Row, cipher: Cipher | None) -> Event:
    """Return the event of *row* without its envelope: enough to fold on."""
    tag, state = row.tag, row.state
    if tag in STEPS:
        return _opened(upcast(row, STEPS[tag]), row, cipher)
    event = _DECODE[tag](state[state.rindex(_EVENT) + len(_EVENT) : -1])
    return _opened(event, row, cipher) if tag in SEALED_TAGS else event


class _Identified(Struct, frozen=True):
    id: UUID


class _Envelope(Struct, frozen=True):
    metadata: _Identified


def event_id(row: Row) -> UUID:
    """Return the id of the event in *row*."""
    return msgspec.json.decode(row.state, type=_Envelope).metadata.id


def takes_key(tag: str) -> bool:
    """Say whether an event of *tag* takes the key of its stream to be read whole."""
    return tag in SEALED_TAGS or tag in STEPS


def _opened(event: Event, row: Row, cipher: Cipher | None) -> Event:
    values = event_values(row, cipher)
    opened: dict[str, str] = {}
    for encoded, name in PERSONAL[type(event)].attributes.items():
        if isinstance(getattr(event, name), str):
            opened[name] = values[encoded][1] if encoded in values else ERASED
    return replace(event, **opened) if opened else event


def event_values(row: Row, cipher: Cipher | None) -> Values:
    """Return the personal values of the event in *row* with their salts."""
    return _values(row, 1, cipher, _place(row.stream_id, row.version))


def origin_values(row: Row, cipher: Cipher | None, actor: UUID) -> Values:
    """Return the value behind the origin in *row* with its salt, under ``ORIGIN``."""
    return _values(row, 0, cipher, _command_place(actor, row.recorded_at))


def _values(row: Row, part: int, cipher: Cipher | None, aad: bytes) -> Values:
    if row.private is None or cipher is None:
        return {}
    blob = _unpack_private(row.private)[part]
    return {} if blob is None else _unpack_values(cipher.open(blob, aad))


def _place(stream: UUID, version: int) -> bytes:
    # Bound into every sealed value, so that one cannot be moved to another event.
    return stream.bytes + version.to_bytes(8, "big")


def _command_place(actor: UUID, at: int) -> bytes:
    # So that where one command came from cannot be moved to another.
    return actor.bytes + at.to_bytes(8, "big")
