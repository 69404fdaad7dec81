"""The leases of the partitions that a projector holds."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from uuid import uuid4

from projections.engine.store import ReadStore, ReadStoreUnavailable

LEASE_S, RENEW_S, STAND_BY_S = 3.0, 0.9, 0.5
"""Another projector takes over from a killed one within LEASE_S + STAND_BY_S.

RENEW_S is a little less than two waits of a projector that is alone, so that it renews at each
second of its waits."""
_LATE_S = 1.25
"""How old a lease is when nobody has asked for it in time."""


class PartLeases:
    """Holds the leases of those *wanted* partitions that no other projector holds."""

    def __init__(self, store: ReadStore, wanted: Callable[[], Sequence[int]]) -> None:
        self._store, self._wanted = store, wanted
        self._owner = uuid4().hex
        self._fences: dict[int, int] = {}
        self._ask_at = self._asked_at = float("-inf")

    async def held(self) -> dict[int, int]:
        """Return the fences of what we hold, after releasing what we do not want any more."""
        now = time.monotonic()
        if now >= self._ask_at:
            wanted = self._wanted()
            unwanted = [part for part in self._fences if part not in wanted]
            if unwanted:
                await self._store.release(self._owner, unwanted)
            self._fences = await self._store.lease(self._owner, LEASE_S, wanted)
            self._asked_at = now
            whole = bool(wanted) and len(self._fences) == len(wanted)
            self._ask_at = now + (RENEW_S if whole else STAND_BY_S)
        return dict(self._fences)

    async def renew(self) -> None:
        """Keep renewing the leases until cancelled, when a batch takes so long that none asks."""
        ours = asyncio.current_task()
        # A driver may report the cancellation of a call as an outage.
        while ours is None or not ours.cancelling():
            await asyncio.sleep(RENEW_S)
            if self._fences and time.monotonic() - self._asked_at > _LATE_S:
                with contextlib.suppress(ReadStoreUnavailable):
                    before = dict(self._fences)
                    still = await self._store.lease(self._owner, LEASE_S, list(before))
                    if before == self._fences:  # not meanwhile released, or asked for again
                        self._fences = {p: f for p, f in before.items() if still.get(p) == f}

    async def release(self, pause_s: float = 0.0) -> None:
        """Release all, and ask for none for a while."""
        held, self._fences = list(self._fences), {}
        self._ask_at = time.monotonic() + pause_s
        if held:
            with contextlib.suppress(ReadStoreUnavailable):
                await self._store.release(self._owner, held)
