"""Long work about the past: once for all who ask, few at a time, kept while there is room."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from msgspec import Struct

from commands.past import results
from commands.past.results import AT_ONCE_MAX, PastResults, TooMuchPastWork


class Result(Struct):
    name: str
    size: int = 1


class Work:
    """Work that ends when it may, and counts how often it began."""

    def __init__(self, size: int = 1) -> None:
        self.has_begun, self.may_end = asyncio.Event(), asyncio.Event()
        self.began, self._size = 0, size

    async def __call__(self) -> Result:
        self.began += 1
        self.has_begun.set()
        await self.may_end.wait()
        return Result("done", self._size)


@pytest.fixture
def past() -> PastResults:
    running: set[asyncio.Task[None]] = set()

    def start(work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        running.add(task)
        task.add_done_callback(running.discard)

    return PastResults(start)


async def begun(past: PastResults, key: object, work: Work) -> "asyncio.Task[Result]":
    asked = asyncio.create_task(past.of(key, work))
    await work.has_begun.wait()
    return asked


class TestPastResults:
    async def test_a_result_is_worked_out_once(self, past: PastResults) -> None:
        work = Work()
        first = await begun(past, "one", work)
        second = asyncio.create_task(past.of("one", work))
        work.may_end.set()

        assert await first is await second is await past.of("one", work)
        assert work.began == 1

    async def test_too_many_at_once_are_refused(self, past: PastResults) -> None:
        every = [Work() for _ in range(AT_ONCE_MAX)]
        asked = [await begun(past, number, work) for number, work in enumerate(every)]

        with pytest.raises(TooMuchPastWork):
            await past.of("another", Work())
        for work in every:
            work.may_end.set()
        await asyncio.gather(*asked)
        again = Work()
        again.may_end.set()
        assert (await past.of("another", again)).name == "done"

    async def test_the_work_goes_on_when_whoever_asked_gives_up(self, past: PastResults) -> None:
        work = Work()
        asked = await begun(past, "one", work)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        work.may_end.set()

        assert (await past.of("one", work)).name == "done"
        assert work.began == 1

    async def test_a_failure_is_told_and_not_kept(self, past: PastResults) -> None:
        async def fail() -> Result:
            raise ValueError("no")

        for _ in range(AT_ONCE_MAX + 1):
            with pytest.raises(ValueError, match="no"):
                await past.of("one", fail)

    async def test_what_was_asked_for_longest_ago_makes_room(
        self, past: PastResults, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(results, "RESULTS_BYTES_MAX", 10)
        every = {key: Work(4) for key in "abc"}
        for work in every.values():
            work.may_end.set()
        for key in "abacab":
            await past.of(key, every[key])

        assert [each.began for each in every.values()] == [1, 2, 1]
