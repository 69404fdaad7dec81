"""Folds events into the documents of one collection, in memory, a batch at a time."""

import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar, cast

from msgspec import Struct

from eventstore.recorded import Recorded, Row
from projections.base import Document, Projection, document_id
from projections.engine.store import Parked, ShapedCollection, Written

S = TypeVar("S")

RECENT_MAX = 5_000
"""Documents of one collection kept in memory for the next events: a few MB."""
ERROR_CHARACTERS_MAX = 300
_logger = logging.getLogger(__name__)


class ProjectionFailed(Exception):
    """A rebuild met an event that its projection cannot fold; a rebuild never skips one."""


class Folded(Struct, Generic[S]):
    """A document in memory: its state, and the position of the last event folded into it.

    ``event`` is that event while the document is not written yet.
    """

    state: S
    position: int
    event: Recorded | None = None


class Folder(Generic[S]):
    """Folds events into one collection and knows which of its documents are parked.

    A document is *parked* if an event cannot be folded into it: it keeps its last state, later
    events wait, and all other documents continue. With ``strict``, as in a rebuild, the first
    failure ends the rebuild. If a batch could not be written, discard the folder.
    """

    def __init__(
        self,
        projection: Projection[S],
        collection: str,
        parked: Iterable[str] = (),
        *,
        strict: bool = False,
        recent_max: int = RECENT_MAX,
    ) -> None:
        self.projection, self.strict = projection, strict
        self._recent_max = recent_max
        self.target = ShapedCollection(collection, projection.shape)
        self.tags = frozenset(projection.tags)
        self._parked = set(parked)
        self._recent: OrderedDict[str, Folded[S]] = OrderedDict()
        self._keyed: list[tuple[Recorded, Sequence[str]]] = []
        self._touched: dict[str, Folded[S]] = {}
        self._new: set[str] = set()
        self._failed: list[Parked] = []
        self._spoilt: dict[str, Exception] = {}

    def begin(self, events: Sequence[Recorded]) -> list[str]:
        """Accept the events of a batch; return the ids of the documents to load first.

        :raises ProjectionFailed: only when strict.
        """
        self._keyed, self._touched, self._failed, self._new = [], {}, [], set()
        missing: dict[str, None] = {}
        keys_of, recent = self.projection.keys, self._recent
        for event in events:
            try:
                keys = keys_of(event)
            except Exception as failure:  # noqa: BLE001 - any error concerns only this document
                self.park(document_id(event.org_id, event.stream_id), event, failure)
                continue
            self._keyed.append((event, keys))
            for key in keys:
                if key not in recent:
                    missing[key] = None
        return list(missing)

    def know(self, documents: Iterable[Document]) -> None:
        """Add documents that were loaded from the store."""
        for one in documents:
            try:
                state = self.projection.state_of(one)
            except Exception as failure:  # noqa: BLE001 - as above: it is not stored as expected
                self._spoilt[one.id] = failure
            else:
                self._recent[one.id] = Folded(state, one.position)

    def fold(self) -> Written:
        """Fold the events of the batch and return each document that changed, once.

        :raises ProjectionFailed: only when strict.
        """
        parked = self._parked
        for event, keys in self._keyed:
            for key in keys:
                if key in parked:
                    continue
                try:
                    self._fold(key, event)
                except Exception as failure:  # noqa: BLE001 - as above
                    self.park(key, event, failure)
        return Written(self.target, self._documents(), self._new)

    def _fold(self, key: str, event: Recorded) -> None:
        touched = self._touched.get(key)
        if touched is not None:
            if touched.position < event.position:
                touched.state = self.projection.fold(key, touched.state, event)
                touched.position, touched.event = event.position, event
            return
        if key in self._spoilt:
            raise self._spoilt.pop(key)
        before = self._recent.get(key)
        if before is not None and before.position >= event.position:
            return  # already in the document
        # A new object, because what was written stays in memory if this batch is not.
        state = self.projection.fold(key, before.state if before else None, event)
        self._touched[key] = Folded(state, event.position, event)
        if before is None:
            self._new.add(key)

    def _documents(self) -> list[Document]:
        documents: list[Document] = []
        for key, folded in list(self._touched.items()):
            event = cast("Recorded", folded.event)
            try:
                documents.append(self.projection.document(key, folded.state, event))
            except Exception as failure:  # noqa: BLE001 - as above: it cannot be shown
                self.park(key, event, failure)
                del self._touched[key]
        return documents

    def park(self, key: str, event: Recorded | Row, failure: Exception) -> None:
        """Park a document from this event on.

        :raises ProjectionFailed: instead, when strict.
        """
        where = f"{self.projection.name}: position {event.position}, document {key}"
        if self.strict:
            raise ProjectionFailed(f"{where}: {failure!r}") from failure
        if key in self._parked:
            return
        _logger.error("%s is parked", where, exc_info=failure)
        self._parked.add(key)
        self._failed.append(
            Parked(
                collection=self.target.collection,
                id=key,
                org=str(event.org_id),
                org_seq=event.org_seq,
                position=event.position,
                error=repr(failure)[:ERROR_CHARACTERS_MAX],
                unreadable=isinstance(event, Row),
            )
        )

    def failed(self) -> list[Parked]:
        """Return what was parked in this batch."""
        return self._failed

    def keep(self) -> None:
        """Keep what was written in memory for the next batch."""
        recent = self._recent
        for key, folded in self._touched.items():
            folded.event = None
            recent[key] = folded
            recent.move_to_end(key)
        while len(recent) > self._recent_max:
            recent.popitem(last=False)
        self._keyed, self._touched, self._failed, self._new = [], {}, [], set()

    def unpark(self, keys: Iterable[str]) -> None:
        """Allow parked documents to be folded again; they are loaded again first."""
        for key in keys:
            self._parked.discard(key)
            self._recent.pop(key, None)


AnyFolder = Folder[Any]
