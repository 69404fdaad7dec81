"""Writes a batch in one transaction, if the record that it names is still the one that was read."""

import msgspec
from msgspec.structs import replace
from pymongo import ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

from eventstore.identifiers import new_id
from projections.engine.control import Control
from projections.engine.mongo.documents import stored
from projections.engine.mongo.leases import CONTROL, THE_PLAN, Stored, id_of_part
from projections.engine.store import Batch, OutOfTurn, Parked

PARKED = "parked"
WRITE_CONFLICT = 112
"""MongoDB's error code if two transactions change one document."""


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
            for (collection, _), documents in batch.written:
                writes = [ReplaceOne({"_id": d.id}, stored(d), upsert=True) for d in documents]
                if writes:
                    await database[collection].bulk_write(writes, ordered=True, session=session)
            await _park(database, batch, session)
    except OperationFailure as failure:
        if failure.code == WRITE_CONFLICT:  # with another write to the same record
            raise OutOfTurn("somebody else is writing") from failure
        raise
    return after


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
