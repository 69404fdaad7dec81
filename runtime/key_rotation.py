"""Master key rotation: wraps every data key and secret again, while the system runs.

Only what a previous key wrapped is written, so that a run that was interrupted is continued by the
next one.
"""

from collections.abc import Callable
from typing import NamedTuple

from eventstore.log import EventLog
from eventstore.store import Wrapped
from security.sealing import MasterKeys

SLICE_ROWS = 500


class Rotated(NamedTuple):
    """How many keys and secrets there are, and how many were wrapped again."""

    seen: int
    wrapped: int


async def outdated(log: EventLog, masters: MasterKeys) -> int:
    """Return how many keys and secrets are still wrapped by a previous master key."""
    count = 0
    for part in range(log.parts):
        after: Wrapped | None = None
        while found := await log.wrapped(after, SLICE_ROWS, part):
            count += sum(masters.is_outdated(one.value) for one in found)
            after = found[-1]
    return count


async def wrap_again(
    log: EventLog, masters: MasterKeys, watch: Callable[[str, int], None]
) -> Rotated:
    """Wrap by the current master key whatever a previous one wrapped; tell *watch* the progress.

    :raises LogClosed: nothing may be written next to the log now.
    :raises SealBroken: a value names a previous key but was changed since.
    """
    seen = wrapped = 0
    for part in range(log.parts):
        after: Wrapped | None = None
        while found := await log.wrapped(after, SLICE_ROWS, part):
            for one in filter(lambda one: masters.is_outdated(one.value), found):
                value = masters.wrap(masters.unwrap(one.value, one.owner), one.owner)
                wrapped += await log.wrap_again(one, value, part)
            seen += len(found)
            watch("keys and secrets", seen)
            after = found[-1]
    return Rotated(seen, wrapped)
