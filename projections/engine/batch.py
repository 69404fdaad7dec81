"""A batch of events written with its checkpoint: one transaction, each document once.

Whatever happens in between, the documents and the checkpoint agree: a lost transaction is a
batch to be done again from the log, on MongoDB as on a laptop's server that may lose its tail.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar
from uuid import UUID

import msgspec
import pymongo
from pymongo import InsertOne, ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from eventstore.append import LogUnavailable
from eventstore.log import EventLog
from eventstore.recorded import Recorded, Row
from projections.base import Projection
from projections.engine.checkpoints import CHECKPOINTS, Checkpoint, Database, Document
from projections.engine.folding import Batch, Folded
from projections.engine.transaction import Transactions

S = TypeVar("S")
Write = InsertOne[Document] | ReplaceOne[Document]

ALONE_S = 2.0
"""How long a checkpoint may take to move by itself before a transaction asks why."""
RECENT_MAX = 20_000
"""Documents kept in memory to fold on: a few tens of MB."""


class OutOfTurn(Exception):
    """The checkpoint is not where it was: another projector or a rebuild came between."""


class BatchWriter(Generic[S]):
    """Writes the events of one read model into one collection.

    After any failure, throw it away and read the checkpoint again: what was stored is unknown.
    """

    def __init__(  # noqa: PLR0913 - strict and transactions are for rebuild and projector
        self,
        projection: Projection[S],
        log: EventLog,
        database: Database,
        checkpoint: Checkpoint,
        *,
        strict: bool = False,
        transactions: Transactions | None = None,
    ) -> None:
        self.projection, self.checkpoint, self.strict = projection, checkpoint, strict
        self._log, self._database = log, database
        self._documents = database[checkpoint.collection]
        self._transactions = transactions or Transactions(database, checkpoint.collection)
        self._recent: OrderedDict[str, Folded[S]] = OrderedDict()
        self._decode_state = msgspec.json.Decoder(projection.state).decode

    async def write(self, rows: list[Row], scanned: int) -> int:
        """Fold *rows*, move the checkpoint to *scanned* and return how many documents changed.

        :raises OutOfTurn: nothing was written.
        :raises ProjectionFailed: only when strict.
        """
        here = self.checkpoint
        batch = Batch(self.projection, self._recent, here.parked, strict=self.strict)
        events = await self._decoded(rows, batch)
        await self._load({key for event in events for key in self.projection.keys(event)})
        for event in events:
            batch.fold(event)
        documents = batch.documents()
        update: Document = {"position": scanned}
        for stream, why in batch.parked.items():
            update[f"parked.{stream}"] = {"position": why.position, "error": why.error}
        writes: list[Write] = [
            ReplaceOne({"_id": key, "_pos": {"$lt": document["_pos"]}}, document)
            if batch.touched[key].stored
            else InsertOne(document)
            for key, document in documents.items()
        ]
        await self._commit(writes, {"$set": update})
        here.position, here.parked = scanned, {**here.parked, **batch.parked}
        self._remember(batch)
        return len(writes)

    async def retry(self, stream: UUID) -> bool:
        """Fold a parked stream again from its first event; say whether it is no longer parked.

        :raises OutOfTurn: nothing was written.
        """
        here = self.checkpoint
        batch: Batch[S] = Batch(self.projection, {})
        try:
            events = await self._log.stream(stream)
        except LogUnavailable:
            raise
        except Exception:  # noqa: BLE001 - an event of it still cannot be read: it stays parked
            return False
        for event in events:
            if event.position <= here.position and event.tag in self.projection.tags:
                batch.fold(event)
        documents = batch.documents()
        if batch.parked:
            return False
        writes = [ReplaceOne({"_id": k}, one, upsert=True) for k, one in documents.items()]
        await self._commit(writes, {"$unset": {f"parked.{stream}": ""}})
        here.parked = {s: why for s, why in here.parked.items() if s != str(stream)}
        self._remember(batch)
        return True

    async def _decoded(self, rows: list[Row], batch: Batch[S]) -> list[Recorded]:
        try:
            return await self._log.decoded(rows)
        except LogUnavailable:
            raise
        except Exception:  # noqa: BLE001 - one of them cannot be read; below it is found out which
            events: list[Recorded] = []
        for row in rows:
            try:
                events += await self._log.decoded([row])
            except LogUnavailable:
                raise
            except Exception as failure:  # noqa: BLE001 - whatever it is, it is this stream's alone
                batch.park(row, failure)
        return [event for event in events if str(event.stream_id) not in batch.parked]

    async def _load(self, keys: Iterable[str]) -> None:
        missing = [key for key in keys if key not in self._recent]
        if not missing:
            return
        found = self._documents.find({"_id": {"$in": missing}}, {"state": 1, "_pos": 1})
        async for one in found:
            state = self._decode_state(one["state"])
            self._recent[one["_id"]] = Folded(state, one["_pos"], stored=True)

    def _remember(self, batch: Batch[S]) -> None:
        for key, folded in batch.touched.items():
            folded.stored = True
            self._recent[key] = folded
            self._recent.move_to_end(key)
        while len(self._recent) > RECENT_MAX:
            self._recent.popitem(last=False)

    async def _commit(self, writes: Sequence[Write], update: Document) -> None:
        if not writes and await self._moved_alone(update):
            return

        async def write(session: AsyncClientSession) -> None:
            await self._move_checkpoint(update, session)
            if writes:
                await self._documents.bulk_write(writes, ordered=True, session=session)

        await self._transactions.run(write)

    async def _moved_alone(self, update: Document) -> bool:
        """Move the checkpoint without a transaction, unless something holds it."""
        try:
            with pymongo.timeout(ALONE_S):
                await self._move_checkpoint(update, None)
        except PyMongoError:
            return False
        return True

    async def _move_checkpoint(self, update: Document, session: AsyncClientSession | None) -> None:
        # Only from where we believe to be: of two projectors at work, one finds out here.
        here = {
            "_id": self.checkpoint.collection,
            "position": self.checkpoint.position,
            "phase": self.checkpoint.phase.value,
        }
        checkpoints = self._database[CHECKPOINTS]
        moved = await checkpoints.update_one(here, update, session=session)
        if moved.matched_count == 0:
            raise OutOfTurn(self.checkpoint.collection)
