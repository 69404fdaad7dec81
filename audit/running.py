"""Running exports: an organization has one at a time in a process."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from domain.audit import ExportInProgress
from domain.base import OrgId

EXPORT_STALLED_S = 30.0
"""An export that sends nothing for this long no longer counts: its client is gone or asleep."""


class RunningExports:
    """The exports that this process is sending, by organization."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._running: dict[OrgId, tuple[object, float]] = {}

    def begin(self, org_id: OrgId) -> object:
        """Reserve the place of *org_id* and return it.

        :raises ExportInProgress: another export of the organization is being sent.
        """
        running = self._running.get(org_id)
        if running is not None and self._now() - running[1] < EXPORT_STALLED_S:
            raise ExportInProgress
        place = object()
        self._running[org_id] = place, self._now()
        return place

    async def sent(
        self, org_id: OrgId, place: object, content: AsyncIterator[bytes]
    ) -> AsyncGenerator[bytes]:
        """Yield *content*, holding *place* until it ends or the client leaves."""
        try:
            async for chunk in content:
                if self._holds(org_id, place):
                    self._running[org_id] = place, self._now()
                yield chunk
        finally:
            self.end(org_id, place)

    def end(self, org_id: OrgId, place: object) -> None:
        """Release *place*."""
        if self._holds(org_id, place):
            del self._running[org_id]

    def _holds(self, org_id: OrgId, place: object) -> bool:
        return self._running.get(org_id, (None, 0.0))[0] is place
