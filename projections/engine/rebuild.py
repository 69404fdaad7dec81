"""Blue and green: a read model built anew from the log beside the live one, then swapped in.

Nothing but the pointer moves, and only once the new collection holds all that the old one does.
The old one stays for a rollback until the next rebuild. A rebuild that was broken off goes on
where it stopped.
"""

from collections.abc import Callable
from typing import Any

from eventstore.log import EventLog
from projections.base import Projection
from projections.engine.batch import BatchWriter, OutOfTurn
from projections.engine.checkpoints import (
    CHECKPOINTS,
    Checkpoint,
    Database,
    Phase,
    create_collection,
    go_live_first,
)
from projections.engine.folding import ProjectionFailed
from projections.engine.switch import drop, drop_older, flip

REBUILD_BATCH_MAX = 1_000
FLIPS_MAX = 100
"""Tries to catch up with a live collection that is itself being written to."""

OnProgress = Callable[[int, int], None]
"""Told how far the rebuild is and how far the log goes, both as positions."""


def tell_nobody(position: int, head: int) -> None:
    """Tell nobody."""


async def rebuild(
    projection: Projection[Any],
    log: EventLog,
    database: Database,
    progress: OnProgress = tell_nobody,
) -> str:
    """Build *projection* anew, point queries at it and return the collection's name.

    :raises ProjectionFailed: an event cannot be folded; the live collection stays.
    :raises OutOfTurn: another rebuild was faster.
    """
    before = await go_live_first(database, projection)
    checkpoint = await _unfinished(projection, database) or await _begin(projection, database)
    writer = BatchWriter(projection, log, database, checkpoint, strict=True)
    for _ in range(FLIPS_MAX):
        try:
            await build(writer, log, await log.last_position(), progress)
        except ProjectionFailed:
            await drop(database, checkpoint.collection)  # nothing to go on from after a repair
            raise
        if await flip(database, before, checkpoint):
            await drop_older(database, projection.name)
            return checkpoint.collection
    raise OutOfTurn(f"{checkpoint.collection} did not catch up in {FLIPS_MAX} tries")


async def build(
    writer: BatchWriter[Any], log: EventLog, to: int, progress: OnProgress = tell_nobody
) -> None:
    """Bring a collection up to position *to*, exactly."""
    while (at := writer.checkpoint.position) < to:
        rows = await log.tail_rows(at, REBUILD_BATCH_MAX, writer.projection.tags)
        full = len(rows) == REBUILD_BATCH_MAX and rows[-1].position <= to
        await writer.write([r for r in rows if r.position <= to], rows[-1].position if full else to)
        progress(writer.checkpoint.position, to)


async def _unfinished(projection: Projection[Any], database: Database) -> Checkpoint | None:
    found = await database[CHECKPOINTS].find_one(
        {
            "model": projection.name,
            "version": projection.version,
            "phase": Phase.BUILDING.value,
        }
    )
    return Checkpoint.of(found) if found else None


async def _begin(projection: Projection[Any], database: Database) -> Checkpoint:
    same = {"model": projection.name, "version": projection.version}
    builds = [one["build"] async for one in database[CHECKPOINTS].find(same)]
    build_number = max(builds, default=0) + 1
    fresh = Checkpoint(
        collection=f"{projection.name}_v{projection.version}_b{build_number}",
        model=projection.name,
        version=projection.version,
        build=build_number,
        phase=Phase.BUILDING,
    )
    await database.drop_collection(fresh.collection)  # nothing of it can be trusted
    await create_collection(database, projection, fresh)
    return fresh
