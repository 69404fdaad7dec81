"""Ping: a test event that is not in the log, so it has no sequence number and is not retried."""

from datetime import datetime
from uuid import UUID

from eventstore.identifiers import new_id
from eventstore.operations.records import Delivery

PING = "webhook.ping"


def new_ping(endpoint: UUID, org_id: UUID, now: datetime) -> Delivery:
    """Return a test event for a webhook; add it to the store and ring for its organization."""
    event_id = str(new_id())
    return Delivery(
        id=f"{endpoint}:ping-{event_id}",
        endpoint=str(endpoint),
        org=str(org_id),
        seq=0,
        prev=0,
        event_id=event_id,
        type=PING,
        stream=str(endpoint),
        created_at=now,
        next_at=now,
    )
