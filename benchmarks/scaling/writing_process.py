"""``python -m benchmarks.scaling.writing_process URL NUMBER``: one of several writing processes.

It reads lines such as ``own 1.0``, writes for that many seconds, and prints its commands a second.
"""

import asyncio
import sys
from collections.abc import Callable

import uvloop

from benchmarks.harness.writers import open_writers
from benchmarks.scaling.writing import IN_FLIGHT, OWN, PARTS, PROCESSES, SAME
from domain.base import OrgId
from eventstore.partition import partition_of
from eventstore.postgres import PostgresStore

_SAME = 1
"""The partition that all processes write to when they are told to; none has it for itself."""


async def main(url: str, number: int) -> None:
    """Write when told to, until the end of the input."""
    own = await open_writers(
        PostgresStore(url),
        IN_FLIGHT,
        lambda org_id: (
            (part := partition_of(org_id, PARTS)) != _SAME and part % PROCESSES == number
        ),
    )
    same = await open_writers(
        PostgresStore(url), IN_FLIGHT, lambda org_id: partition_of(org_id, PARTS) == _SAME
    )
    writers = {OWN: own, SAME: same}
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        where, seconds = line.split()
        pace = await writers[where].append(float(seconds))
        print(pace.per_second, flush=True)


def _within(*parts: int) -> Callable[[OrgId], bool]:
    return lambda org_id: partition_of(org_id, PARTS) in parts


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
