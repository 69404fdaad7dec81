"""Results of long work about past moments, which never change: a process keeps the last of them."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar, cast

RESULTS_BYTES_MAX = 32 * 2**20
"""How large the results that a process keeps may be together."""

AT_ONCE_MAX = 2
"""How many a process works on at a time, each of which takes memory and a share of the loop."""

Start = Callable[[Coroutine[Any, Any, None]], None]
"""Begins work that outlives whoever asks for it."""


class Sized(Protocol):
    """A result, with about how many bytes it takes."""

    @property
    def size(self) -> int: ...


R = TypeVar("R", bound=Sized)


class TooMuchPastWork(Exception):
    """The process works on as many past moments as it may; another try will do."""


class PastResults:
    """Works out each result once, for all who ask meanwhile, and keeps those asked for last.

    The work goes on when whoever asked first gives up, so that the next try finds it done.
    """

    def __init__(self, start: Start) -> None:
        self._start = start
        self._kept: OrderedDict[object, Sized] = OrderedDict()
        self._size = 0
        self._running: dict[object, asyncio.Future[Sized]] = {}

    async def of(self, key: object, work: Callable[[], Awaitable[R]]) -> R:
        """Return the result that *key* names, which *work* returns.

        :raises TooMuchPastWork: nobody works on it, and as many others as may be are being worked
            on.
        """
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            return cast(R, known)
        running = self._running.get(key)
        if running is None:
            if len(self._running) >= AT_ONCE_MAX:
                raise TooMuchPastWork
            running = self._running[key] = asyncio.get_running_loop().create_future()
            self._start(self._run(key, work, running))
        return cast(R, await asyncio.shield(running))

    async def _run(
        self, key: object, work: Callable[[], Awaitable[Sized]], running: "asyncio.Future[Sized]"
    ) -> None:
        try:
            found = await work()
        except asyncio.CancelledError:
            running.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - raised again by all who wait for it
            running.set_exception(error)
            running.exception()  # or it would be logged as well if nobody waits
        else:
            self._keep(key, found)
            running.set_result(found)
        finally:
            del self._running[key]

    def _keep(self, key: object, found: Sized) -> None:
        self._kept[key] = found
        self._size += found.size
        while self._size > RESULTS_BYTES_MAX and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            self._size -= gone.size
