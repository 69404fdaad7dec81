"""One live reader: who they are now, how far they have read, and what waits to be sent to them.

The follower hands every reader of an organization all of its events in order. A reader who is not
there yet, or was handed more than it keeps, reads the log itself up to where it is again without
gaps, so no event is missed or sent twice.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from api.exchange.live.telling import ToldEvent
from api.http.caller import Caller
from api.http.problem import Problem
from commands.sight import PrivateProjects
from domain.base import DomainError, OrgId, ProjectId
from domain.hooks.webhook.state import pattern_covers
from domain.permission import is_allowed

UNSENT_MAX = 500
"""Events that wait for one reader; all readers share their bytes."""
CHUNK_BYTES_MAX = 64 * 1024
"""What is sent at once: as much as a connection buffers."""


class StreamEnd(StrEnum):
    """Why a stream ends. A client may ask again with the id of the last event that it got."""

    CAUGHT_UP = "caught_up"  # it asked for what is recorded, and has it
    NO_ACCESS = "no_access"  # the session, the key or the membership is over
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - no password
    TOO_SLOW = "too_slow"
    TOO_MANY = "too_many_streams"
    STOPPING = "stopping"  # this process ends; another one, or the next, goes on
    UNAVAILABLE = "unavailable"  # the log does not answer, so nothing can be checked


Identify = Callable[[dict[UUID, int]], Awaitable[Caller]]
"""Identifies who reads, as the log says now; versions that are given are not read again."""


class WantedEvents(Struct, frozen=True):
    """What a reader asked for: events after ``after`` whose names one of ``types`` covers.

    Without ``follows`` the stream ends where the log ends.
    """

    after: int
    types: tuple[str, ...]
    follows: bool


class Reader:
    """One open stream."""

    __slots__ = (
        "_follows",
        "_hidden",
        "_types",
        "_waiting",
        "_wake",
        "caller",
        "ending",
        "follows_log",
        "identify",
        "org_id",
        "position",
        "until",
    )

    def __init__(
        self, caller: Caller, org_id: OrgId, wanted: WantedEvents, identify: Identify
    ) -> None:
        """*caller* is who asked, in the organization *org_id*."""
        self.caller, self.org_id, self.identify = caller, org_id, identify
        self.position, self._types, self._follows = wanted.after, wanted.types, wanted.follows
        self.until = 0
        """When the access token expires, in seconds since 1970; 0 for an API key."""
        self.ending: StreamEnd | None = None
        self.follows_log = False
        """Whether it has read the log to its end, so that it only waits for what is new."""
        self._hidden = frozenset[ProjectId]()
        self._waiting: deque[ToldEvent] = deque()
        self._wake = asyncio.Event()

    @property
    def streams(self) -> tuple[UUID, ...]:
        """The streams on which it depends who they are and what they may do."""
        return (*self.caller.seen, self.org_id)

    # Who they are

    async def check(self, heads: Mapping[UUID, int], private: PrivateProjects, now_s: int) -> None:
        """Find out again who reads and what they see, or end the stream.

        *heads* are versions that were read just now.
        """
        if self.until and now_s >= self.until:
            self.end(StreamEnd.TOKEN_EXPIRED)
            return
        own = {stream: heads[stream] for stream in self.streams if stream in heads}
        try:
            caller = await self.identify(own)
            caller.refuse_if_barred()
        except (Problem, DomainError):
            self.end(StreamEnd.NO_ACCESS)
            return
        if caller.org_id != self.org_id:
            self.end(StreamEnd.NO_ACCESS)
            return
        self.caller, self._hidden = caller, private.hidden_from(caller.user_id)

    def end(self, why: StreamEnd) -> None:
        """End the stream; what waits for it is not sent any more."""
        if self.ending is None:
            self.ending = why
            self._waiting.clear()
            self._wake.set()

    # What they are told

    def hand(self, told: Sequence[ToldEvent]) -> None:
        """Keep *told* for when the reader can take it."""
        if self.ending is not None:
            return
        if len(self._waiting) + len(told) > UNSENT_MAX:
            if self.follows_log:
                self.end(StreamEnd.TOO_SLOW)
            else:
                self._waiting.clear()  # the log has it, and is still being read
            return
        self._waiting.extend(told)
        self._wake.set()

    async def wait(self, timeout_s: float) -> bool:
        """Wait for something to do; return False if nothing came for *timeout_s*."""
        if self._waiting or self.ending is not None:
            return True
        self._wake.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True

    def take(self) -> bytes:
        """Return what waits, up to a size, for those who may see it; go back to the log for gaps.

        It is looked at only now, so whatever the reader may no longer see is not sent.
        """
        chunk, size = list[bytes](), 0
        while self._waiting and size < CHUNK_BYTES_MAX:
            told = self._waiting.popleft()
            if told.seq <= self.position:
                continue
            if told.seq > self.position + 1:
                self._waiting.clear()
                self.follows_log = False
                break
            size += self._pass(told, chunk)
        return b"".join(chunk)

    def read(self, told: Iterable[ToldEvent]) -> bytes:
        """Return what of the log the reader may see, and note that it was read."""
        chunk = list[bytes]()
        for each in told:
            self._pass(each, chunk)
        return b"".join(chunk)

    def caught_up(self) -> None:
        """Note that the end of the log was reached."""
        self.follows_log = True
        if not self._follows:
            self.end(StreamEnd.CAUGHT_UP)

    def _pass(self, told: ToldEvent, chunk: list[bytes]) -> int:
        self.position = told.seq
        if not self._may_see(told):
            return 0
        chunk.append(told.frame)
        return len(told.frame)

    def _may_see(self, told: ToldEvent) -> bool:
        caller = self.caller
        return (
            bool(told.frame)
            and (not self._types or any(pattern_covers(one, told.tag) for one in self._types))
            and is_allowed(caller.role, told.needs)
            and (caller.scopes is None or told.needs in caller.scopes)
            and self._hidden.isdisjoint(told.names)
        )
