"""``replay``: print the log; sends nothing and changes nothing."""

import asyncio
import sys
from typing import Annotated

import msgspec
from cyclopts import Parameter

from audit.opened import open_all
from audit.trail import entry_json
from cli.failure import CommandFailed
from cli.outages import outages_as_failures
from cli.running import settings_of_log
from domain.catalog import EVENT_TYPES
from runtime.system import derive_keys, open_log

_BATCH = 500


def run(
    *,
    first: Annotated[int, Parameter(name="--from")] = 1,
    types: Annotated[tuple[str, ...], Parameter(name="--type")] = (),
) -> int:
    """Print every event, those of each partition in their order.

    Parameters
    ----------
    first
        First position.
    types
        Print only events of this type; may be given several times.
    """
    for name in types:
        if name not in EVENT_TYPES:
            raise CommandFailed(
                f"there is no event type {name!r}; docs/reference/events.md lists them", 2
            )
    with outages_as_failures():
        return asyncio.run(_replay(first - 1, types))


async def _replay(after: int, types: tuple[str, ...]) -> int:
    settings = settings_of_log()
    encode = msgspec.json.Encoder().encode
    async with open_log(settings, derive_keys(settings)) as log:
        for part in range(log.parts):
            position = after
            while rows := await log.tail_rows(position, _BATCH, types, part):
                for opened in await open_all(log, rows):
                    sys.stdout.buffer.write(encode(entry_json(opened)) + b"\n")
                position = rows[-1].position
    return 0
