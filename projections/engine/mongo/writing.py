"""Writes a batch in one transaction, if the record that it names is still the one that was read."""

import msgspec
from msgspec.structs import replace
from pymongo import ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, OperationFailure

from eventstore.identifiers import new_id
from projections.engine.control import Control
from projections.engine.mongo.documents import stored
from projections.engine.mongo.leases import CONTROL, THE_PLAN, Stored, id_of_part
from projections.engine.store import Batch, OutOfTurn, Parked, Written

PARKED = "parked"
WRITE_CONFLICT = 112
"""MongoDB's error code if two transactions change one document."""
_DUPLICATE = 11000
"""MongoDB's error code if there is such a document already."""


async def write_batch(
    database: AsyncDatabase[Stored], batch: Batch, session: AsyncClientSession
) -> Control:
    """Write *batch* and return the new control record.

    :raises OutOfTurn: somebody else has written since it was read, or the lease is lost.
    :raises PyMongoError: nothing was written.
    """
    if batch.part is None:
        before, told, after = _plan_write(batch.control)
    else:
        before, told, after = _part_write(batch.control, batch.part)
    if batch.fence is not None:
        before["fence"] = batch.fence
    try:
        async with await session.start_transaction():
            moved = await database[CONTROL].update_one(before, {"$set": told}, session=session)
            if not moved.matched_count:
                raise OutOfTurn(
                    "what was read is no longer what is stored, or our fence is outdated"
                )
            for one in batch.written:
                await _store(database[one.target.collection], one, session)
            await _park(database, batch, session)
    except OperationFailure as failure:
        if failure.code == WRITE_CONFLICT:  # with another write to the same record
            raise OutOfTurn("somebody else is writing") from failure
        raise
    return after


async def _store(
    collection: AsyncCollection[Stored], written: Written, session: AsyncClientSession
) -> None:
    """Insert the new documents in one go, which costs the server less, and replace the others.

    :raises OutOfTurn: a document is not new after all; what was read before must be read again.
    """
    new = [stored(one) for one in written.documents if one.id in written.new]
    others = [one for one in written.documents if one.id not in written.new]
    if new:
        try:
            await collection.insert_many(new, session=session)
        except BulkWriteError as failure:
            if any(error["code"] == _DUPLICATE for error in failure.details["writeErrors"]):
                raise OutOfTurn("a document that was not there is there now") from failure
            raise
    if others:
        writes = [ReplaceOne({"_id": one.id}, stored(one), upsert=True) for one in others]
        await collection.bulk_write(writes, session=session)


def _plan_write(control: Control) -> tuple[Stored, Stored, Control]:
    """Return which plan record is replaced by what, and what the control record is then."""
    before: Stored = {**THE_PLAN, "revision": control.revision}
    after = replace(control, revision=control.revision + 1)
    told: Stored = msgspec.to_builtins(after, str_keys=True)
    del told["parts"]
    return before, told, after


def _part_write(control: Control, part: int) -> tuple[Stored, Stored, Control]:
    """Return which record of a partition is replaced by what, and the control record then."""
    read = control.part(part)
    before: Stored = {"_id": id_of_part(part), "token": read.token}
    after = replace(read, token=new_id().hex)
    told: Stored = {"part": part, **msgspec.to_builtins(after)}
    return before, told, control.with_part(part, after)


async def _park(database: AsyncDatabase[Stored], batch: Batch, session: AsyncClientSession) -> None:
    parked = database[PARKED]
    for one in batch.unparked:
        await parked.delete_one({"_id": _key(one)}, session=session)
    for one in batch.parked:
        told = {"_id": _key(one), **msgspec.to_builtins(one)}
        await parked.replace_one({"_id": _key(one)}, told, upsert=True, session=session)


def _key(one: Parked) -> str:
    return f"{one.collection} {one.id}"
