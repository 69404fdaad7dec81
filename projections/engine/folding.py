"""Events folded into documents, in memory, a batch at a time."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from eventstore.recorded import Recorded, Row
from projections.base import Projection
from projections.engine.checkpoints import Document, Parked

S = TypeVar("S")

ERROR_CHARACTERS_MAX = 300
_logger = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


class ProjectionFailed(Exception):
    """A rebuild met an event that its projection cannot fold; a rebuild never skips one."""


class Folded(Struct, Generic[S]):
    """A document in memory: its state, the position of the last event in it, is it stored."""

    state: S
    position: int
    stored: bool


class Batch(Generic[S]):
    """What a batch of events makes of the documents that it touches.

    A stream of which one event fails is *parked*: what came before stays, what follows waits.
    With ``strict``, as in a rebuild, the first failure ends everything instead.
    """

    def __init__(
        self,
        projection: Projection[S],
        known: Mapping[str, Folded[S]],
        set_aside: Iterable[str] = (),
        *,
        strict: bool = False,
    ) -> None:
        self._projection, self._known, self._strict = projection, known, strict
        self._set_aside = frozenset(set_aside)
        self.parked: dict[str, Parked] = {}
        self.touched: dict[str, Folded[S]] = {}
        self._newest: dict[str, Recorded] = {}

    def fold(self, event: Recorded) -> None:
        """Fold one event into the documents that it touches.

        :raises ProjectionFailed: only when strict.
        """
        stream = str(event.stream_id)
        if stream in self.parked or stream in self._set_aside:
            return
        try:
            after = self._after(event)
        except Exception as failure:  # noqa: BLE001 - whatever it is, it is this stream's alone
            self.park(event, failure)
            return
        for key, folded in after.items():
            self.touched[key], self._newest[key] = folded, event

    def _after(self, event: Recorded) -> dict[str, Folded[S]]:
        after: dict[str, Folded[S]] = {}
        for key in self._projection.keys(event):
            before = self.touched.get(key) or self._known.get(key)
            if before is None:
                state = self._projection.fold(key, None, event)
            elif before.position >= event.position:
                continue  # already in the document: the batch is a repetition
            else:
                state = self._projection.fold(key, before.state, event)
            after[key] = Folded(state, event.position, before is not None and before.stored)
        return after

    def documents(self) -> dict[str, Document]:
        """Return the touched documents as they are to be stored, each once.

        :raises ProjectionFailed: only when strict.
        """
        documents: dict[str, Document] = {}
        for key, folded in list(self.touched.items()):
            event = self._newest[key]
            try:
                documents[key] = self._document(key, folded, event)
            except Exception as failure:  # noqa: BLE001 - as above: shown wrongly, not folded
                self.park(event, failure)
                del self.touched[key]
        return documents

    def _document(self, key: str, folded: Folded[S], event: Recorded) -> Document:
        document: dict[str, Any] = {
            "_id": key,
            "_pos": folded.position,
            "version": event.version,
            **self._projection.fields(key, folded.state, event),
            "state": _encode(folded.state),
            "json": self._projection.render(key, folded.state, event),
        }
        return document

    def park(self, event: Recorded | Row, failure: Exception) -> None:
        """Set the stream of *event* aside from here on.

        :raises ProjectionFailed: instead, when strict.
        """
        where = f"{self._projection.name}: position {event.position}, stream {event.stream_id}"
        if self._strict:
            raise ProjectionFailed(f"{where}: {failure!r}") from failure
        if str(event.stream_id) not in self.parked:
            _logger.error("%s is parked", where, exc_info=failure)
            why = Parked(event.position, repr(failure)[:ERROR_CHARACTERS_MAX])
            self.parked[str(event.stream_id)] = why
