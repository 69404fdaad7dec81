"""Checks that a checkpoint belongs to this log: after a restore, its position means nothing."""

from eventstore.codec import event_id
from eventstore.log import EventLog
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
            if not found or event_id(found[0]) != place.event_id:
                return False
    return True
