"""Folded streams: loaded from the log, cached in memory, brought up to date."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from msgspec import Struct

from domain.base import PLATFORM, NotFound, OrgId, State
from domain.identity.organization.state import Organization
from eventstore.claim import ClaimKey, CountKey
from eventstore.engine.turns import STREAM_PIECE
from eventstore.log import EventLog
from eventstore.log_reads import History

S = TypeVar("S", bound=State)
_S = TypeVar("_S")  # the class is generic over any state, and the bound applies where it is used

CACHE_MAX = 100_000
"""Folded streams kept in memory: about 100 MB of tasks."""


class Loaded(Struct, Generic[_S], frozen=True):
    """A folded stream: its state, its version and the time of its last event.

    A stream that does not exist has version 0, no organization and no time.
    """

    state: _S
    version: int
    org_id: OrgId | None
    at: datetime | None


Wanted = tuple[type[State], UUID]
"""A stream and the type of state that it should have."""


class StateCache:
    """Folded states by stream, in two generations of half the size each.

    What is used moves to the new one. When that is full, it becomes the old one, and what was not
    used since the last time is dropped. Streams are kept by the integers of their ids, because
    UUIDs are hashed and compared in Python. Correctness never depends on the cache: the append
    verifies every version that was read.
    """

    def __init__(self, size_max: int = CACHE_MAX) -> None:
        self._generation_max = size_max // 2
        self._new: dict[int, Loaded[Any]] = {}
        self._old: dict[int, Loaded[Any]] = {}

    def get(self, stream: UUID) -> Loaded[Any] | None:
        """Return the state of *stream* as this process last saw it; None if it is not in memory."""
        key = stream.int
        found = self._new.get(key)
        if found is None and self._old:
            found = self._old.get(key)
            if found is not None:
                self._keep(key, found)
        return found

    def put(self, stream: UUID, loaded: Loaded[Any]) -> None:
        """Keep *loaded* unless there is a newer version."""
        known = self.get(stream)
        if known is None or known.version < loaded.version:
            self._keep(stream.int, loaded)

    def has(self, versions: Mapping[UUID, int]) -> bool:
        """Return whether streams are in memory at these *versions*."""
        for stream, version in versions.items():
            found = self.get(stream)
            if found is None or found.version != version:
                return False
        return True

    def drop(self, stream: UUID) -> None:
        """Drop *stream*, so that the next read loads it again."""
        self._new.pop(stream.int, None)
        self._old.pop(stream.int, None)

    def _keep(self, key: int, loaded: Loaded[Any]) -> None:
        self._new[key] = loaded
        if len(self._new) >= self._generation_max:
            self._new, self._old = {}, self._new


class States:
    """The states of one process: a cache in front of the log."""

    def __init__(self, log: EventLog, cache: StateCache) -> None:
        self._log = log
        self.cache = cache

    async def load(self, kind: type[S], stream: UUID, org_id: OrgId | None) -> Loaded[S]:
        """Return the folded stream from the log; one that does not exist has version 0.

        *org_id* is the organization in whose partition it would be.

        :raises NotFound: the stream has another type of state; ids come from callers.
        """
        loaded = await self._with_rest(kind, stream, org_id, Loaded(kind(), 0, None, None))
        if loaded.version:
            self.cache.put(stream, loaded)
        return loaded

    async def _with_rest(
        self, kind: type[S], stream: UUID, org_id: OrgId | None, loaded: Loaded[S]
    ) -> Loaded[S]:
        """Return *loaded* with all later events folded; a long stream in pieces, in turns."""
        owner = owner_of(kind, stream, org_id)
        history = await self._log.history(stream, owner, loaded.version, STREAM_PIECE)
        if history.events and not isinstance(history.events[0], kind.folds):
            raise NotFound
        loaded = fold(loaded, history)
        while len(history.events) == STREAM_PIECE:
            async with self._log.turns:
                history = await self._log.history(stream, owner, loaded.version, STREAM_PIECE)
                loaded = fold(loaded, history)
        return loaded

    async def refresh(self, read: Mapping[UUID, Loaded[Any]], org_id: OrgId | None) -> bool:
        """Refresh streams that a decision read; return whether any had changed."""
        owners = {
            stream: found.org_id or owner_of(kind_of(found), stream, org_id)
            for stream, found in read.items()
        }
        heads = await self._log.heads(owners)
        moved = False
        for stream, found in read.items():
            head = heads.get(stream, 0)
            # A version of our own commit may be newer: in one turn of the event loop, what has
            # changed in the log is looked at once.
            if head > found.version:
                moved = True
                await self._up_to(head, kind_of(found), stream, org_id)
        return moved

    def still_has(self, versions: Mapping[UUID, int]) -> bool:
        """Return whether streams are known, without a read, to have these *versions* still."""
        return self._log.still_has(versions)

    async def holders(self, claims: Sequence[ClaimKey]) -> dict[ClaimKey, UUID]:
        """Return who holds each of *claims* now; free ones are left out."""
        return await self._log.holders(claims)

    async def counted(self, counts: Sequence[CountKey]) -> dict[CountKey, int]:
        """Return the value of each of *counts* now."""
        return dict(zip(counts, await self._log.counted(*counts), strict=True))

    async def fresh(self, kind: type[S], stream: UUID, org_id: OrgId | None = None) -> S:
        """Return the newest state of *stream*, by checking its version in the log.

        :raises NotFound: it does not exist, or belongs to another organization than *org_id*.
        """
        [found] = await self.all_fresh([(kind, stream)], org_id)
        return cast(S, found.state)

    async def all_fresh(
        self,
        wanted: Iterable[Wanted],
        org_id: OrgId | None = None,
        heads: dict[UUID, int] | None = None,
        beside: Iterable[UUID] = (),
    ) -> list[Loaded[Any]]:
        """Return the newest states of several streams, with one query for all versions.

        *heads* are versions that were read for the same request before, and are not read again;
        those that are read now are added, also of streams *beside*, which will be wanted next.

        :raises NotFound: one of them does not exist, or belongs to another organization.
        """
        asked = list(wanted)
        heads = {} if heads is None else heads
        unknown = {s: owner_of(kind, s, org_id) for kind, s in asked if s not in heads}
        if unknown:
            for stream in beside:
                unknown.setdefault(stream, org_id or PLATFORM)
            heads.update(dict.fromkeys(unknown, 0))
            heads.update(await self._log.heads(unknown))
        found: list[Loaded[Any]] = []
        for kind, stream in asked:
            head = heads[stream]
            if head == 0:
                raise NotFound
            known = self.cache.get(stream)
            if known is None or known.version < head:
                known = await self._up_to(head, kind, stream, org_id)
            found.append(_owned(known, kind, org_id))
        return found

    async def newest(
        self, kind: type[S], stream: UUID, org_id: OrgId | None, heads: dict[UUID, int]
    ) -> Loaded[S]:
        """Return the newest state of one stream; *heads* are as in ``all_fresh``.

        :raises NotFound: it does not exist, or belongs to another organization.
        """
        known, head = self.cache.get(stream), heads.get(stream)
        if head is None:
            head = self._log.known_head(stream)
            if head is None:
                read = await self._log.heads({stream: owner_of(kind, stream, org_id)})
                head = read.get(stream, 0)
            heads[stream] = head
        if head == 0:
            raise NotFound
        if known is None or known.version < head:
            known = await self._up_to(head, kind, stream, org_id)
        return _owned(known, kind, org_id)

    async def _up_to(
        self, head: int, kind: type[State], stream: UUID, org_id: OrgId | None
    ) -> Loaded[Any]:
        """Return *stream* with at least *head* events folded."""
        known = self.cache.get(stream)
        if known is None:
            return await self.load(kind, stream, org_id)
        if known.version < head:
            known = await self._with_rest(
                cast(type[State], type(known.state)), stream, org_id, known
            )
            self.cache.put(stream, known)
        return known


def _owned(known: Loaded[Any], kind: type[S], org_id: OrgId | None) -> Loaded[S]:
    """Return *known*.

    :raises NotFound: it is of another type, or belongs to another organization.
    """
    if not isinstance(known.state, kind) or known.org_id != (PLATFORM if kind.platform else org_id):
        raise NotFound
    return known


def kind_of(loaded: Loaded[Any]) -> type[State]:
    """Return as which type of state a stream was read."""
    return cast(type[State], type(loaded.state))


def owner_of(kind: type[State], stream: UUID, org_id: OrgId | None) -> OrgId:
    """Return the owner of a stream for a caller in *org_id*; an organization owns its own."""
    if kind.platform:
        return PLATFORM
    return OrgId(stream) if kind is Organization else org_id or PLATFORM


def fold(loaded: Loaded[Any], history: History) -> Loaded[Any]:
    """Return *loaded* with the next events of the same stream applied."""
    if not history.events:
        return loaded
    state = loaded.state
    for event in history.events:
        state = state.evolve(event)
    return Loaded(state, history.version, history.org_id, history.at)
