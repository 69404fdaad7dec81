"""The event log: the only door to stored events."""

import asyncio
from collections.abc import Callable

from domain.base import OrgId
from eventstore.append import Append, LogUnavailable
from eventstore.keys import KeyWrapper
from eventstore.log_reads import LogReads
from eventstore.store import Store
from eventstore.writer import GroupCommit, settle_outcome


class EventLog(LogReads):
    """Append-only: there is no method here that changes or removes an event.

    Belongs to the event loop it was opened on.
    """

    def __init__(self, store: Store, wrapper: KeyWrapper) -> None:
        super().__init__(store, wrapper)
        self._writer: GroupCommit | None = None
        self._listeners: list[Callable[[int], None]] = []
        self._append_listeners: list[Callable[[OrgId], None]] = []

    async def open(self) -> None:
        """Make the store ready and start the writer.

        :raises LogUnfit: the database is no log that this version can use.
        """
        await asyncio.to_thread(self.store.open)
        self._writer = GroupCommit(self.store, self._committed)

    async def close(self) -> None:
        """Commit what is queued and close the database."""
        if self._writer is not None:
            await self._writer.close()
        self._threads.shutdown()
        await self._close_store()

    async def _close_store(self) -> None:
        if self.store.inline:
            self.store.close()
        else:  # waits for connections that are just being made
            await asyncio.to_thread(self.store.close)

    def on_commit(self, listener: Callable[[int], None]) -> None:
        """Call *listener* with the newest position after each commit of this process."""
        self._listeners.append(listener)

    def on_append(self, listener: Callable[[OrgId], None]) -> None:
        """Call *listener* with each organization that this process has recorded events of."""
        self._append_listeners.append(listener)

    def _committed(self, position: int) -> None:
        for listener in self._listeners:
            listener(position)

    async def append(self, append: Append) -> int:
        """Write all of *append* or nothing; see ``GroupCommit.append`` for what it raises."""
        if self._writer is None:
            raise LogUnavailable("the log is not open")
        position = await self._writer.append(append)
        for org_id in {row.org_id for row in append.rows}:
            for listener in self._append_listeners:
                listener(org_id)
        return position

    async def rehearse(self, append: Append) -> None:
        """Raise what ``append`` would raise now, and write nothing."""
        settle_outcome(await self._read(self.store.rehearse, append))
