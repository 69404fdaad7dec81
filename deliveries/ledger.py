"""Writes what has happened at one endpoint, many changes a transaction.

Cursor, deliveries and attempts go in together or not at all, and only while the endpoint is ours:
the first write of each transaction looks for our fence. What is waiting here when a worker dies
happens once more, under the same ids.
"""

import asyncio
from typing import Any

from msgspec import Struct
from pymongo import InsertOne, ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, PyMongoError

from deliveries.records import (
    ATTEMPTS,
    DELIVERIES,
    ENDPOINTS,
    Attempt,
    Delivery,
    document,
)
from projections.engine.checkpoints import Database, Document

DUPLICATE_KEY = 11000
CHANGES = (
    "status", "open", "next_at", "tries", "attempts", "ended_at", "last_status", "last_error",
)  # fmt: skip

Operation = InsertOne[Document] | ReplaceOne[Document] | UpdateOne


class LeaseLost(Exception):
    """Another worker sends for this endpoint now."""


class _Batch(Struct):
    """Changes not yet written; deliveries by id, so that several changes are one write."""

    new: dict[str, Delivery]
    again: dict[str, Delivery]
    changed: dict[str, Delivery]
    attempts: list[Attempt]
    fields: Document


def _empty() -> _Batch:
    return _Batch({}, {}, {}, [], {})


class Ledger:
    """What is to be written about one endpoint, under the fence of our lease."""

    def __init__(
        self, database: Database, endpoint: str, fence: int, session: AsyncClientSession
    ) -> None:
        self._database, self._session = database, session
        self._mine = {"_id": endpoint, "lease.fence": fence}
        self._batch = _empty()
        self._writing = asyncio.Lock()
        self.dirty = asyncio.Event()

    @property
    def unwritten(self) -> int:
        """How many attempts are known in this process only."""
        return len(self._batch.attempts)

    def new(self, delivery: Delivery) -> None:
        """Add a delivery made from the log."""
        self._batch.new[delivery.id] = delivery
        self.dirty.set()

    def again(self, delivery: Delivery) -> None:
        """Add a delivery that may have been made before; it begins anew."""
        self._batch.again[delivery.id] = delivery
        self._batch.new.pop(delivery.id, None)
        self._batch.changed.pop(delivery.id, None)
        self.dirty.set()

    def attempted(self, delivery: Delivery, attempt: Attempt) -> None:
        """Add an attempt and what it made of its delivery."""
        if delivery.id not in self._batch.new and delivery.id not in self._batch.again:
            self._batch.changed[delivery.id] = delivery
        self._batch.attempts.append(attempt)
        self.dirty.set()

    def set(self, **fields: Any) -> None:
        """Change fields of the endpoint itself."""
        self._batch.fields.update(fields)
        self.dirty.set()

    async def flush(self) -> None:
        """Write everything that is waiting, in one transaction.

        :raises LeaseLost: when the endpoint is another's; nothing was written.
        :raises PyMongoError: when it could not be written; it waits for the next flush.
        """
        async with self._writing:  # one after the other, or an older change could come last
            self.dirty.clear()
            batch, self._batch = self._batch, _empty()
            try:
                await self._write_all(batch)
            except PyMongoError:
                self._restore(batch)
                raise

    async def _write_all(self, batch: _Batch) -> None:
        try:
            await self._write(batch.fields, _operations(batch, InsertOne), batch.attempts)
        except BulkWriteError as error:
            if not _only_duplicates(error):
                raise
            # Somebody restored the cursor from an older backup, say: what is there is ours too.
            await self._write(batch.fields, _operations(batch, _replace), batch.attempts)

    async def _write(
        self, fields: Document, operations: list[Operation], attempts: list[Attempt]
    ) -> None:
        async def write(session: AsyncClientSession) -> None:
            # At least one field, as the fence is in the filter of an update.
            change = {"$set": fields} if fields else {"$inc": {"writes": 1}}
            mine = await self._database[ENDPOINTS].update_one(self._mine, change, session=session)
            if not mine.matched_count:
                raise LeaseLost
            if operations:
                await self._database[DELIVERIES].bulk_write(
                    operations, ordered=False, session=session
                )
            if attempts:
                documents = [document(each) for each in attempts]
                await self._database[ATTEMPTS].insert_many(
                    documents, ordered=False, session=session
                )

        await self._session.with_transaction(write)

    async def close(self) -> None:
        """End the session; what is waiting is dropped."""
        await self._session.end_session()

    def _restore(self, batch: _Batch) -> None:
        newer = self._batch
        again = batch.again | newer.again
        new = {**batch.new, **newer.new}
        whole = new.keys() | again.keys()
        changed = {**batch.changed, **newer.changed}
        self._batch = _Batch(
            {name: each for name, each in new.items() if name not in again},
            again,
            {name: each for name, each in changed.items() if name not in whole},
            batch.attempts + newer.attempts,
            batch.fields | newer.fields,
        )
        self.dirty.set()


def _operations(batch: _Batch, insert: Any) -> list[Operation]:
    operations: list[Operation] = [insert(document(each)) for each in batch.new.values()]
    operations += [_replace(document(each)) for each in batch.again.values()]
    for name, delivery in batch.changed.items():
        whole = document(delivery)
        changes = {change: whole[change] for change in CHANGES}
        operations.append(UpdateOne({"_id": name}, {"$set": changes}))
    return operations


def _replace(whole: Document) -> ReplaceOne[Document]:
    return ReplaceOne({"_id": whole["_id"]}, whole, upsert=True)


def _only_duplicates(error: BulkWriteError) -> bool:
    details: Any = error.details
    return all(each["code"] == DUPLICATE_KEY for each in details["writeErrors"])
