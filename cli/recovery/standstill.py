"""Waits until no worker writes next to a log that has become read-only."""

import asyncio

from cli.failure import CommandFailed
from eventstore.open import SQLITE
from eventstore.operations.open import open_operations, operations_file

QUIET_S = 2.0
"""How long nobody may have been at work: workers notice within a second that they must pause."""

PATIENCE_S = 90.0
"""Longer than any lease that a dead worker leaves behind, and than requests in progress take."""

LEASE_S_MAX = 60.0
_LOOK_S = 0.25


async def until_nobody_works(
    events_url: str, *, quiet_s: float | None = None, patience_s: float = PATIENCE_S
) -> None:
    """Return once workers have finished and written down what they had in progress.

    *quiet_s* is ``QUIET_S`` unless given.

    :raises CommandFailed: they do not finish.
    :raises LogUnavailable: the operational state does not answer.
    """
    if events_url.startswith(SQLITE) and not operations_file(events_url).exists():
        return
    store = open_operations(events_url)
    quiet_s = QUIET_S if quiet_s is None else quiet_s
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience_s
    try:
        await store.open()
        quiet_since = loop.time()
        while True:
            at_work, now = await store.at_work(LEASE_S_MAX), loop.time()
            if at_work:
                quiet_since = now
            elif now - quiet_since >= quiet_s:
                return
            if at_work and now > deadline:
                raise CommandFailed(
                    f"workers still hold {at_work} endpoints, jobs or mails of the read-only log:"
                    " stop them, then run this again"
                )
            await asyncio.sleep(_LOOK_S)
    finally:
        await store.close()
