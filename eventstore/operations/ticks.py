"""Ticks: what a process does regularly, it does at the same moments.

A core that sleeps takes longer to wake up, and to find its caches empty, than most of what is
looked at each second takes by itself. So whoever waits for a second wakes up with the others.
"""

import asyncio
import random

_PHASE = random.random()  # noqa: S311  not all processes of a machine write at once
_MIN_SHARE = 0.1


def until_tick(every_s: float) -> float:
    """Return the seconds until the next moment of this process that comes each *every_s* seconds.

    It is never less than a tenth of *every_s* away: a timer can end a little early.
    """
    wait_s = every_s - (asyncio.get_running_loop().time() - _PHASE) % every_s
    return wait_s if wait_s > _MIN_SHARE * every_s else wait_s + every_s


async def tick(every_s: float) -> None:
    """Wait until the next moment of this process that comes each *every_s* seconds."""
    await asyncio.sleep(until_tick(every_s))
