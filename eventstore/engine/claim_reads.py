"""The reads of claims and counts, as they are outside of an append."""

from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar
from uuid import UUID

from domain.base import OrgId
from eventstore.claim import ClaimKey, CountKey, Held
from eventstore.engine.calls import StoreCalls
from eventstore.store import Store

P = ParamSpec("P")
T = TypeVar("T")


class ClaimReads:
    """Reads claims and counts of a store in this process or over the network."""

    def __init__(self, store: Store, *, deadline_s: float) -> None:
        self.store = store
        self._calls = StoreCalls(inline=store.inline, deadline_s=deadline_s)

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

    async def claimed_in(self, part: int, scope: str) -> list[tuple[UUID, UUID]]:
        """Return every claim of *scope* in a partition: what it is within, and who holds it."""
        return await self._read(self.store.claimed_in, part, scope)

    async def counted(self, *counts: CountKey) -> list[int]:
        """Return the value of each of *counts*."""
        found = await self._read(self.store.counted, counts)
        return [found.get(count, 0) for count in counts]

    async def claims_in(self, part: int) -> dict[tuple[str, UUID, bytes], Held]:
        """Return every claim of a partition by its scope, where it is unique, and its value."""
        return await self._read(self.store.claims_in, part)

    async def counts_in(self, part: int) -> dict[tuple[str, UUID], int]:
        """Return every count of a partition by its scope and what it is within."""
        return await self._read(self.store.counts_in, part)

    async def _read(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._calls.read(read, *args, **kwargs)
