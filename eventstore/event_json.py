"""Events as external readers see them: audit log, webhooks, dry runs.

All use the same format; each adds its own members.
"""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from domain.base import Event, OrgId
from eventstore.recorded import Metadata
from eventstore.upcasting import schema_version


class _Place(Protocol):
    """Which event this is, in the log and in its stream; a ``Row`` or a ``Recorded``."""

    @property
    def id(self) -> UUID: ...
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
    """Return a recorded event as JSON members: id, position, actor and *data*.

    ``seq`` is its sequence number in the organization, ``version`` that of its schema. If the actor
    is an API key, ``onBehalfOf`` is the user who created the key.
    """
    event = {
        "id": place.id,
        "organizationId": place.org_id,
        "seq": place.org_seq,
        "actor": {"type": metadata.actor.kind, "id": metadata.actor.id},
        **unrecorded_json(place.tag, place.stream_id, place.version, data),
        "version": metadata.schema,
    }
    if metadata.on_behalf_of is not None:
        event["onBehalfOf"] = metadata.on_behalf_of
    return event


def told_json(
    place: _Place, metadata: Metadata, data: dict[str, Any], at: datetime
) -> dict[str, Any]:
    """Return a recorded event as people read it: with its time, its command and its causes.

    In a fork, ``copyOf`` is the event of the original that it is a copy of.
    """
    told = {
        **event_json(place, metadata, data),
        "at": at,
        "command": metadata.command,
        "requestId": metadata.request_id,
        "correlationId": metadata.correlation,
        "causationId": metadata.causation_id,
    }
    if metadata.copy_of is not None:
        told["copyOf"] = metadata.copy_of
    return told


def unrecorded_json(tag: str, stream: UUID, version: int, data: dict[str, Any]) -> dict[str, Any]:
    """Return an event that would get number *version* in *stream*, in the current schema."""
    return {
        "type": tag,
        "version": schema_version(tag),
        "stream": {"type": tag.partition(".")[0], "id": stream, "version": version},
        "data": data,
    }


def event_data(event: Event) -> dict[str, Any]:
    """Return the fields of an event under their names in JSON, without its type and hidden ones."""
    data: dict[str, Any] = msgspec.to_builtins(event)
    del data["type"]
    event.add_implied(data)
    for name in event.hidden:
        data.pop(name, None)
    return data
