"""The follower of live events: one per process, for all of its readers.

It reads what is new once, encodes it once, and looks up with one query who may still read. Streams
of accounts and sessions are followed as well, so a reader whose session ends is let go at once.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Sequence

from api.exchange.live.checking import READERS_OF_A_TURN, ReaderCheck
from api.exchange.live.reader import Reader, StreamEnd
from api.exchange.live.telling import ToldEvent, tell
from commands.states import States
from domain.base import PLATFORM, OrgId
from eventstore.engine.turns import PIECE
from eventstore.log import EventLog
from eventstore.recorded import Row, fills_read
from runtime.ending import end
from runtime.health.streams import open_streams
from runtime.outages import StoreOutage
from runtime.system import System

LATE_S = 1.0
"""How late an event can be if its wake-up was lost."""
HEARTBEAT_S = 15.0
"""How often an idle stream says that it is alive: proxies close what is silent for a minute."""
DOUBT_S = 60.0
"""How often it is checked that the log was not set back."""
STREAMS_PER_PERSON_MAX = 20
"""Open streams of one person in a process, their API keys included."""
STREAMS_PER_ORGANIZATION_MAX = 1_000
"""Open streams of one organization in a process, so that others find room."""
LIVE_STREAMS_MAX = 1_200
"""Open streams of a process; each needs a connection and about 30 KiB."""
RETRY_MS = 2_000
"""How long a client waits before it connects again."""

_ROWS = 500
_logger = logging.getLogger(__name__)


class Live:
    """The live readers of one process and the task that serves them while there are any."""

    def __init__(self, system: System) -> None:
        self._log: EventLog = system.log
        self._states: States = system.commands.states
        self._check = ReaderCheck(system.log, system.commands.states, system.clock)
        self._wait = system.wakeups.listener()
        self._readers: dict[OrgId, dict[Reader, None]] = {}
        self._positions: dict[int, int] = {}
        self._following: asyncio.Task[None] | None = None
        self._doubt_at = 0.0
        self._stopping = False

    @property
    def count(self) -> int:
        """How many streams are open."""
        return sum(map(len, self._readers.values()))

    @property
    def readers(self) -> list[Reader]:
        """Everybody whose stream is open."""
        return [reader for own in self._readers.values() for reader in own]

    def has_room(self) -> bool:
        """Return whether this process takes another stream."""
        return not self._stopping and self.count < LIVE_STREAMS_MAX

    def has_room_for(self, reader: Reader) -> bool:
        """Return whether the person, and their organization, may have another stream."""
        user_id, here = reader.caller.user_id, self._readers.get(reader.org_id, ())
        own = sum(each.caller.user_id == user_id for each in here)
        return own < STREAMS_PER_PERSON_MAX and len(here) < STREAMS_PER_ORGANIZATION_MAX

    def stop(self) -> None:
        """End all streams: the process is about to stop, and takes no more of them."""
        self._stopping = True
        self._end(self.readers, StreamEnd.STOPPING)

    async def close(self) -> None:
        """Stop, and end the task."""
        self.stop()
        await end(self._following)

    # One reader

    async def sent(self, reader: Reader) -> AsyncGenerator[bytes]:
        """Yield what *reader* is sent until the stream ends, why it ends last."""
        yield b"retry: %d\n\n" % RETRY_MS
        try:
            await self._join(reader)
            while reader.ending is None:
                chunk = await self._next(reader)
                if chunk:
                    yield chunk
        except StoreOutage as error:
            _logger.warning("a live stream ends: %s", error)
            reader.end(StreamEnd.UNAVAILABLE)
        finally:
            self._leave(reader)
        yield b'id: %d\nevent: stream.ended\ndata: {"reason":"%s","seq":%d}\n\n' % (
            reader.position,
            (reader.ending or StreamEnd.STOPPING).encode(),
            reader.position,
        )

    async def _join(self, reader: Reader) -> None:
        """Count a reader, from before the log is read on, so that nothing is between."""
        parts = {self._log.part(reader.org_id), self._log.part(PLATFORM)} - {*self._positions}
        ends = {part: await self._log.last_position(part) for part in parts}
        self._positions = {**ends, **self._positions}  # at once: a follower that ends forgets them
        if not self.has_room() or not self.has_room_for(reader):
            reader.end(StreamEnd.STOPPING if self._stopping else StreamEnd.TOO_MANY)
            return
        self._readers.setdefault(reader.org_id, {})[reader] = None
        open_streams.count += 1
        if self._following is None or self._following.done():
            self._following = asyncio.create_task(self._follow(), name="follow for live readers")
            self._following.add_done_callback(self._followed)

    def _leave(self, reader: Reader) -> None:
        own = self._readers.get(reader.org_id, {})
        if own.pop(reader, reader) is None:
            open_streams.count -= 1
        if not own:
            self._readers.pop(reader.org_id, None)

    async def _next(self, reader: Reader) -> bytes:
        """Return the next bytes for *reader*, b"" if there are none for them."""
        if not reader.follows_log:
            return await self._from_log(reader)
        if await reader.wait(HEARTBEAT_S):
            return reader.take()
        await self._check.renew([reader])
        if reader.ending is not None:
            return b""
        return b": nothing new\nid: %d\n\n" % reader.position

    async def _from_log(self, reader: Reader) -> bytes:
        rows = await self._log.organization(reader.org_id, reader.position, PIECE)
        async with self._log.turns:
            told = await tell(self._log, self._states, rows)
        await self._check.renew([reader])
        if reader.ending is not None:
            return b""
        chunk = reader.read(told)
        if len(rows) < PIECE:
            reader.caught_up()
        return chunk

    # All readers

    async def _follow(self) -> None:
        while self._readers:
            try:
                await self._round()
            except StoreOutage as error:
                _logger.warning("live events wait: %s", error)
            await self._wait(LATE_S)
        self._positions.clear()

    def _followed(self, task: "asyncio.Task[None]") -> None:
        """End the streams if their task failed, so that their clients ask again."""
        if task.cancelled() or task.exception() is None:
            return
        _logger.error("following for live readers failed", exc_info=task.exception())
        self._positions.clear()
        self._end(self.readers, StreamEnd.UNAVAILABLE)

    async def _round(self) -> None:
        await self._doubt()
        for part in list(self._positions):
            while rows := await self._log.news.after(self._positions[part], _ROWS, part):
                by_org: defaultdict[OrgId, list[Row]] = defaultdict(list)
                for row in rows:
                    by_org[row.org_id].append(row)
                for org_id, some in by_org.items():
                    await self._hand(org_id, some)
                await self._check_those_on(by_org.get(PLATFORM, ()))
                self._positions[part] = rows[-1].position
                if not fills_read(rows, _ROWS):
                    break

    async def _hand(self, org_id: OrgId, rows: Sequence[Row]) -> None:
        """Hand an organization's new rows to its readers, once each has been checked."""
        if not self._readers.get(org_id):
            return
        told: list[ToldEvent] = []
        for start in range(0, len(rows), PIECE):
            async with self._log.turns:
                told += await tell(self._log, self._states, rows[start : start + PIECE])
        readers = list(self._readers.get(org_id, ()))
        await self._check.renew(readers)
        for start in range(0, len(readers), READERS_OF_A_TURN):
            for reader in readers[start : start + READERS_OF_A_TURN]:
                reader.hand(told)
            await asyncio.sleep(0)

    async def _check_those_on(self, rows: Iterable[Row]) -> None:
        """Check the readers whose account or session has changed."""
        changed = {row.stream_id for row in rows}
        if changed:
            by_org: defaultdict[OrgId, list[Reader]] = defaultdict(list)
            for reader in self.readers:
                if not changed.isdisjoint(reader.caller.seen):
                    by_org[reader.org_id].append(reader)
            for readers in by_org.values():
                await self._check.renew(readers)

    async def _doubt(self) -> None:
        """End the streams of a partition that was set back: its numbers mean other events now."""
        now = asyncio.get_running_loop().time()
        if now < self._doubt_at:
            return
        self._doubt_at = now + DOUBT_S
        for part, position in list(self._positions.items()):
            newest = await self._log.last_position(part)
            if newest < position:
                self._log.news.forget()
                self._positions[part] = newest
                self._end(
                    [each for each in self.readers if self._log.part(each.org_id) == part],
                    StreamEnd.UNAVAILABLE,
                )

    def _end(self, readers: Iterable[Reader], why: StreamEnd) -> None:
        for reader in readers:
            reader.end(why)
