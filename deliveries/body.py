"""The body of a webhook: the fact as it was recorded, never what became of it since."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from eventstore.operations.records import Delivery
from eventstore.recorded import Recorded
from eventstore.upcasting import schema_version


class _Stream(Struct):
    type: str
    id: UUID
    version: int


class _Actor(Struct):
    type: str
    id: UUID


class _Body(Struct, rename="camel", omit_defaults=True):
    id: str
    type: str
    version: int
    timestamp: datetime
    organization_id: str
    seq: int
    prev_seq: int
    data: dict[str, Any]
    stream: _Stream | None = None
    actor: _Actor | None = None


_encode = msgspec.json.Encoder().encode


def body_of(delivery: Delivery, recorded: Recorded) -> bytes:
    """Return what is sent for *recorded*: the same bytes at every attempt.

    After an erasure the personal values in it read ``[erased]``.
    """
    metadata = recorded.metadata
    data: dict[str, Any] = msgspec.to_builtins(recorded.event)
    del data["type"]
    return _encode(
        _Body(
            id=str(metadata.id),
            type=recorded.tag,
            version=schema_version(recorded.tag),
            timestamp=recorded.at,
            organization_id=str(recorded.org_id),
            seq=recorded.org_seq,
            prev_seq=delivery.prev,
            data=data,
            stream=_Stream(recorded.tag.partition(".")[0], recorded.stream_id, recorded.version),
            actor=_Actor(metadata.actor.kind.value, metadata.actor.id),
        )
    )


def ping_body(delivery: Delivery) -> bytes:
    """Return what is sent for a test event."""
    return _encode(
        _Body(
            id=delivery.event_id,
            type=delivery.type,
            version=1,
            timestamp=delivery.created_at,
            organization_id=delivery.org,
            seq=delivery.seq,
            prev_seq=delivery.prev,
            data={"webhookId": delivery.endpoint},
        )
    )
