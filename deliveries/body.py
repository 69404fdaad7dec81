"""The body of a webhook: the event as it was recorded, not the current state."""

import msgspec

from eventstore.event_json import event_data, event_json
from eventstore.operations.records import Delivery
from eventstore.recorded import Recorded

_encode = msgspec.json.Encoder().encode


def body_of(delivery: Delivery, recorded: Recorded, epoch: int) -> bytes:
    """Return what is sent for *recorded*: the same bytes at every attempt.

    After an erasure, its personal values read ``[erased]``. *epoch* is the epoch of the log, left
    out if it is the first; sequence numbers can repeat in a later one.
    """
    event = event_json(recorded, recorded.metadata, event_data(recorded.event))
    body = {**event, "timestamp": recorded.at, "prevSeq": delivery.prev}
    return _encode({**body, "epoch": epoch} if epoch > 1 else body)


def ping_body(delivery: Delivery) -> bytes:
    """Return what is sent for a test event."""
    return _encode(
        {
            "id": delivery.event_id,
            "type": delivery.type,
            "version": 1,
            "timestamp": delivery.created_at,
            "organizationId": delivery.org,
            "seq": delivery.seq,
            "prevSeq": delivery.prev,
            "data": {"webhookId": delivery.endpoint},
        }
    )
