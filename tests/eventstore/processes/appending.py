"""A program that appends until it is killed and prints each acknowledged event."""

import asyncio
import sys
from uuid import UUID, uuid4

from eventstore.append import Secret
from eventstore.log import EventLog
from eventstore.sqlite import SqliteStore
from tests.domain.spec import ACME, OTHER
from tests.eventstore.rows import command
from tests.spec import opened

WRITERS = 8


async def append_for_ever(log: EventLog, number: int) -> None:
    """Append to one stream; print stream and version of each acknowledged command."""
    stream = uuid4()
    version = 0
    while True:
        secret = Secret(stream, "newest", str(version + 2).encode())
        asked = command(
            stream, version, events=2, org_id=(ACME, OTHER)[number % 2], secrets=(secret,)
        )
        await log.append(asked)
        version += 2
        acknowledge(stream, version)


def acknowledge(stream: UUID, version: int) -> None:
    """Say so in one write, so that no line is torn."""
    sys.stdout.buffer.write(f"{stream} {version}\n".encode())
    sys.stdout.buffer.flush()


async def main(path: str) -> None:
    """Write with several writers at once."""
    async with opened(SqliteStore(path)) as log:
        await asyncio.gather(*(append_for_ever(log, n) for n in range(WRITERS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
