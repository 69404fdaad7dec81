"""Followers of one process share what one of them has read, and get no rows of another history."""

import asyncio
from collections.abc import Sequence
from typing import cast
from uuid import UUID

import pytest
from msgspec.structs import replace

from eventstore.append import LogUnavailable
from eventstore.engine.news import NEWS_BYTES_MAX, NEWS_MAX, News
from eventstore.memory import MemoryStore
from eventstore.recorded import READ_BYTES_MAX, Row, fills_read
from tests.commands.acme import HERE, task
from tests.spec import on, opened, record

FIRST = UUID(int=3_000)


class Watched(MemoryStore):
    """Counts the reads of the end of the log."""

    reads = 0

    def tail(self, after: int, limit: int, tags: Sequence[str] = (), part: int = 0) -> list[Row]:
        self.reads += 1
        return super().tail(after, limit, tags, part)


def positions(rows: list[Row]) -> list[int]:
    return [row.position for row in rows]


async def test_what_is_new_is_read_once_for_all_followers() -> None:
    store = Watched()
    async with opened(store) as log:
        end = await record(log, *HERE)

        assert positions(await log.news.after(0, 1_000)) == [*range(1, end + 1)]
        assert positions(await log.news.after(0, 2)) == [1, 2]
        assert positions(await log.news.after(2, 1_000)) == [*range(3, end + 1)]
        assert store.reads == 1


async def test_nobody_waits_for_another_follower_to_read() -> None:
    async with opened(MemoryStore()) as log:
        end = await record(log, *HERE)
        assert await log.news.after(0, 1_000)
        assert await log.news.after(end, 1_000) == []

        more = await record(log, on(FIRST, task(500)))

        assert positions(await log.news.after(end, 1_000)) == [*range(end + 1, more + 1)]
        assert positions(await log.news.after(end - 1, 1_000)) == [*range(end, more + 1)]


async def test_a_follower_that_is_woken_gets_what_another_one_read_too_early_to_see() -> None:
    store = Watched()
    async with opened(store) as log:
        end = await record(log, *HERE)
        assert await log.news.after(0, 1_000)
        more = await record(log, on(FIRST, task(500)))

        log.news.grown()

        assert positions(await log.news.after(end - 2, 1_000)) == [*range(end - 1, more + 1)]
        assert positions(await log.news.after(end - 1, 1_000)) == [*range(end, more + 1)]
        assert store.reads == 2  # once for everybody


class Slow:
    """Reads of the end of a log, each of which ends when it is told to."""

    def __init__(self, store: MemoryStore) -> None:
        self.store, self.reads = store, 0
        self.goes_on, self.breaks = asyncio.Event(), False

    async def __call__(self, after: int, limit: int, *, part: int) -> list[Row]:
        self.reads += 1
        found = self.store.tail(after, limit, part=part)
        await self.goes_on.wait()
        if self.breaks:
            self.breaks = False
            raise LogUnavailable("the database is away")
        return found


def following(news: News, *wanted: tuple[int, int]) -> list[asyncio.Task[list[Row]]]:
    """Let followers ask for what is after a position, each for so many rows at most."""
    return [asyncio.create_task(news.after(*each)) for each in wanted]


async def test_followers_that_are_woken_together_wait_for_one_read() -> None:
    async with opened(MemoryStore()) as log:
        end = await record(log, *HERE)
        slow = Slow(cast(MemoryStore, log.store))
        followers = following(News(slow), (0, 500), (0, 500), (0, 2), (0, 501), (1, 500))
        await asyncio.sleep(0)

        slow.goes_on.set()
        first, same, few, more, behind = await asyncio.gather(*followers)

        assert positions(first) == positions(same) == positions(more) == [*range(1, end + 1)]
        assert positions(few) == [1, 2]
        assert positions(behind) == [*range(2, end + 1)]
        assert slow.reads == 3  # one for the first three


async def test_what_is_recorded_during_a_read_is_seen_by_those_who_are_woken_by_it() -> None:
    async with opened(MemoryStore()) as log:
        end = await record(log, *HERE)
        slow = Slow(cast(MemoryStore, log.store))
        news = News(slow)
        [early] = following(news, (0, 500))
        await asyncio.sleep(0)
        more = await record(log, on(FIRST, task(500)))
        news.grown()
        [late] = following(news, (0, 500))
        await asyncio.sleep(0)

        slow.goes_on.set()

        assert positions(await early) == [*range(1, end + 1)]
        assert positions(await late) == [*range(1, more + 1)]


@pytest.mark.parametrize("cancelled", [True, False])
async def test_when_a_read_fails_those_who_wait_for_it_read_for_themselves(
    cancelled: bool,
) -> None:
    async with opened(MemoryStore()) as log:
        end = await record(log, *HERE)
        slow = Slow(cast(MemoryStore, log.store))
        slow.breaks = not cancelled
        first, *others = following(News(slow), *[(0, 500)] * 3)
        await asyncio.sleep(0)

        if cancelled:
            first.cancel()
        slow.goes_on.set()

        with pytest.raises((asyncio.CancelledError, LogUnavailable)):
            await first
        for other in others:
            assert positions(await other) == [*range(1, end + 1)]
        assert slow.reads == 2


async def test_old_rows_leave_memory_and_are_read_again() -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *HERE)
        tasks = [on(UUID(int=4_000 + n), task(1_000 + n)) for n in range(NEWS_MAX)]
        end = await record(log, *tasks)
        after = 0
        while rows := await log.news.after(after, 400):
            after = rows[-1].position

        assert after == end
        assert positions(await log.news.after(0, 3)) == [1, 2, 3]
        assert positions(await log.news.after(end - 2, 10)) == [end - 1, end]


async def test_large_rows_leave_memory_earlier() -> None:
    store = Watched()
    async with opened(store) as log:
        text = "x" * (NEWS_BYTES_MAX // 4)
        large = [
            on(UUID(int=4_000 + n), replace(task(1_000 + n), description=text)) for n in range(8)
        ]
        end = await record(log, *HERE, *large)
        assert await log.news.after(0, 1_000)
        assert store.reads == 1

        assert positions(await log.news.after(end - 1, 10)) == [end]
        assert store.reads == 1
        assert positions(await log.news.after(end - 8, 10)) == [*range(end - 7, end + 1)]
        assert store.reads > 1


async def test_no_row_is_missed_after_one_that_fills_a_read_alone() -> None:
    async with opened(MemoryStore()) as log:
        end = await record(log, *HERE)
        texts = ["x" * READ_BYTES_MAX, "small", "x" * READ_BYTES_MAX, "small", "small"]
        for n, text in enumerate(texts):
            await record(log, on(UUID(int=4_000 + n), replace(task(1_000 + n), description=text)))

        after = end
        seen: list[int] = []
        while rows := await log.news.after(after, 1_000):
            seen += positions(rows)
            after = rows[-1].position
            if not fills_read(rows, 1_000):
                break

        assert seen == [*range(end + 1, end + 1 + len(texts))]


async def test_rows_of_a_log_that_was_set_back_are_forgotten() -> None:
    async with opened(MemoryStore()) as log, opened(MemoryStore()) as other:
        end = await record(log, *HERE, on(FIRST, task(500)))
        await log.news.after(0, 1_000)
        await record(other, *HERE, on(UUID(int=3_001), task(501)), on(FIRST, task(500)))
        log.store = other.store

        news = await log.news.after(end, 1_000)

        assert news == other.store.tail(end, 1_000)
        assert await log.news.after(end - 1, 1_000) == other.store.tail(end - 1, 1_000)


async def test_a_follower_that_notices_another_log_makes_everybody_read_again() -> None:
    async with opened(MemoryStore()) as log, opened(MemoryStore()) as other:
        await record(log, *HERE, on(FIRST, task(500)))
        await log.news.after(0, 1_000)
        await record(other, *HERE, on(UUID(int=3_001), task(501)))
        log.store = other.store

        log.news.forget()

        assert await log.news.after(0, 1_000) == other.store.tail(0, 1_000)


async def test_rows_of_a_log_that_became_shorter_are_forgotten() -> None:
    async with opened(MemoryStore()) as log, opened(MemoryStore()) as other:
        end = await record(log, *HERE, on(FIRST, task(500)))
        await log.news.after(0, 1_000)
        log.store = other.store

        assert await log.news.after(end, 1_000) == []
        assert await log.news.after(0, 1_000) == []
