"""Running exports: an organization has one at a time, through whatever process."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from uuid import uuid4

from domain.audit import ExportInProgress
from domain.base import OrgId
from eventstore.operations.store import OperationalStore, OperationsUnavailable

EXPORT_STALLED_S = 30.0
"""An export that sends nothing for this long no longer counts: its client is gone or asleep."""
_RENEW_S = EXPORT_STALLED_S / 3


class RunningExports:
    """The exports that are being sent; each has the lease of its organization."""

    def __init__(
        self, operations: OperationalStore, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._operations, self._now = operations, now
        self._ending: set[asyncio.Task[None]] = set()

    async def begin(self, org_id: OrgId) -> str:
        """Take the place of *org_id* and return the name under which it was taken.

        :raises ExportInProgress: another export of the organization is being sent.
        """
        place = uuid4().hex
        if not await self._take(org_id, place):
            raise ExportInProgress
        return place

    async def sent(
        self, org_id: OrgId, place: str, content: AsyncIterator[bytes]
    ) -> AsyncGenerator[bytes]:
        """Yield *content*, holding *place* until it ends or the client leaves."""
        renewed, holds = self._now(), True
        try:
            async for chunk in content:
                if holds and self._now() - renewed >= _RENEW_S:
                    # Without an answer the export goes on: it has begun, and nothing depends on it.
                    with contextlib.suppress(OperationsUnavailable):
                        holds = await self._take(org_id, place)
                    renewed = self._now()
                yield chunk
        finally:
            await self.end(org_id, place)

    async def end(self, org_id: OrgId, place: str) -> None:
        """Release *place*, also if the request is cancelled meanwhile."""
        ending = asyncio.create_task(self._drop(org_id, place))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        await asyncio.shield(ending)

    async def close(self) -> None:
        """Wait until every place is released that is being released."""
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def _take(self, org_id: OrgId, place: str) -> bool:
        return await self._operations.take_lease(_lease(org_id), place, EXPORT_STALLED_S)

    async def _drop(self, org_id: OrgId, place: str) -> None:
        # If the store does not answer, the lease runs out by itself.
        with contextlib.suppress(OperationsUnavailable):
            await self._operations.drop_lease(_lease(org_id), place)


def _lease(org_id: OrgId) -> str:
    return f"audit export of {org_id}"
