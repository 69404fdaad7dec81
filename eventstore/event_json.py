"""An event as readers outside see it: audit log, webhooks, dry runs.

Every reader adds what only it knows; what they share has one shape.
"""

from typing import Any, Protocol
from uuid import UUID

import msgspec

from domain.base import Event, OrgId
from eventstore.recorded import Metadata
from eventstore.upcasting import schema_version


class _Place(Protocol):
    """Where an event stands; both ``Row`` and ``Recorded`` know it."""

    @property
    def tag(self) -> str: ...
    @property
    def stream_id(self) -> UUID: ...
    @property
    def version(self) -> int: ...
    @property
    def org_id(self) -> OrgId: ...
    @property
    def org_seq(self) -> int: ...


def event_json(place: _Place, metadata: Metadata, data: dict[str, Any]) -> dict[str, Any]:
    """Return a recorded event: its id, place and actor beside its *data*.

    ``seq`` is its number in the organization, ``version`` that of its schema.
    """
    return {
        "id": metadata.id,
        "organizationId": place.org_id,
        "seq": place.org_seq,
        "actor": {"type": metadata.actor.kind, "id": metadata.actor.id},
        **unrecorded_json(place.tag, place.stream_id, place.version, data),
        "version": metadata.schema,
    }


def unrecorded_json(tag: str, stream: UUID, version: int, data: dict[str, Any]) -> dict[str, Any]:
    """Return an event that would be number *version* of *stream*, in today's schema."""
    return {
        "type": tag,
        "version": schema_version(tag),
        "stream": {"type": tag.partition(".")[0], "id": stream, "version": version},
        "data": data,
    }


def event_data(event: Event) -> dict[str, Any]:
    """Return the fields of an event under their stored names, without its type."""
    data: dict[str, Any] = msgspec.to_builtins(event)
    del data["type"]
    return data
