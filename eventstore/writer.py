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
from eventstore.store import Store

BATCH_MAX = 512
"""Commands in one transaction; this limits how long the first of them waits."""

QUEUE_MAX = 10_000
"""Commands waiting for the disk; further ones are refused."""

Waiting = tuple[Append, "asyncio.Future[int]"]
_Settled = tuple["asyncio.Future[int]", Outcome | BaseException]


class GroupCommit:
    """Takes appends from one event loop and commits them in batches on a thread of its own.

    Waiting commands stay on the event loop's side and are handed over once per batch, because each
    hand-over between threads costs more than encoding a command.
    """

    def __init__(self, store: Store, committed: Callable[[int], None]) -> None:
        self._store, self._committed = store, committed
        self._waiting: deque[Waiting] = deque()
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
        :raises LogUnavailable: the database does not write, too many commands are waiting, or the
            log was closed.
        """
        if self._closed:
            raise LogUnavailable("the log is closed")
        if len(self._waiting) >= QUEUE_MAX:
            raise LogUnavailable("too many commands are waiting for the disk")
        settled: asyncio.Future[int] = self._loop.create_future()
        self._waiting.append((append, settled))
        if not self._busy:
            self._busy = True
            self._idle.clear()
            # Not at once, so that commands from the same turn of the loop are included.
            self._loop.call_soon(self._hand_over)
        return await settled

    def stalled(self, why: str) -> None:
        """Take note that a commit takes longer than callers wait; the next success clears it."""
        self.failure = why

    async def close(self) -> None:
        """Refuse new commands, commit the waiting ones, then stop the thread."""
        self._closed = True
        await self._idle.wait()
        self._batches.put([])
        await asyncio.to_thread(self._thread.join)

    def _hand_over(self) -> None:
        count = min(len(self._waiting), BATCH_MAX)
        self._batches.put([self._waiting.popleft() for _ in range(count)])

    def _run(self) -> None:
        while batch := self._batches.get():
            self._commit(batch)

    def _commit(self, batch: list[Waiting]) -> None:
        outcomes: list[Outcome] | list[BaseException]
        began, failure = time.perf_counter(), None
        try:
            outcomes = self._store.commit([append for append, _ in batch])
        except BaseException as error:  # noqa: BLE001  the waiting callers get it, whatever it is
            outcomes, failure = [error] * len(batch), str(error)
        self._counters.command("commit", time.perf_counter() - began, failed=failure is not None)
        batch_sizes.add(len(batch))
        self.failure = failure
        settled = [(future, o) for (_, future), o in zip(batch, outcomes, strict=True)]
        self._loop.call_soon_threadsafe(self._settle, settled)

    def _settle(self, settled: list[_Settled]) -> None:
        newest = 0
        for future, outcome in settled:
            if isinstance(outcome, Appended):
                newest = max(newest, outcome.position)
            if not future.done():  # a cancelled caller is no longer waiting
                _resolve(future, outcome)
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
