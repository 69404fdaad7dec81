"""Crews: the processes that share one kind of work, each with a fair part of it.

Work is divided into slots, such as the partitions of the log. Every member sends a heartbeat each
second and deals the slots out over the members that it then sees, in the order of their names. All
members come to the same result, so nobody has to be asked or waited for.

For a second or two after a member came or went, two members may own the same slot, or none. What
is done in a crew must bear both.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from zlib import crc32

from eventstore.identifiers import new_id
from eventstore.operations.store import OperationalStore, OperationsUnavailable
from eventstore.operations.ticks import tick

_LEASE_S = 3.0
"""How long a member that was killed keeps its slots; others see it a heartbeat later."""

_HEARTBEAT_S = 1.0
_logger = logging.getLogger(__name__)

Owns = Callable[[int], bool]
"""Returns whether this process does the work of a slot."""


def everything(slot: int) -> bool:
    """Own every slot: there is no other process."""
    return slot >= 0


def slot_of(name: str) -> int:
    """Return the slot of something that has a name and no number."""
    return crc32(name.encode())


def new_member() -> str:
    """Return a name for this process that no other has or had."""
    return f"{socket.gethostname()}-{os.getpid()}-{new_id().hex[-8:]}"


class Crew:
    """The members of one crew, as one of them, *member*, last saw them."""

    def __init__(
        self, operations: OperationalStore, name: str, member: str, *, lease_s: float = _LEASE_S
    ) -> None:
        self._operations, self._lease_s = operations, lease_s
        self.name, self.member = name, member
        self.members: list[str] = []

    def owns(self, slot: int) -> bool:
        """Return whether this member does the work of *slot*; nobody does before its heartbeat."""
        members = self.members
        return bool(members) and members[slot % len(members)] == self.member

    async def heartbeat(self) -> None:
        """Stay a member, and see who else is.

        :raises OperationsUnavailable: the members stay those that were seen before.
        """
        found = await self._operations.heartbeat(self.name, self.member, self._lease_s)
        if found != self.members:
            _logger.info("%d processes share the work of %r now", len(found), self.name)
        self.members = found

    async def run(self) -> None:
        """Send heartbeats until cancelled."""
        while True:
            await tick(_HEARTBEAT_S)
            try:
                await self.heartbeat()
            except OperationsUnavailable as error:
                _logger.warning("no heartbeat to the crew %r: %s", self.name, error)

    async def leave(self) -> None:
        """Leave the slots to the others at once."""
        self.members = []
        with contextlib.suppress(OperationsUnavailable):
            await self._operations.leave(self.name, self.member)


@asynccontextmanager
async def crew_joined(operations: OperationalStore, name: str) -> AsyncGenerator[Crew]:
    """Give a crew that this process is a member of for as long as the block lasts."""
    crew = Crew(operations, name, new_member())
    with contextlib.suppress(OperationsUnavailable):  # the task tries again
        await crew.heartbeat()
    beating = asyncio.create_task(crew.run(), name=f"stay in {name}")
    try:
        yield crew
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        await crew.leave()
