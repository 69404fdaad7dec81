"""Group commit: one writer, and everything that queued up during the last commit is the next one.

A commit costs a sync to the disk whether it carries one command or two hundred, so commands that
come at the same time share one. Each keeps its own outcome. There is no waiting for company: an
idle writer commits what it gets at once.
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
"""Commands in one transaction: bounds how long the first of them waits."""

QUEUE_MAX = 10_000
"""Commands waiting for the disk; beyond it the log says that it is busy."""

Waiting = tuple[Append, "asyncio.Future[int]"]
_Settled = tuple["asyncio.Future[int]", Outcome | BaseException]


class GroupCommit:
    """Takes appends from one event loop and commits them in batches on a thread of its own.

    What waits is kept on the loop's side and handed over whole, once a batch: each hand-over
    between threads costs more than encoding a command.
    """

    def __init__(self, store: Store, committed: Callable[[int], None]) -> None:
        self._store, self._committed = store, committed
        self._waiting: deque[Waiting] = deque()
        self._batches: SimpleQueue[list[Waiting]] = SimpleQueue()
        self._busy = self._closed = False
        self._counters = counters_of(LOG_DRIVER)
        self.failure: str | None = None
        """Why the last commit failed; None when it did not."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._loop = asyncio.get_running_loop()
        self._thread = Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    async def append(self, append: Append) -> int:
        """Write *append* durably and return the position of its last event.

        A caller that is cancelled meanwhile may find its command recorded all the same.

        :raises ConcurrencyConflict: a stream that it expects has moved on.
        :raises CommandAlreadyDone: it was recorded before.
        :raises DomainError: a claim of it is taken or a count at its limit.
        :raises LogUnavailable: the database does not write, too many commands wait, or the log
            was closed.
        """
        if self._closed:
            raise LogUnavailable("the log is closed")
        if len(self._waiting) >= QUEUE_MAX:
            raise LogUnavailable("too many commands wait for the disk")
        settled: asyncio.Future[int] = self._loop.create_future()
        self._waiting.append((append, settled))
        if not self._busy:
            self._busy = True
            self._idle.clear()
            # Not at once: others that are ready in this turn of the loop come along.
            self._loop.call_soon(self._hand_over)
        return await settled

    async def close(self) -> None:
        """Commit what waits, then stop the thread; from now on nothing more is taken."""
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
            if not future.done():  # a cancelled caller waits no longer
                _resolve(future, outcome)
        if self._waiting:
            self._hand_over()
        else:
            self._busy = False
            self._idle.set()
        if newest:  # last: whatever a listener does, the writer goes on
            self._committed(newest)


def settle_outcome(outcome: Outcome) -> int:
    """Return the position of a command that was recorded, or raise what became of it instead."""
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
