"""``lint-log``: check every invariant again, from the log alone."""

import asyncio

from cli.outages import outages_as_failures
from cli.running import settings_of_log
from commands.lint.walk import lint_log
from runtime.system import derive_keys, open_log

SHOWN_MAX = 100
"""How many findings are printed; the first ones show what is wrong."""


def run() -> int:
    """Check the whole log; return 1 if anything is wrong with it."""
    with outages_as_failures():
        return asyncio.run(_lint())


async def _lint() -> int:
    settings = settings_of_log()
    found = 0
    async with open_log(settings, derive_keys(settings)) as log:
        async for finding in lint_log(log):
            found += 1
            if found <= SHOWN_MAX:
                print(finding)
        events = sum([await log.last_position(part) for part in range(log.parts)])
    if found > SHOWN_MAX:
        print(f"… and {found - SHOWN_MAX} more")
    print(f"{events} events: {f'{found} findings' if found else 'every rule holds'}")
    return 1 if found else 0
