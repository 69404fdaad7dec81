"""Group commit: the commands that queued up during one commit are written together in the next.

A commit costs one sync to the disk, for one command as for two hundred, so commands that arrive at
the same time share one. Each keeps its own outcome. An idle writer commits at once; it does not
wait for more commands.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple

from eventstore.append import (
    AlreadyDone,
    Append,
    Appended,
    CommandAlreadyDone,
    ConcurrencyConflict,
    Conflict,
    LogUnavailable,
    Outcome,
    Refused,
)
from eventstore.counters import LOG_DRIVER, batch_sizes, counters_of
from eventstore.engine.calls import LOG_DEADLINE_S
from eventstore.store import Store

BATCH_MAX = 512
"""Commands in one transaction; this limits how long the first of them waits."""

QUEUE_MAX = 10_000
"""Commands waiting for the disk; further ones are refused."""

_Settled = tuple["asyncio.Future[int]", Outcome | BaseException]


class Waiting(NamedTuple):
    """A command that its caller waits for, since when on the clock of the loop."""

    append: Append
    settled: "asyncio.Future[int]"
    since: float


class GroupCommit:
    """Takes appends from one event loop and commits them in batches on a thread of its own.

    Waiting commands stay on the event loop's side and are handed over once per batch, because each
    hand-over between threads costs more than encoding a command.
    """

    def __init__(
        self,
        store: Store,
        committed: Callable[[int], None],
        *,
        deadline_s: float = LOG_DEADLINE_S,
    ) -> None:
        """*deadline_s* is how long a caller waits for its commit."""
        self._store, self._committed, self._deadline_s = store, committed, deadline_s
        self._waiting: deque[Waiting] = deque()
        self._writing: list[Waiting] = []
        self._watch: asyncio.TimerHandle | None = None
        self._batches: SimpleQueue[list[Waiting]] = SimpleQueue()
        self._busy = self._closed = False
        self._counters = counters_of(LOG_DRIVER)
        self.failure: str | None = None
        """Why the last commit failed; None if it did not."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._loop = asyncio.get_running_loop()
        self._thread = Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    async def append(self, append: Append) -> int:
        """Write *append* durably and return the position of its last event.

        If the caller is cancelled while it waits, the command may still be recorded.

        :raises ConcurrencyConflict: a stream has another version than it expects.
        :raises CommandAlreadyDone: it was recorded before.
        :raises DomainError: one of its claims is taken or one of its counts is at the limit.
        :raises LogUnavailable: the database does not write or not in time, too many commands are
            waiting, or the log was closed. One that is late may still be recorded.
        """
        if self._closed:
            raise LogUnavailable("the log is closed")
        if len(self._waiting) >= QUEUE_MAX:
            raise LogUnavailable("too many commands are waiting for the disk")
        settled: asyncio.Future[int] = self._loop.create_future()
        self._waiting.append(Waiting(append, settled, self._loop.time()))
        if self._watch is None:  # also while a commit hangs whose callers were all told
            self._watch = self._loop.call_later(self._deadline_s, self._give_up_late)
        if not self._busy:
            self._busy = True
            self._idle.clear()
            # Not at once, so that commands from the same turn of the loop are included.
            self._loop.call_soon(self._hand_over)
        return await settled

    async def close(self) -> None:
        """Refuse new commands, commit the waiting ones, then stop the thread."""
        self._closed = True
        await self._idle.wait()
        if self._watch is not None:
            self._watch.cancel()
        self._batches.put([])
        await asyncio.to_thread(self._thread.join)

    def _hand_over(self) -> None:
        count = min(len(self._waiting), BATCH_MAX)
        self._writing = [self._waiting.popleft() for _ in range(count)]
        self._batches.put(self._writing)

    def _give_up_late(self) -> None:
        """Tell the callers whose commands are late, and look again when the next one could be.

        One timer for all of them: a timeout for each would cost more than handing it over.
        """
        latest = self._loop.time() - self._deadline_s
        self._watch = None
        for waiting in (*self._writing, *self._waiting):
            if waiting.settled.done():
                continue
            if waiting.since > latest:
                self._watch = self._loop.call_later(waiting.since - latest, self._give_up_late)
                break
            self.failure = f"the log did not answer in {self._deadline_s:g} s"
            waiting.settled.set_exception(LogUnavailable(self.failure))

    def _run(self) -> None:
        while batch := self._batches.get():
            self._commit(batch)

    def _commit(self, batch: list[Waiting]) -> None:
        outcomes: list[Outcome] | list[BaseException]
        began, failure = time.perf_counter(), None
        try:
            outcomes = self._store.commit([waiting.append for waiting in batch])
        except BaseException as error:  # noqa: BLE001  the waiting callers get it, whatever it is
            outcomes, failure = [error] * len(batch), str(error)
        self._counters.command("commit", time.perf_counter() - began, failed=failure is not None)
        batch_sizes.add(len(batch))
        self.failure = failure
        settled = [(waiting.settled, o) for waiting, o in zip(batch, outcomes, strict=True)]
        self._loop.call_soon_threadsafe(self._settle, settled)

    def _settle(self, settled: list[_Settled]) -> None:
        newest = 0
        for future, outcome in settled:
            if isinstance(outcome, Appended):
                newest = max(newest, outcome.position)
            if not future.done():  # a cancelled or late caller is no longer waiting
                _resolve(future, outcome)
        self._writing = []
        if self._waiting:
            self._hand_over()
        else:
            self._busy = False
            self._idle.set()
        if newest:  # last, so that the writer continues whatever a listener does
            self._committed(newest)


def settle_outcome(outcome: Outcome) -> int:
    """Return the position of a recorded command; for any other outcome, raise its error."""
    match outcome:
        case Appended(position=position):
            return position
        case Conflict(stream=stream):
            raise ConcurrencyConflict(stream)
        case AlreadyDone(position=position):
            raise CommandAlreadyDone(position)
        case Refused(error=error):
            raise error


def _resolve(future: "asyncio.Future[int]", outcome: Outcome | BaseException) -> None:
    match outcome:
        case Appended(position=position):
            future.set_result(position)
        case Conflict(stream=stream):
            future.set_exception(ConcurrencyConflict(stream))
        case AlreadyDone(position=position):
            future.set_exception(CommandAlreadyDone(position))
        case Refused(error=error):
            future.set_exception(error)
        case _:
            future.set_exception(outcome)
