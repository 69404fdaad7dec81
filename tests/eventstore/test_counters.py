"""What drivers do is counted, and what takes too long is warned about once."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Thread

import pytest

from eventstore.counters import (
    LOG_DRIVER,
    OPERATIONS_DRIVER,
    READ_MODELS_DRIVER,
    SLOW_S,
    BatchSizes,
    DriverCounters,
    all_counters,
    counters_of,
)
from eventstore.operations.sqlite import SqliteOperations
from eventstore.sqlite import SqliteStore
from projections.engine.sqlite.store import SQLiteReadStore


def test_a_slow_command_is_one_warning_with_its_name_and_duration(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counters = DriverCounters("event_log")

    with caplog.at_level(logging.WARNING):
        counters.command("tail", SLOW_S)
        counters.command("commit", 1.1)

    assert (counters.commands, counters.slow, counters.errors) == (2, 1, 0)
    [record] = caplog.records
    assert getattr(record, "details", None) == {
        "driver": "event_log",
        "command": "commit",
        "ms": 1100,
    }


def test_a_command_that_raises_is_counted_as_an_error() -> None:
    counters = DriverCounters("any")

    with counters.timed("fine"):
        pass
    with pytest.raises(KeyError), counters.timed("broken"):
        raise KeyError

    assert (counters.commands, counters.errors) == (2, 1)


def test_no_count_is_lost_between_threads() -> None:
    counters = DriverCounters("any")

    def count() -> None:
        for _ in range(2_000):
            counters.command("read", 0.0)

    threads = [Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counters.commands == 16_000


def test_everybody_gets_the_same_counters() -> None:
    assert counters_of("some driver") is counters_of("some driver")
    assert counters_of("some driver") in all_counters()


def test_batches_are_counted_in_classes() -> None:
    sizes = BatchSizes()

    for size in (1, 2, 3, 4, 512, 513):
        sizes.add(size)

    assert sizes.counts == [1, 1, 2, 0, 0, 0, 0, 0, 0, 1, 1]
    assert sizes.sum == 1035


async def opened_and_closed(driver: str, use: Callable[[], Awaitable[None]]) -> tuple[int, ...]:
    """Return pools created and closed and connections created and closed by *use*."""
    counters = counters_of(driver)

    def now() -> tuple[int, ...]:
        pools = (counters.pools_created, counters.pools_closed)
        return (*pools, counters.connections_created, counters.connections_closed)

    before = now()
    await use()
    return tuple(after - count for after, count in zip(now(), before, strict=True))


async def test_pools_and_connections_of_every_sqlite_file_are_counted(tmp_path: Path) -> None:
    async def log() -> None:
        store = SqliteStore(str(tmp_path / "events.db"))
        store.open()
        store.close()
        store.close()

    async def operations() -> None:
        store = SqliteOperations(str(tmp_path / "operations.db"))
        await store.open()
        await store.held(1.0)
        await store.close()
        await store.close()

    async def read_models() -> None:
        store = SQLiteReadStore(tmp_path / "readmodels.db")
        await store.lease("one", 1.0)
        await store.control()
        await store.close()
        await store.close()

    for driver, use in (
        (LOG_DRIVER, log),
        (OPERATIONS_DRIVER, operations),
        (READ_MODELS_DRIVER, read_models),
    ):
        created, closed, opened, ended = await opened_and_closed(driver, use)
        assert (created, closed) == (1, 1), driver
        assert opened == ended >= 1, driver
