"""Retries parked documents: folds them again from the first event of their organization."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain.base import OrgId
from eventstore.append import LogUnavailable
from eventstore.log import EventLog
from eventstore.partition import partition_of
from eventstore.recorded import Recorded, Row
from projections.base import Document, document_id
from projections.engine.folding import AnyFolder
from projections.engine.shift import Shift
from projections.engine.store import Parked, Written

_PIECE = 500
_logger = logging.getLogger(__name__)


async def retry_parked(log: EventLog, shift: Shift, parked: list[Parked]) -> None:
    """Fold the parked documents of a partition again and write those that succeed.

    The others stay parked.

    :raises OutOfTurn: somebody else has written since.
    """
    folders = {folder.target.collection: folder for folder in shift.folders} | shift.laggards
    by_place: dict[tuple[str, str], list[Parked]] = defaultdict(list)
    for one in parked:
        here = partition_of(OrgId(UUID(one.org)), log.parts) == shift.part
        if here and one.collection in folders:
            by_place[one.collection, one.org].append(one)
    for (collection, org), some in by_place.items():
        again = _Again(folders[collection], some)
        org_id = OrgId(UUID(org))
        at = shift.control.named(collection)
        await _tell(log, again, org_id, shift.state.reached(at) if at is not None else 0)
        documents = again.documents()
        done = [one for one in some if again.is_whole(one)]
        if done:
            written = [Written(folders[collection].target, documents)]
            await shift.write(shift.state, written, [], done)
            folders[collection].unpark({key for one in done for key in again.keys_of(one)})
            _logger.info("%s: %d documents are projected again", collection, len(done))


async def _tell(log: EventLog, again: "_Again", org_id: OrgId, position_max: int) -> None:
    for one in again.unreadable:
        [row] = await log.organization(org_id, one.org_seq - 1, 1)
        event = await _decoded(log, row)
        again.learn(one, event)
    after = 0
    while rows := await log.organization(org_id, after, _PIECE):
        after = rows[-1].org_seq
        for row in rows:
            if row.tag in again.tags and row.position <= position_max:
                event = await _decoded(log, row)
                if event is None:
                    again.fail(document_id(row.org_id, row.stream_id))
                else:
                    again.fold(event)


async def _decoded(log: EventLog, row: Row) -> Recorded | None:
    try:
        [event] = await log.decoded([row])
    except LogUnavailable:
        raise
    except Exception:  # noqa: BLE001 - on any error it still cannot be read
        return None
    return event


class _Again:
    """The documents of one collection and organization that are folded again."""

    def __init__(self, folder: AnyFolder, parked: Sequence[Parked]) -> None:
        self._projection = folder.projection
        self.tags = folder.tags
        self._keys = {one.id: {one.id} for one in parked}
        self.unreadable = [one for one in parked if one.unreadable]
        self._states: dict[str, tuple[Any, Recorded]] = {}
        self._failed: set[str] = set()

    def learn(self, one: Parked, event: Recorded | None) -> None:
        """Note which documents are affected by an event that could not be read before."""
        if event is None:
            self.fail(one.id)
        else:
            self._keys[one.id].update(self._projection.keys(event))

    def fail(self, key: str) -> None:
        """Note that a document still cannot be folded."""
        self._failed.add(key)

    def fold(self, event: Recorded) -> None:
        """Fold one event into those of the documents that it affects."""
        wanted = set[str]().union(*self._keys.values())
        for key in self._projection.keys(event):
            if key not in wanted or key in self._failed:
                continue
            before = self._states[key][0] if key in self._states else None
            try:
                self._states[key] = self._projection.fold(key, before, event), event
            except Exception:  # noqa: BLE001 - any error concerns only this document
                self.fail(key)

    def documents(self) -> list[Document]:
        """Return the documents into which all events could be folded."""
        documents: list[Document] = []
        for key, (state, event) in self._states.items():
            if key in self._failed:
                continue
            try:
                documents.append(self._projection.document(key, state, event))
            except Exception:  # noqa: BLE001 - as above
                self.fail(key)
        return documents

    def keys_of(self, one: Parked) -> set[str]:
        """Return the ids of the documents that a parked entry stands for."""
        return self._keys[one.id]

    def is_whole(self, one: Parked) -> bool:
        """Return whether all documents of a parked entry are complete now."""
        return not self._keys[one.id] & self._failed
