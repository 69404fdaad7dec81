"""Equal pages that are asked for at the same time are read once, and never before the question."""

import asyncio

import pytest

from projections.engine.mongo.sharing import SharedPages
from projections.engine.query import ListSlice, list_slice
from projections.engine.store import ReadStoreUnavailable

HERE, THERE = b"a page", b"another page"


class Reading:
    """A page that is read when the test says so; its content is the number of the reading."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Semaphore(0)
        self.fails = False

    async def read(self) -> ListSlice:
        self.begun += 1
        number = self.begun
        await self.may_end.acquire()
        if self.fails:
            raise ReadStoreUnavailable("away")
        return list_slice([b"%d" % number])


@pytest.fixture
def reading() -> Reading:
    return Reading()


async def asked(pages: SharedPages, reading: Reading, key: bytes = HERE) -> "asyncio.Task[bytes]":
    """Ask for a page, and return once the question has been taken."""

    async def ask() -> bytes:
        return (await pages.read(key, reading.read)).json

    task = asyncio.create_task(ask())
    await turns()
    return task


async def turns() -> None:
    """Let everybody else go as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_asks_during_a_reading_shares_the_next_one(reading: Reading) -> None:
    pages = SharedPages()
    first = await asked(pages, reading)
    others = [await asked(pages, reading) for _ in range(5)]
    assert reading.begun == 1

    reading.may_end.release()
    await turns()
    late = await asked(pages, reading)
    assert (await first, reading.begun) == (b"1", 2)
    reading.may_end.release()
    reading.may_end.release()

    assert [await other for other in others] == [b"2"] * 5
    assert await late == b"3"


async def test_other_pages_do_not_wait(reading: Reading) -> None:
    pages = SharedPages()
    here, there = await asked(pages, reading), await asked(pages, reading, THERE)

    assert reading.begun == 2
    reading.may_end.release()
    reading.may_end.release()
    assert {await here, await there} == {b"1", b"2"}


async def test_who_gives_up_does_not_take_the_page_from_the_others(reading: Reading) -> None:
    pages = SharedPages()
    first, leader, other = [await asked(pages, reading) for _ in range(3)]

    leader.cancel()
    first.cancel()
    await turns()
    assert reading.begun == 2
    reading.may_end.release()

    assert await other == b"2"


async def test_a_reading_that_fails_fails_those_who_waited_for_it(reading: Reading) -> None:
    pages = SharedPages()
    first, other = await asked(pages, reading), await asked(pages, reading)
    reading.fails = True
    reading.may_end.release()

    for task in (first, other):
        with pytest.raises(ReadStoreUnavailable):
            await task
    assert reading.begun == 1
    reading.fails = False
    again = await asked(pages, reading)
    reading.may_end.release()
    assert await again == b"2"
