"""Followers of one process share what one of them has read, and get no rows of another history."""

from collections.abc import Sequence
from uuid import UUID

from msgspec.structs import replace

from eventstore.engine.news import NEWS_BYTES_MAX, NEWS_MAX
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
