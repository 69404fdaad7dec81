"""The lease of an import: of all processes of the API, one runs it."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from eventstore.identifiers import new_id
from eventstore.operations.records import ImportProgress
from eventstore.operations.store import OperationalStore, OperationsUnavailable

IMPORT_LEASE_S = 15.0
"""How long the lease of a process that was killed keeps its imports from others."""

_logger = logging.getLogger(__name__)


class ImportLost(Exception):
    """Another process runs this import by now; nothing is told of it here any more."""


class ImportLease:
    """The lease of one import for one run of it.

    Two that run the same import at once, because one was taken for dead, do no harm: a line is
    imported once, as its external id is claimed. But only one may tell how far it is.
    """

    def __init__(self, operations: OperationalStore, import_id: str) -> None:
        self._operations = operations
        self._lease, self._owner = f"import/{import_id}", new_id().hex

    async def take(self) -> bool:
        """Take or renew it; return False if another run has it."""
        return await self._operations.take_lease(self._lease, self._owner, IMPORT_LEASE_S)

    async def renew(self) -> None:
        """Renew it.

        :raises ImportLost: another run has it.
        """
        if not await self.take():
            raise ImportLost

    async def leave(self, progress: ImportProgress) -> None:
        """Store how far the import is, and give the lease back.

        :raises ImportLost: another run has it.
        """
        await self.renew()
        if not await self._operations.leave_import(progress, self._lease, self._owner):
            raise ImportLost

    async def drop(self) -> None:
        """Leave the import to whoever takes it next."""
        try:
            await self._operations.drop_lease(self._lease, self._owner)
        except OperationsUnavailable as error:
            _logger.warning("the lease of an import ends by itself: %s", error)

    @asynccontextmanager
    async def kept(self) -> AsyncGenerator[None]:
        """Renew it for as long as the block lasts, and drop it: a large file takes minutes."""
        renewing = asyncio.create_task(self._renewed(), name="renew the lease of an import")
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            await self.drop()

    async def _renewed(self) -> None:
        while True:
            await asyncio.sleep(IMPORT_LEASE_S / 3)
            try:
                await self.take()
            except OperationsUnavailable as error:
                _logger.warning("the lease of an import is not renewed: %s", error)
