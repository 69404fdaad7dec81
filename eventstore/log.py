"""The event log: the only door to stored events."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import ParamSpec, TypeVar
from uuid import UUID

from msgspec import Struct

from domain.base import Event, OrgId
from eventstore.append import Append, LogUnavailable, Secret, StoredReply
from eventstore.claim import ClaimKey, CountKey
from eventstore.codec import decode, decode_event, event_id, takes_key
from eventstore.keys import KeyWrapper, SubjectKeys
from eventstore.recorded import Recorded, Row, recorded_time
from eventstore.store import LogIdentity, Store, TreeHead
from eventstore.writer import GroupCommit, settle_outcome

P = ParamSpec("P")
T = TypeVar("T")

READ_THREADS = 8
SEQUENCE_MAX = 2**62
"""More than any organization's sequence will reach."""


class History(Struct, frozen=True):
    """Events of one stream; version, organization and time are those of the last of them."""

    events: list[Event]
    version: int
    org_id: OrgId | None
    at: datetime | None


class EventLog:
    """Append-only: there is no method here that changes or removes an event.

    Belongs to the event loop it was opened on. Reads of a store in this process run right on
    the loop (a stream takes some 20 µs); reads over the network run on threads.
    """

    def __init__(self, store: Store, wrapper: KeyWrapper) -> None:
        self.store = store
        self.keys = SubjectKeys(wrapper, store.keys)
        self._threads = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="log-reader")
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

    @property
    def parts(self) -> int:
        """How many partitions there are; each counts its positions from 1."""
        return self.store.parts

    # Reads ------------------------------------------------------------------

    async def identity(self) -> LogIdentity:
        """Return which log this is."""
        return await self._read(self.store.identity)

    async def stream(self, stream_id: UUID, after: int = 0) -> list[Recorded]:
        """Return the events of a stream above version *after*; nothing for an unknown one."""
        rows = await self._read(self.store.stream, stream_id, after)
        return await self.decoded(rows)

    async def history(self, stream_id: UUID, after: int = 0) -> History:
        """Return the bare events of a stream above version *after*, to fold on."""
        rows = await self._read(self.store.stream, stream_id, after)
        if not rows:
            return History([], after, None, None)
        await self._fetch_keys_for(rows)
        cipher = self.keys.cached(stream_id)
        events = [decode_event(row, cipher) for row in rows]
        last = rows[-1]
        return History(events, last.version, last.org_id, recorded_time(last.recorded_at))

    async def tail(
        self, after: int, limit: int, tags: Sequence[str] = (), part: int = 0
    ) -> list[Recorded]:
        """Return at most *limit* events of a partition above *after*, in commit order."""
        return await self.decoded(await self.tail_rows(after, limit, tags, part))

    async def tail_rows(
        self, after: int, limit: int, tags: Sequence[str] = (), part: int = 0
    ) -> list[Row]:
        """Return what ``tail`` returns, undecoded."""
        return await self._read(self.store.tail, after, limit, tags, part)

    async def event_id_at(self, position: int, part: int = 0) -> UUID | None:
        """Return the id of the event at *position*, None when there is none."""
        if position < 1:
            return None
        found = await self.tail_rows(position - 1, 1, part=part)
        return event_id(found[0]) if found else None

    async def organization(self, org_id: OrgId, after: int, limit: int) -> list[Row]:
        """Return an organization's rows with a sequence above *after*, in order."""
        return await self._read(self.store.organization, org_id, after, limit)

    async def organization_before(self, org_id: OrgId, before: int, limit: int) -> list[Row]:
        """Return an organization's rows with a sequence below *before*, newest first."""
        return await self._read(self.store.organization_before, org_id, before, limit)

    async def organization_head(self, org_id: OrgId) -> int:
        """Return the newest sequence of one organization, 0 if it has no events."""
        newest = await self.organization_before(org_id, SEQUENCE_MAX, 1)
        return newest[0].org_seq if newest else 0

    async def organization_heads(self) -> dict[OrgId, int]:
        """Return the newest sequence of every organization."""
        heads: dict[OrgId, int] = {}
        for part in range(self.parts):
            heads.update(await self._read(self.store.organization_heads, part))
        return heads

    async def holder(self, claim: ClaimKey) -> UUID | None:
        """Return who holds *claim* now, None when nobody does."""
        held = (await self._read(self.store.holders, [claim])).get(claim)
        return held.holder if held is not None and not held.free_at else None

    async def counted(self, *counts: CountKey) -> list[int]:
        """Return how many there are of each of *counts*."""
        found = await self._read(self.store.counted, counts)
        return [found.get(count, 0) for count in counts]

    async def rehearse(self, append: Append) -> None:
        """Raise what ``append`` would raise now, and write nothing."""
        settle_outcome(await self._read(self.store.rehearse, append))

    async def heads(self, streams: Sequence[UUID]) -> dict[UUID, int]:
        """Return the newest version of each stream; unknown streams are left out."""
        return await self._read(self.store.heads, streams)

    async def last_position(self, part: int = 0) -> int:
        """Return the newest position of a partition, 0 when it is empty."""
        return await self._read(self.store.last_position, part)

    async def fetch_keys(self, subjects: Iterable[UUID]) -> None:
        """Bring the data keys of *subjects* into this process."""
        await self._read(self.keys.fetch, subjects)

    async def reply(self, key: bytes) -> StoredReply | None:
        """Return the stored reply to an Idempotency-Key, if there is one."""
        return await self._read(self.store.reply, key)

    async def secret(self, owner: UUID, name: str) -> bytes | None:
        """Return a sealed secret of *owner*."""
        return (await self._read(self.store.secrets, owner)).get(name)

    async def secrets(self, owner: UUID) -> dict[str, bytes]:
        """Return all sealed secrets of *owner* by name."""
        return dict(await self._read(self.store.secrets, owner))

    async def put_secret(self, secret: Secret) -> None:
        """Write a secret beside the log, without an event."""
        await self._read(self.store.put_secret, secret)

    async def tree_heads(self, org_id: OrgId, since: int = 0) -> list[TreeHead]:
        """Return the signed tree heads of an organization of at least *since*."""
        return await self._read(self.store.tree_heads, org_id, since)

    async def newest_tree_head(
        self, org_id: OrgId, size_max: int = SEQUENCE_MAX
    ) -> TreeHead | None:
        """Return the largest signed tree head of an organization up to *size_max*."""
        return await self._read(self.store.newest_tree_head, org_id, size_max)

    async def put_tree_head(self, head: TreeHead) -> None:
        """Keep a signed tree head."""
        await self._read(self.store.put_tree_head, head)

    async def decoded(self, rows: Sequence[Row]) -> list[Recorded]:
        """Return *rows* with their personal values opened."""
        await self._fetch_keys_for(rows)
        cached = self.keys.cached
        return [decode(row, cached(row.stream_id) if takes_key(row.tag) else None) for row in rows]

    async def _fetch_keys_for(self, rows: Sequence[Row]) -> None:
        sealed = [row.stream_id for row in rows if takes_key(row.tag)]
        if sealed:
            await self.fetch_keys(sealed)

    async def _read(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self.store.inline:
            return read(*args, **kwargs)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: read(*args, **kwargs))
