"""Stored events with their personal values decrypted, for auditors and exports."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.base import ERASED, PLATFORM, OrgId
from domain.catalog import EVENT_TYPES
from eventstore.codec import Salted, Values, event_values, origin_value
from eventstore.keys import key_owner_in
from eventstore.log import EventLog
from eventstore.recorded import Metadata, Row
from security.sealing import SealBroken


class Envelope(Struct, frozen=True):
    """The parsed envelope of a stored event; the event itself stays as it is."""

    metadata: Metadata
    event: dict[str, Any]


class Opened(Struct, frozen=True):
    """A row with its envelope and those personal values whose keys still exist."""

    row: Row
    stored: Envelope
    event_values: Values
    origin_value: Salted | None

    @property
    def data(self) -> dict[str, Any]:
        """The event's fields without its type; personal values are readable or marked erased."""
        data = {name: value for name, value in self.stored.event.items() if name != "type"}
        for name, value in data.items():
            if name in self.event_values:
                data[name] = self.event_values[name][1]
            elif isinstance(value, str) and _is_commitment(value):
                data[name] = ERASED
        kind = EVENT_TYPES.get(self.row.tag)
        if kind is not None:
            kind.add_implied(data)
        return data

    @property
    def disclosed(self) -> dict[str, Salted]:
        """Salt and value of each personal value that is readable, by its path in the state."""
        found = {f"event.{name}": value for name, value in self.event_values.items()}
        if self.origin_value is not None:
            found["metadata.from"] = self.origin_value
        return found

    @property
    def origin(self) -> tuple[str | None, str | None]:
        """Address and user agent of the request; None for what is unknown or erased."""
        return (None, None) if self.origin_value is None else _origin(self.origin_value[1])


class Unread(Struct, frozen=True):
    """A row whose bytes cannot be read: they are no event, or its sealed values are damaged."""

    row: Row


_decode = msgspec.json.Decoder(Envelope).decode
_origin = msgspec.json.Decoder(tuple[str | None, str | None]).decode
_COMMITMENT = len("sha256:") + 43


async def open_all(log: EventLog, rows: Sequence[Row]) -> list[Opened | Unread]:
    """Return *rows* opened, reading the keys that are not cached in one query.

    A row that cannot be read stands for itself: it spoils no other.
    """
    stored = [_envelope(row) for row in rows]
    subjects: dict[UUID, OrgId] = {}
    for row, envelope in zip(rows, stored, strict=True):
        if row.private is not None and envelope is not None:
            subject, owner = _key_owner(row)
            subjects[subject] = owner
            subjects[envelope.metadata.subject] = PLATFORM  # accounts are the platform's
    await log.fetch_keys(subjects)
    return [_opened(log, row, envelope) for row, envelope in zip(rows, stored, strict=True)]


def _envelope(row: Row) -> Envelope | None:
    try:
        return _decode(row.state)
    except msgspec.MsgspecError:
        return None


def _key_owner(row: Row) -> tuple[UUID, OrgId]:
    try:
        return key_owner_in(row)
    except msgspec.MsgspecError:
        return row.stream_id, row.org_id  # whose key does not fit, so that the row stays unread


def _opened(log: EventLog, row: Row, envelope: Envelope | None) -> Opened | Unread:
    if envelope is None:
        return Unread(row)
    subject, cached = envelope.metadata.subject, log.keys.cached
    try:
        values = event_values(row, cached(_key_owner(row)[0]))
        return Opened(row, envelope, values, origin_value(row, cached(subject), subject))
    except (msgspec.MsgspecError, SealBroken):
        return Unread(row)


def _is_commitment(value: str) -> bool:
    return len(value) == _COMMITMENT and value.startswith("sha256:")
