"""The moment at which queries go from one collection of a read model to another."""

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure

from projections.engine.batch import OutOfTurn
from projections.engine.checkpoints import (
    CHECKPOINTS,
    POINTERS,
    Checkpoint,
    Database,
    Document,
    Phase,
    Pointer,
    Pointers,
    read_checkpoint,
)

_TRANSIENT = "TransientTransactionError"


async def flip(database: Database, before: Pointer, to: Checkpoint) -> bool:
    """Point at *to* if it holds all that the live collection does; False: catch up first.

    Retiring the live checkpoint and a projector's next batch write the same document, so one of
    the two fails: the old collection cannot move on unseen, and no reader goes back in time.

    :raises OutOfTurn: the pointer is not where it was.
    """
    try:
        async with database.client.start_session() as session, await session.start_transaction():
            done = await _retire(database, before, to.position, session)
            if done:
                await _point(database, before, to, session)
            else:
                await session.abort_transaction()
    except OperationFailure as failure:
        if not failure.has_error_label(_TRANSIENT):
            raise
        done = False
    if not done:
        now = await Pointers(database).fresh(to.model)
        if now != before:
            raise OutOfTurn(to.collection)
        return False
    to.phase = Phase.LIVE
    return True


async def roll_back(database: Database, name: str) -> str:
    """Point at the collection before the last rebuild, and return its name.

    It is as old as the moment it was left; the projector brings it up to date from there.

    :raises LookupError: there is none.
    :raises OutOfTurn: somebody moved the pointer meanwhile.
    """
    here = await Pointers(database).fresh(name)
    there = await read_checkpoint(database, here.previous) if here and here.previous else None
    if here is None or there is None:
        raise LookupError(f"{name} has no earlier collection to go back to")
    async with database.client.start_session() as session, await session.start_transaction():
        await _set_phase(database, here.collection, Phase.RETIRED, session)
        await _point(database, here, there, session)
    return there.collection


async def drop_older(database: Database, name: str) -> None:
    """Drop the retired collections of a read model, save the one to roll back to."""
    pointer = await Pointers(database).fresh(name)
    keep = (pointer.previous, pointer.collection) if pointer else ()
    retired = {"model": name, "phase": Phase.RETIRED.value}
    async for checkpoint in database[CHECKPOINTS].find(retired, {"_id": 1}):
        if checkpoint["_id"] not in keep:
            await drop(database, checkpoint["_id"])


async def drop(database: Database, collection: str) -> None:
    """Drop a collection that nothing points at, its checkpoint first."""
    await database[CHECKPOINTS].delete_one({"_id": collection})
    await database.drop_collection(collection)


async def _retire(
    database: Database, live: Pointer, position_max: int, session: AsyncClientSession
) -> bool:
    here = {
        "_id": live.collection,
        "phase": Phase.LIVE.value,
        "position": {"$lte": position_max},
    }
    retire = {"$set": {"phase": Phase.RETIRED.value}}
    done = await database[CHECKPOINTS].update_one(here, retire, session=session)
    return done.matched_count == 1


async def _point(
    database: Database, before: Pointer, to: Checkpoint, session: AsyncClientSession
) -> None:
    there: Document = {
        "version": to.version,
        "collection": to.collection,
        "previous": before.collection,
    }
    await _set_phase(database, to.collection, Phase.LIVE, session)
    here = {"_id": to.model, "collection": before.collection}
    moved = await database[POINTERS].update_one(here, {"$set": there}, session=session)
    if moved.matched_count == 0:
        raise OutOfTurn(to.collection)


async def _set_phase(
    database: Database, collection: str, phase: Phase, session: AsyncClientSession
) -> None:
    await database[CHECKPOINTS].update_one(
        {"_id": collection}, {"$set": {"phase": phase.value}}, session=session
    )
