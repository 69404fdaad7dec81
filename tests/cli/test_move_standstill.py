"""A move copies the operational tables once no worker writes to them any more."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from cli.__main__ import main
from cli.failure import CommandFailed
from cli.recovery.standstill import until_nobody_works
from eventstore.mode import LogMode
from eventstore.open import open_store
from eventstore.operations.open import open_operations
from eventstore.operations.records import DeliveryStatus, Endpoint
from eventstore.operations.store import Changes, OperationalStore
from tests.cli.history import record_history
from tests.eventstore.operations.examples import LEASE_S, delivery, ended, endpoint

PATIENCE_S = 20.0


@pytest.fixture
def events_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/one/events.db"


@pytest.fixture
async def operations(events_url: str, tmp_path: Path) -> AsyncIterator[OperationalStore]:
    (tmp_path / "one").mkdir()
    store = open_operations(events_url)
    await store.open()
    yield store
    await store.close()


async def test_a_worker_that_finishes_is_waited_for(
    operations: OperationalStore, events_url: str
) -> None:
    await operations.claim("one", LEASE_S, [endpoint()])
    waiting = asyncio.create_task(until_nobody_works(events_url, quiet_s=0.05))
    await asyncio.wait([waiting], timeout=0.5)
    assert not waiting.done()

    await operations.release("one", "w")

    async with asyncio.timeout(PATIENCE_S):
        await waiting


async def test_a_worker_that_does_not_finish_is_named(
    operations: OperationalStore, events_url: str
) -> None:
    await operations.claim("one", LEASE_S, [endpoint()])

    with pytest.raises(CommandFailed, match="hold 1 endpoints, jobs or mails"):
        await until_nobody_works(events_url, quiet_s=0.05, patience_s=0.1)


async def test_without_operational_tables_nobody_is_waited_for(events_url: str) -> None:
    await until_nobody_works(events_url)

    assert not (Path(events_url.removeprefix("sqlite:///"))).parent.exists()


def test_what_a_worker_writes_after_commands_stopped_is_moved_with_the_rest(
    events_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("EVENTS_URL", events_url)
    monkeypatch.setattr("cli.recovery.standstill.QUIET_S", 0.1)
    record_history()
    held = asyncio.run(_claimed(events_url))
    worker = Thread(target=_finish_once_read_only, args=(events_url, held))
    worker.start()
    other = f"sqlite:///{tmp_path}/two/events.db"

    assert main(["move", "--to", other]) == 0
    worker.join()

    assert asyncio.run(_state(other)) is DeliveryStatus.SUCCESS


async def _claimed(url: str) -> Endpoint:
    """Return an endpoint of which a worker is sending the first event."""
    store = open_operations(url)
    await store.open()
    (held,) = await store.claim("one", LEASE_S, [endpoint()])
    await store.write(held, Changes(deliveries=[delivery(1)]))
    await store.close()
    return held


def _finish_once_read_only(url: str, held: Endpoint) -> None:
    deadline = time.monotonic() + PATIENCE_S
    with closing(open_store(url)) as log:
        log.open()
        while log.mode() is LogMode.OPEN and time.monotonic() < deadline:
            time.sleep(0.01)
    time.sleep(0.3)  # as long as a receiver may take
    asyncio.run(_finish(url, held))


async def _finish(url: str, held: Endpoint) -> None:
    store = open_operations(url)
    await store.open()
    await store.write(held, Changes(deliveries=[ended(1)]))
    await store.release("one", "w")
    await store.close()


async def _state(url: str) -> DeliveryStatus:
    store = open_operations(url)
    await store.open()
    (found,) = await store.deliveries("w", limit=9)
    await store.close()
    return found.status
