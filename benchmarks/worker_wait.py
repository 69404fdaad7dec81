"""How long do writes of the API wait on SQLite while two workers write without pause?"""

import asyncio
import multiprocessing
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path

from benchmarks.harness.calm import wait_for_calm
from benchmarks.harness.figures import Figure
from benchmarks.harness.workplace import workplace
from eventstore.engine.sqlite.driver import Database, SQLiteError, connect, is_locked
from eventstore.engine.sqlite.file import POLL_S
from eventstore.operations.records import Attempt, Delivery, Endpoint
from eventstore.operations.sqlite import SqliteOperations
from eventstore.operations.store import WRITE_MAX, Changes

WORKERS = 2
ENDPOINTS = 8
"""Endpoints of each worker, which write at the same time."""
LEASE_S = 60.0
WRITES = 300
PAUSE_S = 0.003
"""Between two writes of the API, so that they meet the workers at any moment."""
ROUNDS = 5
TARGET_MS = 20.0
PERCENTILES = {"median": 0.5, "p99": 0.99, "longest": 1.0}
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def measure() -> list[Figure]:
    """Return the percentiles of waits for the lock, and of whole writes, which sync as well."""
    locks: list[list[float]] = []
    alone: list[list[float]] = []
    beside: list[list[float]] = []
    for _ in range(ROUNDS):
        with workplace() as directory:
            wait_for_calm()
            path = directory / "operations.db"
            alone.append(asyncio.run(_write_ms(path)))
            with _workers(path):
                locks.append(_lock_ms(path))
                beside.append(asyncio.run(_write_ms(path)))
    return [
        *_figures("wait of the API for two busy workers", locks, TARGET_MS),
        *_figures("whole write of the API alone", alone),
        *_figures("whole write of the API beside two busy workers", beside),
    ]


def _figures(what: str, rounds: list[list[float]], target: float | None = None) -> list[Figure]:
    return [
        Figure(
            what=f"{what}, {name}",
            unit="ms",
            rounds=[_percentile(each, share) for each in rounds],
            target=target,
            at_least=False,
        )
        for name, share in PERCENTILES.items()
    ]


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def _lock_ms(path: Path) -> list[float]:
    """Take the lock again and again, asking for it as often as the adapter does."""
    connection = connect(path)
    waits: list[float] = []
    for _ in range(WRITES):
        began = time.perf_counter()
        while not _locked(connection):
            time.sleep(POLL_S)
        waits.append((time.perf_counter() - began) * 1000)
        connection.execute("ROLLBACK")
        time.sleep(PAUSE_S)
    connection.close()
    return waits


def _locked(connection: Database) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except SQLiteError as error:
        if not is_locked(error):
            raise
        return False
    return True


async def _write_ms(path: Path) -> list[float]:
    store = SqliteOperations(str(path))
    await store.open()
    took: list[float] = []
    try:
        for number in range(WRITES):
            ping = _delivery("api", -number, f"ping-{time.time_ns()}")
            began = time.perf_counter()
            await store.add(ping)
            took.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(PAUSE_S)
    finally:
        await store.close()
    return took


@contextmanager
def _workers(path: Path) -> Generator[None]:
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    ready = [context.Event() for _ in range(WORKERS)]
    workers = [
        context.Process(target=_work, args=(path, f"worker-{number}", started, stop))
        for number, started in enumerate(ready)
    ]
    for worker in workers:
        worker.start()
    try:
        for started in ready:
            assert started.wait(30)
        yield
    finally:
        stop.set()
        for worker in workers:
            worker.join()


def _work(path: Path, name: str, started: Event, stop: Event) -> None:
    asyncio.run(_write_without_pause(path, name, started, stop))


async def _write_without_pause(path: Path, name: str, started: Event, stop: Event) -> None:
    store = SqliteOperations(str(path))
    await store.open()

    async def serve(endpoint: Endpoint) -> None:
        seq = 0
        while not stop.is_set():
            batch = range(seq, seq + WRITE_MAX)
            seq += WRITE_MAX
            changes = Changes(
                deliveries=[_delivery(endpoint.id, each) for each in batch],
                attempts=[_attempt(endpoint.id, each, name) for each in batch],
            )
            await store.write(endpoint, changes)
            started.set()

    try:
        wanted = [Endpoint(id=f"{name}-{n}", org="acme", fan=0) for n in range(ENDPOINTS)]
        await asyncio.gather(*map(serve, await store.claim(name, LEASE_S, wanted)))
    finally:
        await store.close()


def _delivery(endpoint: str, seq: int, name: str | None = None) -> Delivery:
    return Delivery(
        id=name or f"{endpoint}:{seq}",
        endpoint=endpoint,
        org="acme",
        seq=seq,
        prev=seq - 1,
        event_id=f"event-{seq}",
        type="task.created",
        stream="stream",
        created_at=NOW,
        next_at=NOW,
    )


def _attempt(endpoint: str, seq: int, worker: str) -> Attempt:
    return Attempt(
        id=f"{endpoint}:{seq}:1",
        delivery=f"{endpoint}:{seq}",
        endpoint=endpoint,
        seq=seq,
        n=1,
        at=NOW,
        ms=12,
        worker=worker,
        status=200,
        excerpt="accepted",
        request_headers={"webhook-id": f"{endpoint}:{seq}"},
    )
