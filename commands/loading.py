"""Streams from the log into memory, and up to date."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TypeVar, cast, get_args, get_type_hints
from uuid import UUID

from commands.reading import Loaded, StateCache
from domain.base import PLATFORM, Event, NotFound, OrgId, ProjectId, State
from domain.claim import task_number_claim
from eventstore.log import EventLog, History

S = TypeVar("S", bound=State)


class Loader:
    """Loads, folds and refreshes streams; the cache holds what exists, *extra* the rest."""

    def __init__(self, log: EventLog, cache: StateCache) -> None:
        self._log = log
        self.cache = cache

    async def load(self, kind: type[State], stream: UUID, extra: dict[UUID, Loaded]) -> Loaded:
        """Return the folded stream; an unknown one has version 0 and is kept in *extra* only.

        :raises NotFound: the stream is something else than *kind*; ids come from callers.
        """
        history = await self._log.history(stream)
        if history.events and not isinstance(history.events[0], _events_of(kind)):
            raise NotFound
        loaded = fold(Loaded(kind(), 0, None), history)
        if loaded.version:
            self.cache.put(stream, loaded)
            extra.pop(stream, None)
        else:
            extra[stream] = loaded
        return loaded

    async def refresh(
        self, loaded: Mapping[UUID, tuple[type[State], Loaded]], extra: dict[UUID, Loaded]
    ) -> bool:
        """Bring streams up to date that a decision has read; say whether any had moved on."""
        heads = await self._log.heads(list(loaded))
        moved = False
        for stream, (kind, read) in loaded.items():
            if heads.get(stream, 0) == read.version:
                continue
            moved = True
            known = self.cache.get(stream)
            if known is None:
                await self.load(kind, stream, extra)
            elif known.version < heads.get(stream, 0):
                self.cache.put(stream, fold(known, await self._log.history(stream, known.version)))
        return moved

    async def fresh(self, kind: type[S], stream: UUID, org_id: OrgId | None = None) -> S:
        """Return the newest state of *stream*, verified by one look at its head.

        :raises NotFound: it does not exist, or belongs to another organization than *org_id*.
        """
        [found] = await self.fresh_loaded([(kind, stream)], org_id)
        return cast(S, found.state)

    async def fresh_loaded(
        self, wanted: Iterable[tuple[type[State], UUID]], org_id: OrgId | None = None
    ) -> list[Loaded]:
        """Return the newest states of several streams, by one look at all their heads.

        :raises NotFound: one of them does not exist, or belongs to another organization.
        """
        asked = list(wanted)
        heads = await self._log.heads([stream for _, stream in asked])
        found: list[Loaded] = []
        for kind, stream in asked:
            head = heads.get(stream, 0)
            known = self.cache.get(stream)
            if head == 0:
                raise NotFound
            if known is None:
                known = await self.load(kind, stream, {})
            elif known.version < head:
                known = fold(known, await self._log.history(stream, known.version))
                self.cache.put(stream, known)
            if not isinstance(known.state, kind):
                raise NotFound
            if known.org_id != (PLATFORM if kind.platform else org_id):
                raise NotFound
            found.append(known)
        return found

    async def first_free_number(self, project_id: ProjectId) -> int:
        """Return the first task number that no claim holds; numbers are taken without gaps."""
        step, taken = 1, 0
        while step:
            probes = [taken + step * n for n in range(1, 33)]
            claims = {task_number_claim(project_id, n): n for n in probes}
            heads = await self._log.heads(list(claims))
            held = max((claims[c] for c in heads), default=None)
            if held is None:
                step = 0 if step == 1 else max(step // 32, 1)
            else:
                taken = held
                step = step * 32 if held == probes[-1] else (0 if step == 1 else max(step // 32, 1))
        return taken + 1


@cache
def _events_of(kind: type[State]) -> tuple[type[Event], ...]:
    """Return the events that *kind* folds: a union, or the only one."""
    events = get_type_hints(kind.evolve)["event"]
    return get_args(events) or (events,)


def fold(loaded: Loaded, history: History) -> Loaded:
    """Return *loaded* after what happened next on the same stream."""
    if not history.events:
        return loaded
    state = loaded.state
    for event in history.events:
        state = state.evolve(event)
    return Loaded(state, history.version, history.org_id)
