"""The states of things at a moment, folded from the beginnings of their streams."""

from typing import TypeVar, cast
from uuid import UUID

from commands.states import Loaded, fold, owner_of
from domain.base import NotFound, OrgId, State
from eventstore.engine.turns import STREAM_PIECE
from eventstore.log import EventLog
from eventstore.log_reads import History
from eventstore.recorded import Row, recorded_time

S = TypeVar("S", bound=State)


class PastStates:
    """What things of one organization were once everything up to a sequence was recorded.

    Each is folded once. Call it with a type of state and a stream for the state alone.
    """

    def __init__(self, log: EventLog, org_id: OrgId, seq: int) -> None:
        self._log, self._org_id, self.seq = log, org_id, seq
        self._found: dict[UUID, Loaded[State]] = {}

    async def __call__(self, kind: type[S], stream: UUID, /) -> S:
        return (await self.load(kind, stream)).state

    async def load(self, kind: type[S], stream: UUID) -> Loaded[S]:
        """Return a folded stream.

        :raises NotFound: it did not exist yet, has another type of state, or is another
            organization's.
        """
        found = self._found.get(stream)
        if found is None:
            found = self._found[stream] = cast(Loaded[State], await self._fold(kind, stream))
        if not found.version or not isinstance(found.state, kind):
            raise NotFound
        return cast(Loaded[S], found)

    async def _fold(self, kind: type[S], stream: UUID) -> Loaded[S]:
        """Return a stream with its events up to then folded; a long one in pieces, in turns."""
        owner, loaded = owner_of(kind, stream, self._org_id), Loaded(kind(), 0, None, None)
        rows = await self._log.stream_rows(stream, owner, 0, STREAM_PIECE)
        if rows and rows[0].org_id != self._org_id:
            raise NotFound
        while rows:
            known = [row for row in rows if row.org_seq <= self.seq]
            history = await self._history(known)
            if history.events and not isinstance(history.events[0], kind.folds):
                raise NotFound
            loaded = fold(loaded, history)
            if len(known) < STREAM_PIECE:
                break
            async with self._log.turns:
                rows = await self._log.stream_rows(stream, owner, loaded.version, STREAM_PIECE)
        return loaded

    async def _history(self, rows: list[Row]) -> History:
        if not rows:
            return History([], 0, None, None)
        last, events = rows[-1], await self._log.events(rows)
        return History(events, last.version, last.org_id, recorded_time(last.recorded_at))
