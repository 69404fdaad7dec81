"""The projector: follows the log and keeps one read model up to date."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from pymongo.errors import PyMongoError

from eventstore.append import LogUnavailable
from eventstore.log import EventLog
from projections.base import Projection
from projections.engine.batch import BatchWriter, OutOfTurn
from projections.engine.checkpoints import Database, Phase, Pointers, go_live_first, read_checkpoint
from projections.engine.folding import ProjectionFailed
from projections.engine.rebuild import rebuild
from projections.engine.transaction import Transactions

_BATCH_MAX = 500
_SWEEP_S = 0.25
"""How long at most until the log is looked at, without any wake-up."""
FOREIGN_S = 0.05
"""How often at most the checkpoint is moved past events of other read models only."""
RETRY_FIRST_S, RETRY_MAX_S = 0.1, 2.0
REBUILD_AGAIN_S = 60.0

Wait = Callable[[float], Awaitable[None]]
"""Returns when the log may have grown, or after so many seconds."""
Advanced = Callable[[str, int], None]
"""Told the collection and the position whenever a checkpoint has moved."""

_logger = logging.getLogger(__name__)


def _tell_nobody(collection: str, position: int) -> None:
    """Tell nobody."""


class Projector:
    """Keeps one read model up to date, for ever. Several at once do no harm, only more work.

    It survives every outage of its stores. An event on which the projection fails parks its
    stream, which is tried again whenever a projector starts.
    """

    batch_max = _BATCH_MAX

    def __init__(
        self,
        projection: Projection[Any],
        log: EventLog,
        database: Database,
        wait: Wait,
        advanced: Advanced = _tell_nobody,
    ) -> None:
        self._projection, self._log, self._database = projection, log, database
        self._wait, self._advanced = wait, advanced
        self._pointers = Pointers(database)
        self._writer: BatchWriter[Any] | None = None
        self._retried: set[str] = set()
        self._transactions = Transactions(database, projection.name)
        self._foreign_moved_at = 0.0

    @property
    def name(self) -> str:
        return self._projection.name

    async def run(self) -> None:
        """Project until cancelled."""
        delay_s = 0.0
        ours = asyncio.current_task()
        # The driver, cancelled at an unlucky moment, reports an outage instead: so ask each time.
        while ours is None or not ours.cancelling():
            try:
                if not await self.step():
                    await self._wait(_SWEEP_S)
                delay_s = 0.0
            except OutOfTurn:
                self._writer = None
            except (PyMongoError, LogUnavailable) as outage:
                self._writer = None
                if not delay_s:
                    _logger.warning("%s cannot be projected for now: %s", self.name, outage)
                delay_s = min(RETRY_MAX_S, delay_s * 2 or RETRY_FIRST_S)
                await asyncio.sleep(delay_s)
            except ProjectionFailed:
                _logger.exception("%s: its new version cannot be built", self.name)
                await asyncio.sleep(REBUILD_AGAIN_S)

    async def step(self) -> bool:
        """Project one batch; False when there was nothing to do for now."""
        writer = await self._current_writer()
        if writer is None:
            return False
        after = writer.checkpoint.position
        head = await self._log.last_position()  # before the rows, so that it cannot be past them
        if head <= after:
            return False
        rows = await self._log.tail_rows(after, self.batch_max, self._projection.tags)
        now = asyncio.get_running_loop().time()
        if not rows:
            too_early_s = self._foreign_moved_at + FOREIGN_S - now
            if too_early_s > 0:
                await asyncio.sleep(too_early_s)
                return True
            self._foreign_moved_at = now
        last = rows[-1].position if rows else 0
        scanned = last if len(rows) == self.batch_max else max(head, last)
        await writer.write(rows, scanned)
        self._advanced(writer.checkpoint.collection, scanned)
        return True

    async def _current_writer(self) -> BatchWriter[Any] | None:
        """Return the writer of the live collection, None while that is of a newer version."""
        collection = await self._pointers.collection(self.name)
        if self._writer is None or self._writer.checkpoint.collection != collection:
            self._writer = await self._open()
        return self._writer

    async def _open(self) -> BatchWriter[Any] | None:
        pointer = await go_live_first(self._database, self._projection)
        await self._pointers.fresh(self.name)  # or what it remembers would be taken for newer
        if pointer.version > self._projection.version:
            return None  # this process is of yesterday; the new one takes over
        if pointer.version < self._projection.version:
            await rebuild(self._projection, self._log, self._database)
            return None
        checkpoint = await read_checkpoint(self._database, pointer.collection)
        if checkpoint is None or checkpoint.phase is not Phase.LIVE:
            return None
        writer = BatchWriter(
            self._projection,
            self._log,
            self._database,
            checkpoint,
            transactions=self._transactions,
        )
        for stream in set(checkpoint.parked) - self._retried:
            self._retried.add(stream)
            if await writer.retry(UUID(stream)):
                _logger.info("%s: stream %s is projected again", self.name, stream)
        return writer
