"""Where a job rings: the organizations that the delivery engine should look at now."""

import asyncio
from uuid import UUID


class Rings:
    """Rings of one process that the engine has not answered yet."""

    def __init__(self) -> None:
        self._rung: set[UUID] = set()
        self._heard = asyncio.Event()

    def ring(self, org_id: UUID) -> None:
        """Have the senders of an organization look at the log."""
        self._rung.add(org_id)
        self._heard.set()

    def take(self) -> set[UUID]:
        """Return whom was rung for since the last time."""
        rung, self._rung = self._rung, set()
        self._heard.clear()
        return rung

    async def wait(self) -> None:
        """Return when somebody has rung."""
        await self._heard.wait()
