"""What drivers do is counted, and what takes too long is warned about once."""

import logging
from pathlib import Path
from threading import Thread

import pytest

from eventstore.counters import (
    LOG_DRIVER,
    SLOW_S,
    BatchSizes,
    DriverCounters,
    all_counters,
    counters_of,
)
from eventstore.sqlite import SqliteStore


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


def test_openings_and_closings_of_sqlite_connections_are_counted(tmp_path: Path) -> None:
    counters = counters_of(LOG_DRIVER)
    created, closed = counters.connections_created, counters.connections_closed

    store = SqliteStore(str(tmp_path / "events.db"))
    opened = counters.connections_created - created
    store.close()

    assert opened >= 1
    assert counters.connections_closed - closed == opened
