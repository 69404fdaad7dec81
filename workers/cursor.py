"""Checks that the cursor of an endpoint fits the log: before sending starts, and every minute."""

import asyncio
import logging

from deliveries.cursor import CursorCheck
from deliveries.ledger import Ledger
from deliveries.subscriptions import KnownWebhook
from eventstore.operations.records import Endpoint
from runtime.outages import StoreOutage
from runtime.system import System

CHECK_S = 60.0
"""How often the log is checked for the event at the cursor."""

_RETRY_S = 0.5
_logger = logging.getLogger(__name__)


class CursorKeeper:
    """Checks regularly, and always after an outage."""

    def __init__(self, system: System, endpoint: Endpoint, ledger: Ledger) -> None:
        self._clock, self._name, self._ledger = system.clock, endpoint.id, ledger
        self._check = CursorCheck(system.log, system.operations, endpoint)
        self._check_at = 0.0

    async def repair(self, known: KnownWebhook) -> None:
        """Move the cursor back if the log was restored; wait while stores are down.

        :raises LeaseLost: another worker has the endpoint.
        """
        while True:
            try:
                await self._ledger.repair(await self._check.repair(known, self._clock()))
            except StoreOutage as error:
                _logger.warning("deliveries of %s wait: %s", self._name, error)
                await asyncio.sleep(_RETRY_S)
            else:
                self._checked()
                return

    async def fits(self, known: KnownWebhook) -> bool:
        """Return whether the log had the event at the cursor when last checked (once a minute).

        :raises LogUnavailable: it cannot be checked.
        """
        if asyncio.get_running_loop().time() < self._check_at:
            return True
        fits = await self._check.fits(known)
        self._checked()
        return fits

    def doubt(self) -> None:
        """Check at the next opportunity: a store that was down may have been restored."""
        self._check_at = 0.0

    def _checked(self) -> None:
        self._check_at = asyncio.get_running_loop().time() + CHECK_S
