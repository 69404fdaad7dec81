"""Writes a batch in one transaction, if the control record is still the one that was read."""

import msgspec
from msgspec.structs import replace
from pymongo import ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from projections.engine.control import Control
from projections.engine.mongo.documents import stored
from projections.engine.mongo.lease import CONTROL, THE_CONTROL, Stored
from projections.engine.store import Batch, OutOfTurn, Parked

PARKED = "parked"


async def write_batch(
    database: AsyncDatabase[Stored], batch: Batch, session: AsyncClientSession
) -> Control:
    """Write *batch* and return the new control record.

    :raises OutOfTurn: the revision is no longer the one that was read, or the lease is lost.
    :raises PyMongoError: nothing was written.
    """
    before: Stored = {**THE_CONTROL, "revision": batch.control.revision}
    if batch.fence is not None:
        before["fence"] = batch.fence
    after = replace(batch.control, revision=batch.control.revision + 1)
    told: Stored = msgspec.to_builtins(after, str_keys=True)
    async with await session.start_transaction():
        moved = await database[CONTROL].update_one(before, {"$set": told}, session=session)
        if not moved.matched_count:
            raise OutOfTurn(f"revision {batch.control.revision} or our fence is outdated")
        for (collection, _), documents in batch.written:
            writes = [ReplaceOne({"_id": d.id}, stored(d), upsert=True) for d in documents]
            if writes:
                await database[collection].bulk_write(writes, ordered=True, session=session)
        await _park(database, batch, session)
    return after


async def _park(database: AsyncDatabase[Stored], batch: Batch, session: AsyncClientSession) -> None:
    parked = database[PARKED]
    for one in batch.unparked:
        await parked.delete_one({"_id": _key(one)}, session=session)
    for one in batch.parked:
        told = {"_id": _key(one), **msgspec.to_builtins(one)}
        await parked.replace_one({"_id": _key(one)}, told, upsert=True, session=session)


def _key(one: Parked) -> str:
    return f"{one.collection} {one.id}"
