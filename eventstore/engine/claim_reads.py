"""The reads of claims, counts and versions, as they are outside of an append.

Most requests read what others read a moment ago. How far the log is tells whether anybody has
recorded an event since; what commits of this process have changed by then is known without reading.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import ParamSpec, TypeVar
from uuid import UUID

from msgspec import Struct

from domain.base import OrgId
from eventstore.claim import ClaimKey, CountKey, Held
from eventstore.engine.calls import ReadTogether, StoreCalls
from eventstore.store import Mark, OwnCommit, Store

P = ParamSpec("P")
T = TypeVar("T")


UNCHANGED_MAX = 50_000
"""Versions, and as many counts and positions, that are kept: about 15 MB."""


class StillTrue(Struct):
    """Versions of streams and newest positions of organizations, and counts.

    The first two are by the integers of ids, because UUIDs are hashed and compared in Python, and
    counts by that of what they are within and their scope. They are 0 for what is not there.
    """

    versions: dict[int, int] = {}
    positions: dict[int, int] = {}
    counts: dict[tuple[int, str], int] = {}

    @property
    def is_full(self) -> bool:
        """Whether no more is to be kept."""
        kept = len(self.versions), len(self.positions), len(self.counts)
        return max(kept) > UNCHANGED_MAX

    def follow(self, commits: Iterable[OwnCommit]) -> None:
        """Take over what *commits* have changed."""
        for commit in commits:
            self.versions.update(commit.versions)
            self.positions.update(commit.positions)
            self.counts.update(commit.counts)


class Unchanged:
    """What was found in a log in this process and holds at its present mark."""

    def __init__(self, store: Store, calls: StoreCalls) -> None:
        self._store, self._calls = store, calls
        self._since: Mark = ()
        self._found = StillTrue()
        self._is_checked = False

    def found(self) -> StillTrue | None:
        """Return what still holds, to which what is read before anything else happens is added.

        None if everything has to be read again. In one turn of the event loop the mark is read
        once: the requests that are answered in it were received before.
        """
        if self._is_checked:
            return self._found
        mark = self._calls.here(self._store.mark) if self._store.inline else None
        if mark is None:
            return None
        if mark != self._since:
            commits = self._store.own_commits(self._since, mark)
            self._since = mark
            if commits is None:
                self._found = StillTrue()
            else:
                self._found.follow(commits)
        if self._found.is_full:
            self._found = StillTrue()
        self._is_checked = True
        asyncio.get_running_loop().call_soon(self._check_again)
        return self._found

    def _check_again(self) -> None:
        self._is_checked = False


class ClaimReads:
    """Reads claims, counts and versions of a store in this process or over the network."""

    def __init__(self, store: Store, *, deadline_s: float) -> None:
        self.store = store
        self._calls = StoreCalls(inline=store.inline, deadline_s=deadline_s)
        self._unchanged = Unchanged(store, self._calls)
        self._heads_deadline_s = deadline_s
        self._heads: dict[int, ReadTogether[UUID, int]] = {}
        self._counts = ReadTogether[CountKey, int](
            lambda counts: self._read(store.counted, counts), deadline_s
        )

    async def holder(self, claim: ClaimKey) -> UUID | None:
        """Return who holds *claim* now, None if nobody does."""
        return (await self.holders([claim])).get(claim)

    async def holders(self, claims: Sequence[ClaimKey]) -> dict[ClaimKey, UUID]:
        """Return who holds each of *claims* now; free ones are left out."""
        found = await self._read(self.store.holders, claims)
        return {claim: held.holder for claim, held in found.items() if not held.free_at}

    async def claimed(self, org_id: OrgId, scope: str, within: UUID) -> list[UUID]:
        """Return who holds a claim of *scope* within something now, in the order of values."""
        return await self._read(self.store.claimed, org_id, scope, within)

    async def claimed_between(self, claim: ClaimKey, below: bytes, limit: int) -> list[bytes]:
        """Return the first values above that of *claim* and below another that are held, in order.

        They are in its scope, and within the same thing.
        """
        return await self._read(self.store.claimed_between, claim, below, limit)

    async def claimed_in(self, part: int, scope: str) -> list[tuple[UUID, UUID]]:
        """Return every claim of *scope* in a partition: what it is within, and who holds it."""
        return await self._read(self.store.claimed_in, part, scope)

    async def counted(self, *counts: CountKey) -> list[int]:
        """Return the value of each of *counts*."""
        found = self._unchanged.found()
        known = {} if found is None else found.counts
        try:
            return [known[count.within.int, count.scope] for count in counts]
        except KeyError:
            missing = [c for c in counts if (c.within.int, c.scope) not in known]
        inline = self.store.inline
        read = await (
            self._read(self.store.counted, missing) if inline else self._counts.ask(missing)
        )
        known.update(((c.within.int, c.scope), read.get(c, 0)) for c in missing)
        return [known[count.within.int, count.scope] for count in counts]

    def known_head(self, stream: UUID) -> int | None:
        """Return the newest version of *stream*, 0 if it is not there; None if it has to be read.

        What another process records is seen from the next turn of the event loop on.
        """
        found = self._unchanged.found()
        return None if found is None else found.versions.get(stream.int)

    async def _heads_in(self, part: int, streams: list[UUID]) -> dict[UUID, int]:
        """Return the newest version of each of *streams* in a partition, read now."""
        if self.store.inline:
            return await self._read(self.store.heads, streams, part)
        together = self._heads.get(part)
        if together is None:
            together = self._heads[part] = ReadTogether[UUID, int](
                lambda some: self._read(self.store.heads, some, part), self._heads_deadline_s
            )
        return await together.ask(streams)

    async def _heads_of_one(self, streams: list[UUID]) -> dict[UUID, int]:
        """Return the newest version of each of *streams* in a log of one partition."""
        found = self._unchanged.found()
        if found is None:
            return await self._heads_in(0, streams)
        known = found.versions
        missing = [stream for stream in streams if stream.int not in known]
        if missing:
            read = await self._heads_in(0, missing)
            known.update((stream.int, read.get(stream, 0)) for stream in missing)
        return {stream: head for stream in streams if (head := known[stream.int])}

    async def claims_in(self, part: int) -> dict[tuple[str, UUID, bytes], Held]:
        """Return every claim of a partition by its scope, where it is unique, and its value."""
        return await self._read(self.store.claims_in, part)

    async def counts_in(self, part: int) -> dict[tuple[str, UUID], int]:
        """Return every count of a partition by its scope and what it is within."""
        return await self._read(self.store.counts_in, part)

    async def _read(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._calls.read(read, *args, **kwargs)
