"""A store that stops answering is noticed, counted, and noticed again when it is back."""

import asyncio
import logging

import pytest

from eventstore.append import LogUnavailable
from eventstore.counters import counters_of
from runtime.health.pings import StoreWatch


class Store:
    """A store that can be taken away, or hang."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.hangs = False

    async def ping(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error


async def test_an_outage_is_logged_at_its_beginning_and_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Store()
    watch = StoreWatch("logged-store", store.ping)
    assert await watch.ask() == ""

    with caplog.at_level(logging.INFO):
        store.error = LogUnavailable("connection refused")
        assert await watch.ask() == "connection refused"
        assert await watch.ask() == "connection refused"
        store.error = None
        assert await watch.ask() == ""

    events = [getattr(record, "details", {})["event"] for record in caplog.records]
    assert events == ["healthCheckFailed", "healthCheckRecovered"]
    assert counters_of("logged-store").health_checks_failed == 2


async def test_a_store_that_hangs_is_one_that_does_not_answer() -> None:
    store = Store()
    store.hangs = True
    watch = StoreWatch("hanging-store", store.ping, deadline_s=0.01)

    assert "no answer" in await watch.ask()


async def test_a_bug_is_no_outage() -> None:
    store = Store()
    store.error = KeyError("a bug")

    with pytest.raises(KeyError):
        await StoreWatch("broken-store", store.ping).ask()


async def test_it_is_asked_again_and_again() -> None:
    asked = asyncio.Semaphore(0)

    async def ping() -> None:
        asked.release()
        raise OSError("away")

    watch = StoreWatch("repeated-store", ping)
    running = asyncio.create_task(watch.run(every_s=1_000, recovery_s=0.001))
    for _ in range(3):
        await asked.acquire()
    running.cancel()

    assert watch.trouble == "away"
