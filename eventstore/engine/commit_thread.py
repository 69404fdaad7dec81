"""A thread that commits batches, one after the other, and tells the event loop of each outcome."""

import asyncio
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Thread

from msgspec import Struct

from eventstore.append import Append, Outcome
from eventstore.counters import LOG_DRIVER, batch_sizes, counters_of


class Waiting(Struct, eq=False):
    """A command that its caller waits for, since when on the clock of the loop.

    ``passed`` counts the batches that left it out.
    """

    append: Append
    settled: "asyncio.Future[int]"
    since: float
    passed: int = 0


Commit = Callable[[Sequence[Append]], Sequence[Outcome | None]]
BatchOutcomes = list[tuple[Waiting, Outcome | BaseException | None]]
"""The outcome of each command of a batch; None: it was left out."""


class CommitThread:
    """Commits what an event loop hands over to it, a batch at a time.

    ``writing`` is the batch in progress, empty if the thread is idle; it belongs to the loop.
    """

    def __init__(self, name: str, settle: Callable[["CommitThread", BatchOutcomes], None]) -> None:
        """*settle* is called on the loop after each batch."""
        self._settle, self._loop = settle, asyncio.get_running_loop()
        self._batches: SimpleQueue[tuple[list[Waiting], Commit] | None] = SimpleQueue()
        self._counters = counters_of(LOG_DRIVER)
        self.writing: list[Waiting] = []
        self.failure: str | None = None
        """Why the last commit failed; None if it did not."""
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def hand_over(self, batch: list[Waiting], commit: Commit) -> None:
        """Let the idle thread write *batch* by *commit*."""
        self.writing = batch
        self._batches.put((batch, commit))

    async def stop(self) -> None:
        """Wait until the thread has ended, after the batch in progress."""
        self._batches.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while (handed_over := self._batches.get()) is not None:
            self._commit(*handed_over)

    def _commit(self, batch: list[Waiting], commit: Commit) -> None:
        outcomes: Sequence[Outcome | BaseException | None]
        began, failure = time.perf_counter(), None
        try:
            outcomes = commit([waiting.append for waiting in batch])
        except BaseException as error:  # noqa: BLE001  the waiting callers get it, whatever it is
            outcomes, failure = [error] * len(batch), str(error)
        self._counters.command("commit", time.perf_counter() - began, failed=failure is not None)
        batch_sizes.add(len(batch))
        self.failure = failure
        settled = list(zip(batch, outcomes, strict=True))
        self._loop.call_soon_threadsafe(self._settle, self, settled)
