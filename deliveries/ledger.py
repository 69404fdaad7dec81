"""Ledger: writes what happened at one endpoint, many changes per transaction.

A cursor is written with or after the deliveries that it passed, and nothing is written unless we
still hold the lease. What is not yet written when a worker dies is done again, with the same ids.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from deliveries.cursor import Repair
from eventstore.counters import OPERATIONS_DRIVER, counters_of
from eventstore.operations.records import Attempt, Delivery, Endpoint
from eventstore.operations.store import (
    WRITE_MAX,
    Changes,
    OperationalStore,
    OperationsUnavailable,
)


class _Batch(Struct):
    """Changes not yet written; deliveries by id, so that several changes are one write."""

    deliveries: dict[str, Delivery]
    attempts: list[Attempt]
    fields: dict[str, Any]


def _empty() -> _Batch:
    return _Batch({}, [], {})


class Ledger:
    """Pending writes about one endpoint, protected by the fence of our lease."""

    def __init__(self, store: OperationalStore, endpoint: Endpoint) -> None:
        self._store = store
        self._mine = replace(endpoint)
        self._batch = _empty()
        self._writing = asyncio.Lock()
        self.dirty = asyncio.Event()

    @property
    def unwritten(self) -> int:
        """The number of attempts that only this process knows of."""
        return len(self._batch.attempts)

    def changed(self, delivery: Delivery, attempt: Attempt | None = None) -> None:
        """Write a new or changed delivery, and the attempt that changed it."""
        self._batch.deliveries[delivery.id] = delivery
        if attempt is not None:
            self._batch.attempts.append(attempt)
        self.dirty.set()

    def set(self, **fields: Any) -> None:
        """Change columns of the endpoint itself."""
        self._batch.fields.update(fields)
        self.dirty.set()

    async def repair(self, repair: Repair) -> None:
        """Write *repair* at once, on its own; many deliveries are forgotten in pieces.

        :raises LeaseLost: another worker has the endpoint; nothing was written.
        :raises OperationsUnavailable: it could not be written.
        """
        async with self._writing:
            after = repair.forget_after
            while after is not None and await self._store.forget(self._mine, after):
                pass
            await self._store.write(self._mine, repair.changes)

    async def flush(self) -> None:
        """Write all pending changes, in short transactions.

        :raises LeaseLost: another worker has the endpoint.
        :raises OperationsUnavailable: it could not be written and stays pending.
        """
        async with self._writing:  # one after the other, or an older change could be written last
            self.dirty.clear()
            batch, self._batch = self._batch, _empty()
            try:
                for part in _parts(batch):
                    await self._store.write(self._mine, part)
            except OperationsUnavailable:
                self._restore(batch)
                counters_of(OPERATIONS_DRIVER).retried()  # the caller flushes again
                raise

    def _restore(self, batch: _Batch) -> None:
        newer = self._batch
        self._batch = _Batch(
            batch.deliveries | newer.deliveries,
            batch.attempts + newer.attempts,
            batch.fields | newer.fields,
        )
        self.dirty.set()


def _parts(batch: _Batch) -> Iterator[Changes]:
    """Yield *batch* in parts of one transaction each; the last one has the cursor.

    Deliveries are copied, because they continue to change while they are written.
    """
    deliveries = [replace(each) for each in batch.deliveries.values()]
    attempts = batch.attempts
    for first in range(0, max(len(deliveries), len(attempts), 1), WRITE_MAX):
        rest = slice(first, first + WRITE_MAX)
        is_last = max(len(deliveries), len(attempts)) <= first + WRITE_MAX
        yield Changes(
            fields=batch.fields if is_last else {},
            deliveries=deliveries[rest],
            attempts=attempts[rest],
        )
