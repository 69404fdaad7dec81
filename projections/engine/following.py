"""Checks that a checkpoint belongs to this log: after a restore, its position means nothing."""

from eventstore.log import EventLog
from eventstore.recorded import event_id
from projections.engine.control import Control


async def follows(log: EventLog, control: Control) -> bool:
    """Return whether *log* still has the events at the checkpoint of *control*.

    It does not if a backup was restored or the log was replaced by another.

    :raises LogUnavailable: the log does not answer.
    """
    if control.log != await log.identity():
        return False
    if not control.life or control.partitions != log.parts:
        return False
    for part in range(log.parts):
        at = control.part(part)
        if at.position:
            found = await log.tail_rows(at.position - 1, 1, part=part)
            if not found or event_id(found[0]) != at.event_id:
                return False
    return True
