"""The envelope around a domain event, and the row in which it is stored."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.base import Event, OrgId
from eventstore.identifiers import id_of_event


class ActorKind(StrEnum):
    """The kind of actor that caused an event; the values are stored, so they never change."""

    USER = "user"
    API_KEY = "api_key"
    SYSTEM = "system"


class Actor(Struct, frozen=True, array_like=True):
    """Who caused an event; stored as ``[kind, id]``."""

    kind: ActorKind
    id: UUID


READ_BYTES_MAX = 4 * 2**20
"""A read of several rows ends with the row by which they hold this much together. So whoever
follows the log needs little memory and holds up nobody, however large the events are."""

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_NAMES = {
    "actor": "by",
    "command": "do",
    "on_behalf_of": "for",
    "origin": "from",
    "request_id": "req",
    "correlation_id": "cor",
    "causation_id": "cause",
    "copy_of": "copy",
}


class Metadata(Struct, frozen=True, kw_only=True, rename=_NAMES, omit_defaults=True):
    """Who asked, from where and why: what the audit log shows next to the event itself.

    It is stored with every event, so under short names. It includes ``stream`` and ``version``, so
    that the hash of the stored bytes covers the place of the event and not only its content.
    ``at`` is in microseconds since 1970; ``origin`` is a commitment to where the request came
    from. ``copy_of`` is the event of another organization that this one was copied from, when a
    fork was made: nothing follows from it, and whatever proves the original proves the copy.
    """

    stream: UUID
    version: int
    at: int
    actor: Actor
    command: str
    on_behalf_of: UUID | None = None
    origin: str | None = None
    request_id: str | None = None
    correlation_id: str | None = None
    causation_id: UUID | None = None
    copy_of: UUID | None = None
    schema: int = 1

    @property
    def subject(self) -> UUID:
        """Whose key seals where the request came from: the person's, also behind an API key."""
        return self.on_behalf_of or self.actor.id

    @property
    def correlation(self) -> str | None:
        """What this has in common with all that was recorded for the same purpose.

        That is what the client sent as such or, without it, the id of the one request.
        """
        return self.correlation_id or self.request_id


class Row(Struct, gc=False):
    """One stored event, column by column, in the order of the table.

    ``position`` and ``org_seq`` are 0 until the append assigns them; ``recorded_at`` is in
    microseconds since 1970, UTC.
    """

    position: int
    stream_id: UUID
    version: int
    tag: str
    state: bytes
    private: bytes | None
    org_id: OrgId
    org_seq: int
    recorded_at: int

    @property
    def id(self) -> UUID:
        """The id of the event, made from its bytes."""
        return id_of_event(self.state)


def row_bytes(row: Row) -> int:
    """Return how many bytes *row* holds."""
    return len(row.state) + len(row.private or b"")


def fills_read(rows: Sequence[Row], limit: int) -> bool:
    """Return whether a read of at most *limit* rows ended with *rows* although more may follow."""
    return len(rows) >= limit or sum(map(row_bytes, rows)) >= READ_BYTES_MAX


class Recorded(Struct, frozen=True, gc=False):
    """One event as readers of the log see it, with its personal values decrypted.

    A value whose key was destroyed reads as ``ERASED``.
    """

    position: int
    org_id: OrgId
    org_seq: int
    stream_id: UUID
    version: int
    recorded_at: int
    event: Event
    state: bytes

    @property
    def id(self) -> UUID:
        """The id of the event, made from its bytes."""
        return id_of_event(self.state)

    @property
    def at(self) -> datetime:
        """When the command was handled, UTC."""
        return recorded_time(self.recorded_at)

    @property
    def tag(self) -> str:
        return str(self.event.__struct_config__.tag)

    @property
    def metadata(self) -> Metadata:
        """The full envelope, decoded on demand because most readers do not need it."""
        return _METADATA.decode(self.state).metadata


class _Enveloped(Struct, frozen=True):
    metadata: Metadata


_METADATA = msgspec.json.Decoder(_Enveloped)


def is_copy(row: Row) -> bool:
    """Return whether the event in *row* was copied from another organization."""
    return _METADATA.decode(row.state).metadata.copy_of is not None


def recorded_time(recorded_at: int) -> datetime:
    """Return the time of an event, UTC, from its microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=recorded_at)


def microseconds(at: datetime) -> int:
    """Return *at* in whole microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


class _Placed(Struct, frozen=True):
    stream: UUID


class _Envelope(Struct, frozen=True):
    metadata: _Placed


def event_id(row: Row) -> UUID | None:
    """Return the id of the event in *row*, None if its bytes cannot be read."""
    try:
        msgspec.json.decode(row.state, type=_Envelope)
    except msgspec.MsgspecError:
        return None
    return row.id


def mark_of(row: Row) -> str:
    """Return what tells the event in *row* from any that may replace it in a restored log.

    That is its id or, if that cannot be read, a hash of what is stored.
    """
    known = event_id(row)
    if known is not None:
        return str(known)
    stored = (row.stream_id, row.version, row.tag, row.recorded_at, row.state)
    return f"unreadable:{hashlib.sha256(repr(stored).encode()).hexdigest()}"
