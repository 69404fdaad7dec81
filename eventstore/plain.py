"""The library's own write path over ours, so that its tools and conformance cases apply."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from eventsourcing.persistence import StoredEvent

from domain.base import PLATFORM
from eventstore.append import Append
from eventstore.recorded import Row
from eventstore.store import Store


def insert_plain(store: Store, stored_events: Sequence[StoredEvent]) -> list[int]:
    """Append events that know nothing of organizations; return their positions.

    :raises eventsourcing.persistence.IntegrityError: when a version of a stream is taken.
    """
    if not stored_events:
        return []
    rows = [
        Row(
            0,
            _uuid(s.originator_id),
            s.originator_version,
            s.topic,
            s.state,
            None,
            PLATFORM,
            0,
            0,
            None,
        )
        for s in stored_events
    ]
    store.commit([Append(command_id=uuid4(), rows=rows, expects={}, keys={})])
    return [row.position for row in rows]


def _uuid(originator_id: UUID | str) -> UUID:
    return originator_id if isinstance(originator_id, UUID) else UUID(originator_id)
