"""Pages that many clients ask for at the same time, read once for all of them.

Without it, a list that everybody opens would be read by each of them, and the answers would keep
everybody waiting. A page is never older than the question: whoever asks while it is being read
gets the next reading, which begins after that.
"""

import asyncio
from collections.abc import Awaitable, Callable

from projections.engine.query import ListSlice
from projections.engine.store import ReadStoreUnavailable

_Read = Callable[[], Awaitable[ListSlice]]
_Failure = ReadStoreUnavailable | None


class SharedPages:
    """Reads each page at most once at a time; equal pages have equal keys."""

    def __init__(self) -> None:
        self._under_way: dict[bytes, asyncio.Future[_Failure]] = {}
        self._next: dict[bytes, asyncio.Task[ListSlice]] = {}

    async def read(self, key: bytes, read: _Read) -> ListSlice:
        """Return what *read* returns, or somebody else's that begins from now on.

        :raises ReadStoreUnavailable: it failed, or the reading before it did.
        """
        following = self._next.get(key)
        if following is None:
            under_way = self._under_way.get(key)
            if under_way is None:
                return await self._read_now(key, read)
            following = asyncio.create_task(self._read_after(under_way, key, read))
            following.add_done_callback(_retrieved)
            self._next[key] = following
        return await asyncio.shield(following)  # for the others, if this caller gives up

    async def _read_after(
        self, under_way: "asyncio.Future[_Failure]", key: bytes, read: _Read
    ) -> ListSlice:
        try:
            failure = await under_way
        finally:
            del self._next[key]  # who asks from now on gets the reading after this one
        if failure is not None:  # whoever waited for it must not wait as long again
            raise ReadStoreUnavailable(str(failure)) from failure
        return await self._read_now(key, read)

    async def _read_now(self, key: bytes, read: _Read) -> ListSlice:
        ended = self._under_way[key] = asyncio.get_running_loop().create_future()
        failure: _Failure = None
        try:
            return await read()
        except ReadStoreUnavailable as error:
            failure = error
            raise
        finally:
            if self._under_way.get(key) is ended:
                del self._under_way[key]
            ended.set_result(failure)


def _retrieved(following: "asyncio.Task[ListSlice]") -> None:
    # If everybody who waited has given up, nobody else retrieves its exception.
    if not following.cancelled():
        following.exception()
