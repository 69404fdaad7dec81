"""Group commit: the commands that queued up during one commit are written together in the next.

A commit costs one sync to the disk, for one command as for two hundred, so commands that arrive at
the same time share one. Each keeps its own outcome. An idle writer commits at once; it does not
wait for more commands. Only if several shared the last commit, and more come in this turn of the
event loop, the next ones can join: a commit takes as much CPU as writing several commands.

Organizations take turns, so that one which sends many commands does not keep the others waiting.

In a log of several partitions, a batch takes those that no other process is writing to. Commands of
the others wait for the next batch; after ``TURNS_MAX`` of them, or if there is nothing else to
write, a second thread waits for their partition.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from domain.base import PLATFORM
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
    TooManyWaiting,
)
from eventstore.engine.calls import LOG_DEADLINE_S
from eventstore.engine.commit_thread import BatchOutcomes, Commit, CommitThread, Waiting
from eventstore.engine.fair_queue import FairQueue
from eventstore.engine.settle import parts_written
from eventstore.store import Store

BATCH_MAX = 512
"""Commands in one transaction; this limits how long the first of them waits."""

QUEUE_MAX = 10_000
"""Commands waiting for the disk; further ones are refused."""

WAITING_OF_ONE_MAX = 1_000
"""Of them, those of one organization. The platform has no such limit: everybody logs in there."""

GATHERING_MAX = 2
"""Turns of the loop that a batch waits for, as long as each brings another command."""

TURNS_MAX = 3
"""Batches that a command lets pass because another process writes to its partition."""


Committed = Callable[[int, list[Append]], None]
"""Takes the newest position of a commit and the commands that it recorded."""


class GroupCommit:
    """Takes appends from one event loop and commits them in batches on threads of its own.

    Waiting commands stay on the event loop's side and are handed over once per batch, because each
    hand-over between threads costs more than encoding a command.
    """

    def __init__(
        self,
        store: Store,
        committed: Committed,
        *,
        deadline_s: float = LOG_DEADLINE_S,
    ) -> None:
        """*deadline_s* is how long a caller waits for its commit."""
        self._store, self._committed, self._deadline_s = store, committed, deadline_s
        self._waiting = FairQueue[Waiting]()
        self._come: list[Waiting] = []
        self._overdue: list[Waiting] = []
        self._watch: asyncio.TimerHandle | None = None
        self._called = self._closed = self._shared = False
        self._gathered = 0
        self.failure: str | None = None
        """Why the last commit failed; None if it did not."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._loop = asyncio.get_running_loop()
        self._quick = self._patient = CommitThread("log-writer", self._settle)
        self._commit_quick: Commit = store.commit
        if store.parts > 1 and not store.separate:
            self._commit_quick = store.commit_free
            self._patient = CommitThread("log-writer of busy partitions", self._settle)

    def append(self, append: Append) -> "asyncio.Future[int]":
        """Write *append* durably; the result is the position of its last event.

        If the caller is cancelled while it waits, the command may still be recorded.

        :raises ConcurrencyConflict: a stream has another version than it expects.
        :raises CommandAlreadyDone: it was recorded before.
        :raises DomainError: one of its claims is taken or one of its counts is at the limit.
        :raises TooManyWaiting: too many commands of its organization are waiting.
        :raises LogUnavailable: the database does not write or not in time, too many commands are
            waiting, or the log was closed. One that is late may still be recorded.
        """
        self._refuse_too_many(append)
        settled: asyncio.Future[int] = self._loop.create_future()
        waiting = Waiting(append, settled, self._loop.time())
        self._waiting.put(append.org_id, waiting)
        if self._watch is None:  # also while a commit hangs whose callers were all told
            self._watch = self._loop.call_later(self._deadline_s, self._give_up_late)
        self._come.append(waiting)
        if not self._called:
            self._call()
        return settled

    async def close(self) -> None:
        """Refuse new commands, commit the waiting ones, then stop the threads."""
        self._closed = True
        await self._idle.wait()
        if self._watch is not None:
            self._watch.cancel()
        for thread in {self._quick, self._patient}:
            await thread.stop()

    def _refuse_too_many(self, append: Append) -> None:
        if self._closed:
            raise LogUnavailable("the log is closed")
        count, org_id = len(self._waiting), append.org_id
        if count >= QUEUE_MAX:
            raise LogUnavailable("too many commands are waiting for the disk")
        if count < WAITING_OF_ONE_MAX or org_id == PLATFORM:
            return
        if self._waiting.waiting_of(org_id) >= WAITING_OF_ONE_MAX:
            raise TooManyWaiting("too many commands of the organization are waiting for the disk")

    def _hand_over(self) -> None:
        """Give what waits to the threads that are idle."""
        self._called = False
        come = self._complete()
        if self._overdue and not self._patient.writing:
            self._patient.hand_over(self._of_one_partition(), self._store.commit)
        if self._waiting and not self._quick.writing:
            if come and self._shared and self._gathered < GATHERING_MAX:
                self._gathered += 1
                self._call()
                return
            batch = self._waiting.take(BATCH_MAX)
            self._shared, self._gathered = len(batch) > 1, 0
            self._quick.hand_over(batch, self._commit_quick)
        if not (self._quick.writing or self._patient.writing):
            self._idle.set()

    def _call(self) -> None:
        """Hand over in the next turn of the loop, with the commands that come in this one."""
        if not self._called:
            self._called = True
            self._idle.clear()
            self._loop.call_soon(self._hand_over)

    def _complete(self) -> bool:
        """Complete what came in this turn of the loop, if anything; refuse what cannot be."""
        come, self._come = self._come, []
        for waiting in come:
            try:
                waiting.append.complete()
            except Exception as error:  # noqa: BLE001  its caller gets it, whatever it is
                self._waiting.remove(waiting.append.org_id, waiting)
                if not waiting.settled.done():
                    waiting.settled.set_exception(error)
        return bool(come)

    def _of_one_partition(self) -> list[Waiting]:
        """Take from what is overdue the first command, and those that write where it does."""
        where = [parts_written([waiting.append], self._store.parts) for waiting in self._overdue]
        overdue, self._overdue = self._overdue, []
        batch: list[Waiting] = []
        for waiting, parts in zip(overdue, where, strict=True):
            fits = parts == where[0] and len(batch) < BATCH_MAX
            (batch if fits else self._overdue).append(waiting)
        return batch

    def _give_up_late(self) -> None:
        """Tell the callers whose commands are late, and look again when the next one could be.

        One timer for all of them: a timeout for each would cost more than handing it over.
        """
        latest = self._loop.time() - self._deadline_s
        self._watch, next_s = None, self._deadline_s
        left = False
        writing = (*self._quick.writing, *self._patient.writing)
        for waiting in (*writing, *self._overdue, *self._waiting):
            if waiting.settled.done():
                continue
            if waiting.since > latest:
                left, next_s = True, min(next_s, waiting.since - latest)
                continue
            self.failure = f"the log did not answer in {self._deadline_s:g} s"
            waiting.settled.set_exception(LogUnavailable(self.failure))
        if left:
            self._watch = self._loop.call_later(next_s, self._give_up_late)

    def _settle(self, thread: CommitThread, settled: BatchOutcomes) -> None:
        newest = 0
        recorded: list[Append] = []
        left_out: list[Waiting] = []
        for waiting, outcome in settled:
            if outcome is None:
                left_out.append(waiting)
                continue
            caller = waiting.settled
            if isinstance(outcome, Appended):
                recorded.append(waiting.append)
                position = outcome.position
                newest = max(newest, position)
                if not caller.done():  # a cancelled or late caller is no longer waiting
                    caller.set_result(position)
            elif not caller.done():
                caller.set_exception(_error_of(outcome))
        self.failure, thread.writing = thread.failure, []
        if left_out:
            self._wait_again(left_out, alone=len(left_out) == len(settled))
        self._hand_over()
        if newest:  # last, so that the writer continues whatever a listener does
            self._committed(newest, recorded)

    def _wait_again(self, left_out: list[Waiting], *, alone: bool) -> None:
        """Let commands wait for the next batch, or for their partitions if it is time.

        *alone* is true if the batch had no others: it would be tried again at once.
        """
        overdue: deque[Waiting] = deque()
        for waiting in reversed(left_out):  # so that each line is in its old order
            if waiting.settled.done():
                continue  # nobody waits for it, and it was not recorded
            if alone or waiting.passed + 1 >= TURNS_MAX:
                overdue.appendleft(waiting)
            else:
                waiting.passed += 1
                self._waiting.put_back(waiting.append.org_id, waiting)
        self._overdue += overdue


class Lanes:
    """A group commit for each set of partitions, of which a machine that hangs delays only its own.

    They begin with the first command that writes there.
    """

    def __init__(
        self, store: Store, committed: Committed, *, deadline_s: float = LOG_DEADLINE_S
    ) -> None:
        """*deadline_s* is how long a caller waits for its commit."""
        self._store, self._committed, self._deadline_s = store, committed, deadline_s
        self._lanes: dict[tuple[int, ...], GroupCommit] = {}
        self._closed = False

    def append(self, append: Append) -> "asyncio.Future[int]":
        """Write *append*; see ``GroupCommit.append``."""
        if self._closed:
            raise LogUnavailable("the log is closed")
        append.complete()  # new keys are in a partition, too
        parts = tuple(parts_written([append], self._store.parts))
        lane = self._lanes.get(parts)
        if lane is None:
            lane = GroupCommit(self._store, self._committed, deadline_s=self._deadline_s)
            self._lanes[parts] = lane
        return lane.append(append)

    @property
    def failure(self) -> str | None:
        """Why the last commits everywhere failed; None if some did not."""
        failures = [lane.failure for lane in self._lanes.values()]
        return failures[0] if failures and all(failures) else None

    @failure.setter
    def failure(self, failure: str | None) -> None:
        for lane in self._lanes.values():
            lane.failure = failure

    async def close(self) -> None:
        """Refuse new commands and commit the waiting ones."""
        self._closed = True
        await asyncio.gather(*(lane.close() for lane in self._lanes.values()))


def settle_outcome(outcome: Outcome) -> int:
    """Return the position of a recorded command; for any other outcome, raise its error."""
    if isinstance(outcome, Appended):
        return outcome.position
    raise _error_of(outcome)


def _error_of(outcome: Conflict | AlreadyDone | Refused | BaseException) -> BaseException:
    match outcome:
        case Conflict(stream=stream):
            return ConcurrencyConflict(stream)
        case AlreadyDone(position=position):
            return CommandAlreadyDone(position)
        case Refused(error=error):
            return error
        case _:
            return outcome
