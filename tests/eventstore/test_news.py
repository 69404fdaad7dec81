"""Followers of one process share what one of them has read, and get no rows of another history."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from msgspec.structs import replace

from eventstore.engine.news import NEWS_BYTES_MAX, NEWS_MAX, SHARED_S, News
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
        log.news.grown()

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


async def test_those_who_are_up_to_date_look_once_for_all_at_each_wake_up() -> None:
    store = Watched()
    async with opened(store) as log:
        end = await record(log, *HERE)
        assert await log.news.after(0, 1_000)
        for reads in (1, 2, 3):
            looks = [log.news.after(end, 1_000) for _ in range(4)]
            assert await asyncio.gather(*looks) == [[]] * 4
            assert store.reads == reads
            log.news.grown()


async def test_followers_that_look_together_all_get_what_is_there() -> None:
    async with opened(MemoryStore()) as log:
        end = await record(log, *HERE)
        assert await log.news.after(0, 1_000)
        more = await record(log, on(FIRST, task(500)))
        log.news.grown()

        found = await asyncio.gather(*(log.news.after(end, 1_000) for _ in range(3)))

        assert [positions(rows) for rows in found] == [[*range(end + 1, more + 1)]] * 3


async def test_what_grows_while_a_follower_reads_is_found_at_the_wake_up_for_it() -> None:
    async with opened(MemoryStore()) as log:
        end = await record(log, *HERE)
        assert await log.news.after(0, 1_000)
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def tail(after: int, limit: int, *, part: int) -> list[Row]:
            rows = await log.tail_rows(after, limit, part=part)
            begun.set()
            await go_on.wait()
            return rows

        news = News(tail)
        go_on.set()
        assert await news.after(0, 1_000)
        news.grown()
        go_on.clear()
        begun.clear()
        early = asyncio.create_task(news.after(end, 1_000))
        await begun.wait()
        more = await record(log, on(FIRST, task(500)))
        news.grown()
        woken = asyncio.create_task(news.after(end, 1_000))
        go_on.set()

        assert await early == []
        assert positions(await woken) == [*range(end + 1, more + 1)]


async def test_a_look_does_not_count_for_long_if_no_wake_up_comes() -> None:
    now_s = 0.0
    async with opened(MemoryStore()) as log:
        news = News(log.tail_rows, lambda: now_s)
        end = await record(log, *HERE)
        assert await news.after(0, 1_000)
        more = await record(log, on(FIRST, task(500)))

        assert await news.after(end, 1_000) == []
        now_s = SHARED_S

        assert positions(await news.after(end, 1_000)) == [*range(end + 1, more + 1)]


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
        log.news.grown()

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
        log.news.grown()

        assert await log.news.after(end, 1_000) == []
        assert await log.news.after(0, 1_000) == []
