"""Calls to the event database: counted, on threads where they would block, with a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, ParamSpec, TypeVar

from eventstore.append import LogUnavailable
from eventstore.counters import LOG_DRIVER, counters_of

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

READ_THREADS = 8
TOGETHER_MAX = 256
"""How many keys one read for several callers is about, at most."""
_READS_AT_ONCE = 2
LOG_DEADLINE_S = 4.0
"""The longest that a caller waits for the log, so that a request is answered within 5 s."""

LOCK_WAIT_SHARE = 0.75
"""How much of it the log waits for a lock that another process holds, so that why it cannot write
is known by then."""
LOG_LOCK_WAIT_S = LOG_DEADLINE_S * LOCK_WAIT_SHARE


class StoreCalls:
    """Runs reads of a store: on the event loop if it is in this process, otherwise on threads."""

    def __init__(self, *, inline: bool, deadline_s: float) -> None:
        self._inline, self._deadline_s = inline, deadline_s
        self._counters = counters_of(LOG_DRIVER)
        self._threads = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="log-reader")

    async def read(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what *read* returns.

        :raises LogUnavailable: the store does not answer in time, or reports an outage.
        """
        if self._inline:
            return self.here(read, *args, **kwargs)
        return await self.write(read, *args, **kwargs)

    async def write(self, write: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what *write* returns; always on a thread, as it may wait for a lock.

        :raises LogUnavailable: the store does not answer in time, or reports an outage.
        """
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._threads, lambda: self.here(write, *args, **kwargs))
        try:
            async with asyncio.timeout(self._deadline_s):
                return await running
        except TimeoutError as error:
            raise LogUnavailable(f"the log did not answer in {self._deadline_s:g} s") from error

    async def close(self, close_store: Callable[[], None]) -> None:
        """Wait for the threads to finish their calls, stop them and close the store."""
        await asyncio.to_thread(self._threads.shutdown)
        if self._inline:
            close_store()
        else:  # waits for connections that are being opened
            await asyncio.to_thread(close_store)

    def here(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what *read* returns, on the thread of the caller."""
        began, failed = time.perf_counter(), True
        try:
            answer = read(*args, **kwargs)
            failed = False
            return answer
        finally:
            name: str = getattr(read, "__name__", "read")
            self._counters.command(name, time.perf_counter() - began, failed=failed)


class ReadTogether(Generic[K, V]):
    """Reads by key, in one read for all who ask at the same time.

    A read over the network costs much by itself and little for each key. Whoever asks while reads
    are under way is answered by the next one, so by one that began after they asked.
    """

    def __init__(
        self, read: Callable[[list[K]], Awaitable[Mapping[K, V]]], deadline_s: float
    ) -> None:
        self._read, self._deadline_s = read, deadline_s
        self._places = asyncio.Semaphore(_READS_AT_ONCE)
        self._keys: dict[K, None] = {}
        self._next: asyncio.Task[Mapping[K, V]] | None = None

    async def ask(self, keys: Iterable[K]) -> dict[K, V]:
        """Return what there is of *keys*.

        :raises LogUnavailable: the store does not answer in time, or reports an outage.
        """
        asked = dict.fromkeys(keys)
        if self._next is None or len(self._keys) + len(asked) > TOGETHER_MAX:
            self._keys = {}
            self._next = asyncio.create_task(self._run(self._keys))
            self._next.add_done_callback(_retrieved)
        self._keys |= asked
        try:
            async with asyncio.timeout(self._deadline_s):
                found = await asyncio.shield(self._next)
        except TimeoutError as error:
            raise LogUnavailable(f"the log did not answer in {self._deadline_s:g} s") from error
        return {key: found[key] for key in asked if key in found}

    async def _run(self, keys: dict[K, None]) -> Mapping[K, V]:
        async with self._places:
            if self._keys is keys:
                self._next = None  # who asks from now on is answered by another read
            return await self._read([*keys])


def _retrieved(read: "asyncio.Task[object]") -> None:
    # If everybody who asked has given up, nobody else retrieves its exception.
    if not read.cancelled():
        read.exception()
