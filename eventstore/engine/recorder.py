"""The log as a recorder of the eventsourcing library, so that its tools and tests work on it.

The library knows one sequence of notifications and no organizations. What is written through it
belongs to the platform, and its notification ids are positions in partition 0. Its versions start
at 0, ours at 1.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    StoredEvent,
    Subscription,
)

from domain.base import PLATFORM
from eventstore.append import Append, Appended
from eventstore.recorded import Row
from eventstore.store import Store


class LogRecorder(ApplicationRecorder):
    """Inserts and selects the library's events in one of our stores."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Append events that follow the existing ones; return their positions.

        :raises IntegrityError: a version of a stream is already taken.
        """
        rows = [_row(stored) for stored in stored_events]
        heads = self._store.heads(list({row.stream_id for row in rows}))
        expects = {row.stream_id: heads.get(row.stream_id, 0) for row in rows}
        versions = dict(expects)
        for row in rows:
            if row.version <= versions[row.stream_id]:
                raise IntegrityError(f"version {row.version - 1} is taken")
            versions[row.stream_id] = row.version
        if rows:
            asked = Append(rows=rows, expects=expects, keys={})
            [outcome] = self._store.commit([asked])
            if not isinstance(outcome, Appended):
                raise IntegrityError(str(outcome))
        return [row.position for row in rows]

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return the events of a stream between two versions."""
        found = self._store.stream(_uuid(originator_id), 0 if gt is None else gt + 1)
        stored = [
            StoredEvent(row.stream_id, row.version - 1, row.tag, row.state)
            for row in found
            if lte is None or row.version - 1 <= lte
        ]
        return (stored[::-1] if desc else stored)[:limit]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return events in commit order, from *start* to *stop*."""
        after = 0 if start is None else start - inclusive_of_start
        return [
            Notification(row.stream_id, row.version - 1, row.tag, row.state, row.position)
            for row in self._store.tail(after, limit, topics)
            if stop is None or row.position <= stop
        ]

    def max_notification_id(self) -> int | None:
        """Return the newest position, None if there is none."""
        return self._store.last_position() or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Refuse, because followers of this log poll it and are woken by commits."""
        raise NotImplementedError("follow the log with `EventLog.tail`")


def _row(stored: StoredEvent) -> Row:
    stream, version = _uuid(stored.originator_id), stored.originator_version + 1
    return Row(0, stream, version, stored.topic, stored.state, None, PLATFORM, 0, 0)


def _uuid(originator_id: UUID | str) -> UUID:
    return originator_id if isinstance(originator_id, UUID) else UUID(originator_id)
