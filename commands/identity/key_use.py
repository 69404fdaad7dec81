"""Key use: when each API key was last used, to the minute.

It is kept with the operational state, because it is no event, and written in the background: a
request neither waits for it nor fails with it.
"""

import asyncio
import logging
from collections import OrderedDict
from datetime import datetime, timedelta
from uuid import UUID

from eventstore.operations.store import KeyUseStore, OperationsUnavailable

USE_NOTED_EVERY = timedelta(minutes=1)
"""How often a process writes that a key is in use."""

KEYS_NOTED_MAX = 50_000
"""Keys whose last note a process remembers, about 8 MB."""

_logger = logging.getLogger(__name__)


class KeyUses:
    """Notes that keys are used, and tells when each was last used."""

    def __init__(self, operations: KeyUseStore) -> None:
        self._operations = operations
        self._noted: OrderedDict[UUID, datetime] = OrderedDict()
        self._writing: set[asyncio.Task[None]] = set()

    def note(self, api_key_id: UUID, now: datetime) -> None:
        """Note that a key was used, at most once in ``USE_NOTED_EVERY``."""
        noted = self._noted.get(api_key_id)
        if noted is not None and now - noted < USE_NOTED_EVERY:
            return
        self._noted[api_key_id] = now
        self._noted.move_to_end(api_key_id)
        if len(self._noted) > KEYS_NOTED_MAX:
            self._noted.popitem(last=False)
        task = asyncio.create_task(self._write(api_key_id, now.replace(second=0, microsecond=0)))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, api_key_id: UUID, at: datetime) -> None:
        try:
            await self._operations.note_key_use(str(api_key_id), at)
        except OperationsUnavailable as error:
            _logger.warning("the use of an API key was not noted: %s", error)

    async def of(self, api_key_ids: list[str]) -> dict[str, datetime]:
        """Return when each of these keys was last used; those never used are left out.

        :raises OperationsUnavailable: the database does not answer.
        """
        return await self._operations.key_uses(api_key_ids)

    async def close(self) -> None:
        """Wait until everything that was noted is written."""
        await asyncio.gather(*self._writing)
