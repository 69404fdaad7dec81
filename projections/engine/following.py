"""Checks that a checkpoint belongs to this log: after a restore, its position means nothing."""

from uuid import UUID

import msgspec

from eventstore.codec import event_id
from eventstore.log import EventLog
from eventstore.recorded import Row
from projections.engine.control import Control


async def follows(log: EventLog, control: Control) -> bool:
    """Return whether *log* still has the events at the checkpoint of *control*.

    It does not if a backup was restored or the log was replaced by another.

    :raises LogUnavailable: the log does not answer.
    """
    if control.log != await log.identity():
        return False
    for part, place in control.places.items():
        if part >= log.parts:
            return False
        if place.position:
            found = await log.tail_rows(place.position - 1, 1, part=part)
            if not found or event_id_of(found[0]) != place.event_id:
                return False
    return True


def event_id_of(row: Row) -> UUID | None:
    """Return the id of the event in *row*, None if its bytes cannot be read."""
    try:
        return event_id(row)
    except msgspec.MsgspecError:
        return None
