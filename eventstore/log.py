"""The event log: all access to stored events goes through it."""

import asyncio
from collections.abc import Callable, Iterable
from uuid import UUID

from domain.base import OrgId
from eventstore.append import Append, LogUnavailable, Secret
from eventstore.engine.calls import LOG_DEADLINE_S
from eventstore.engine.to_look_up import organizations_of
from eventstore.keys import KeyWrapper
from eventstore.log_reads import LogReads
from eventstore.mode import STILL, LogClosed, LogMode
from eventstore.partition import partition_of
from eventstore.recorded import Row
from eventstore.store import Store, Wrapped
from eventstore.writer import GroupCommit, Lanes, settle_outcome

PROBE = Secret(UUID(int=0), "write probe", b"\0")
"""Written to find out whether the log can write again; it belongs to no subject."""


CLOSE_S = 2.0
"""How long calls in progress may last when the log is closed; a frozen server never answers."""


class EventLog(LogReads):
    """Append-only: no method here changes or removes an event.

    It belongs to the event loop that it was opened on.
    """

    def __init__(
        self, store: Store, wrapper: KeyWrapper, *, deadline_s: float = LOG_DEADLINE_S
    ) -> None:
        """*deadline_s* is how long a caller waits for a read or an append."""
        super().__init__(store, wrapper, deadline_s=deadline_s)
        self._deadline_s = deadline_s
        self._writer: GroupCommit | Lanes | None = None
        self._listeners: list[Callable[[int], None]] = []
        self._append_listeners: list[Callable[[OrgId], None]] = []

    async def open(self) -> None:
        """Prepare the store and start the writer.

        :raises LogUnfit: the database has no log that this version can use.
        """
        await asyncio.to_thread(self.store.open)
        await self.identity()
        writer = Lanes if self.store.separate else GroupCommit
        self._writer = writer(self.store, self._committed, deadline_s=self._deadline_s)

    async def close(self) -> None:
        """Commit what is queued and close the database; one that does not answer is left alone."""
        hanging_up = asyncio.create_task(self._hang_up_again_and_again())
        try:
            if self._writer is not None:
                await self._writer.close()
            await self._calls.close(self.store.close)
        finally:
            hanging_up.cancel()

    async def _hang_up_again_and_again(self) -> None:
        """End calls that last; nobody waits for them any more."""
        while True:
            await asyncio.sleep(CLOSE_S)
            self.store.hang_up()

    def on_commit(self, listener: Callable[[int], None]) -> None:
        """Call *listener* with the newest position after each commit of this process."""
        self._listeners.append(listener)

    def on_append(self, listener: Callable[[OrgId], None]) -> None:
        """Call *listener* with each organization for which this process has recorded events."""
        self._append_listeners.append(listener)

    def _committed(self, position: int, recorded: list[Append]) -> None:
        for listener in self._listeners:
            listener(position)
        if self._append_listeners:
            for org_id in organizations_of(recorded):
                for told in self._append_listeners:
                    told(org_id)

    async def append(self, append: Append) -> int:
        """Write all of *append* or nothing; see ``GroupCommit.append`` for what it raises."""
        if self._writer is None:
            raise LogUnavailable("the log is not open")
        return await self._writer.append(append)

    def positions_of(self, rows: Iterable[Row]) -> dict[int, int]:
        """Return the last position of the recorded *rows* in each of their partitions."""
        return {partition_of(row.org_id, self.parts): row.position for row in rows}

    @property
    def append_failure(self) -> str | None:
        """Return why the last commit of this process failed, None if it did not."""
        return self._writer.failure if self._writer is not None else None

    async def put_secret(self, secret: Secret, org_id: OrgId) -> None:
        """Write a secret next to the log, without an event.

        :raises LogClosed: nothing may be written next to the log now.
        """
        await self.refuse_if_still(self.part(org_id))
        await self._calls.write(self.store.put_secret, secret, self.part(org_id))

    async def wrap_again(self, found: Wrapped, value: bytes, part: int) -> bool:
        """Replace a wrapped key or secret; return False if it changed or was destroyed since.

        :raises LogClosed: nothing may be written next to the log now.
        """
        await self.refuse_if_still(part)
        return await self._calls.write(self.store.wrap_again, found, value, part)

    async def destroy_key(self, subject: UUID, org_id: OrgId) -> None:
        """Destroy the data key of *subject*; nobody can ever read what it sealed.

        Other processes may still have it in memory.

        :raises LogClosed: nothing may be written next to the log now.
        """
        await self.refuse_if_still(self.part(org_id))
        await self._calls.write(self.store.destroy_key, subject, self.part(org_id))
        self.keys.forget(subject)

    async def mode(self) -> LogMode:
        """Return whether the log takes commands, or why not."""
        return await self._read(self.store.mode)

    async def is_still(self) -> bool:
        """Return whether nothing may be written next to the log now."""
        return await self.mode() in STILL

    async def refuse_if_still(self, part: int = 0) -> None:
        """Refuse a write next to a partition while the log is read-only or was moved.

        :raises LogClosed: it is.
        """
        mode = await self._read(self.store.mode, part)
        if mode in STILL:
            raise LogClosed(mode)

    async def probe_write(self) -> None:
        """Try a write that is not an event; if it succeeds, forget the last failure."""
        await self.put_secret(PROBE, OrgId(PROBE.owner))
        if self._writer is not None:
            self._writer.failure = None

    async def rehearse(self, append: Append) -> None:
        """Raise what ``append`` would raise now, without writing anything."""
        append.complete()
        settle_outcome(await self._calls.write(self.store.rehearse, append))
