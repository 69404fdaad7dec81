"""Operational state in a SQLite file: private, replaceable at any moment, and never locked long."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from threading import Event

import pytest
from msgspec import structs

from eventstore.engine.sqlite.driver import connect
from eventstore.operations.open import operations_file
from eventstore.operations.sqlite import SqliteOperations
from eventstore.operations.store import WRITE_MAX, Changes, LeaseLost, OperationsUnavailable
from tests.eventstore.operations.contract import OperationsContract
from tests.eventstore.operations.examples import LEASE_S, PATIENCE_S, delivery, endpoint, importing
from tests.freezing import freeze


class TestSqliteOperations(OperationsContract):
    """The contract."""

    path: Path

    @pytest.fixture(autouse=True)
    def _beside_the_log(self, tmp_path: Path) -> None:
        self.path = tmp_path / "operations.db"

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[SqliteOperations]:
        async with opened(self.path) as store:
            yield store


@asynccontextmanager
async def opened(
    path: Path, *, lock_wait_s: float = PATIENCE_S
) -> AsyncGenerator[SqliteOperations]:
    store = SqliteOperations(str(path), deadline_s=PATIENCE_S, lock_wait_s=lock_wait_s)
    try:
        await store.open()
        yield store
    finally:
        await store.close()


def delete(path: Path) -> None:
    path.unlink()


def replace(path: Path, by: Path) -> None:
    for companion in ("-wal", "-shm"):
        Path(f"{path}{companion}").unlink()
    by.replace(path)


def set_aside(path: Path) -> int:
    """Return how many databases were set aside; each may have its companions with it."""
    names = {each.name.removesuffix("-wal").removesuffix("-shm") for each in path.parent.iterdir()}
    return sum(".unreadable-" in name for name in names)


def size(path: Path) -> int:
    return path.stat().st_size


async def open_of(store: SqliteOperations) -> int:
    return (await store.backlog()).open


def damage(path: Path, at: int) -> None:
    path.touch()
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xff" * 40_960)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "operations.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteOperations]:
    async with opened(path) as store:
        yield store


def test_the_file_is_in_the_folder_of_the_log() -> None:
    assert operations_file("sqlite:////data/events.db") == Path("/data/operations.db")
    assert operations_file("sqlite:////data/other.db") == Path("/data/other.operations.db")


async def test_nobody_else_can_read_the_file(store: SqliteOperations, path: Path) -> None:
    await store.claim("one", LEASE_S, [endpoint()])

    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == {"operations.db": 0o600, "operations.db-wal": 0o600, "operations.db-shm": 0o600}


async def test_everything_written_is_there_after_a_restart(path: Path) -> None:
    async with opened(path) as store:
        (w,) = await store.claim("one", LEASE_S, [endpoint()])
        await store.write(w, Changes(deliveries=[delivery(1)]))
    async with opened(path) as store:
        assert await store.deliveries("w", limit=9) == [delivery(1)]
        assert await store.held(LEASE_S) == {"w"}


async def test_works_that_wait_share_a_transaction_and_a_refusal_is_its_own(
    store: SqliteOperations,
) -> None:
    names = [f"w{n:03}" for n in range(60)]
    held = await store.claim("one", LEASE_S, [endpoint(name) for name in names])
    zombies = [structs.replace(each, fence=7) for each in held[::3]]
    writes = [store.write(each, Changes(deliveries=[delivery(1, each.id)])) for each in held]
    late = [store.write(each, Changes(deliveries=[delivery(2, each.id)])) for each in zombies]

    outcomes = await asyncio.gather(*writes, *late, return_exceptions=True)

    assert outcomes[:60] == [None] * 60
    assert all(isinstance(each, LeaseLost) for each in outcomes[60:])
    for name in names:
        assert [each.seq for each in await store.deliveries(name, limit=9)] == [1]


async def test_another_process_writes_between_the_transactions_of_a_busy_worker(
    store: SqliteOperations, path: Path
) -> None:
    names = [f"w{n:02}" for n in range(40)]
    held = await store.claim("one", LEASE_S, [endpoint(name) for name in names])
    full = [
        Changes(deliveries=[delivery(n, each.id) for n in range(1, WRITE_MAX + 1)]) for each in held
    ]
    async with opened(path) as api:
        writes = [
            asyncio.ensure_future(store.write(each, changes))
            for each, changes in zip(held, full, strict=True)
        ]
        await writes[0]

        await api.add(delivery(0, id="w00:ping"))

        written = await open_of(api) - 1
        assert WRITE_MAX <= written < WRITE_MAX * len(names)
        await asyncio.gather(*writes)
        assert await open_of(api) - 1 == WRITE_MAX * len(names)


async def test_a_write_is_answered_once_it_is_synced_and_does_not_hold_the_lock_meanwhile(
    store: SqliteOperations, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncing, synced, sync = asyncio.Event(), Event(), os.fsync
    loop = asyncio.get_running_loop()

    def slow_disk(file: int) -> None:
        loop.call_soon_threadsafe(syncing.set)
        assert synced.wait(10)
        sync(file)

    monkeypatch.setattr(os, "fsync", slow_disk)
    writing = asyncio.ensure_future(store.add(delivery(0, id="w:ping")))
    try:
        await asyncio.wait_for(syncing.wait(), 10)
        other = connect(path)
        other.execute("DELETE FROM webhook_deliveries")
        other.close()
        assert not writing.done()
    finally:
        synced.set()
    await writing


async def test_what_was_committed_moves_to_the_main_file_while_processes_are_running(
    store: SqliteOperations, path: Path
) -> None:
    (w,) = await store.claim("one", LEASE_S, [endpoint()])
    empty = size(path)

    for first in range(1, 60 * WRITE_MAX, WRITE_MAX):
        batch = [delivery(n) for n in range(first, first + WRITE_MAX)]
        await store.write(w, Changes(deliveries=batch))

    await store.add(delivery(0, id="w:ping"))  # by now the transaction before has been moved
    assert size(path) > empty


async def test_a_file_deleted_under_the_process_is_created_again_and_its_leases_are_lost(
    store: SqliteOperations, path: Path
) -> None:
    (w,) = await store.claim("one", LEASE_S, [endpoint()])
    delete(path)

    with pytest.raises(LeaseLost):
        await store.write(w, Changes(fields={"fan": 1}))
    assert await store.endpoint("w") is None
    assert len(await store.claim("one", LEASE_S, [endpoint()])) == 1


async def test_a_file_restored_under_the_process_refuses_later_knowledge(
    store: SqliteOperations, path: Path, tmp_path: Path
) -> None:
    (w,) = await store.claim("one", LEASE_S, [endpoint()])
    older = tmp_path / "backup" / path.name
    async with opened(path) as same, opened(older) as backup:
        assert await backup.claim("one", LEASE_S, [endpoint()])
        assert await same.held(LEASE_S) == {"w"}
    await store.write(w, Changes(fields={"fan": 5}))
    replace(path, older)

    with pytest.raises(LeaseLost):
        await store.write(w, Changes(fields={"fan": 6}))
    found = await store.endpoint("w")
    assert found is not None
    assert found.fan == 0


async def test_a_file_with_garbage_is_set_aside(path: Path) -> None:
    damage(path, 0)
    async with opened(path) as store:
        assert len(await store.claim("one", LEASE_S, [endpoint()])) == 1

    assert set_aside(path) == 1


async def test_a_file_with_garbage_in_the_middle_is_set_aside_once_it_is_read(path: Path) -> None:
    async with opened(path) as store:
        (w,) = await store.claim("one", LEASE_S, [endpoint()])
        async with opened(path):  # closing, it moves what is in the log of writes to the file
            await store.write(w, Changes(deliveries=[delivery(n) for n in range(1, 200)]))
    damage(path, 8_192)
    async with opened(path) as store:
        assert await store.deliveries("w", limit=500) == []
        await store.claim("one", LEASE_S, [endpoint("x")])
        assert await store.endpoint("x") is not None

    assert set_aside(path) == 1


async def test_a_table_of_an_earlier_version_gets_its_new_column(path: Path) -> None:
    progress = importing("one")
    async with opened(path) as store:
        await store.keep_import(progress)
    with closing(connect(path)) as raw:
        raw.execute("ALTER TABLE imports DROP COLUMN updated")

    async with opened(path) as store:
        assert await store.import_of("acme", "one") == progress


@pytest.mark.servers
async def test_a_frozen_process_that_holds_the_lock_leads_to_an_error_and_not_to_a_hang(
    path: Path,
) -> None:
    async with opened(path, lock_wait_s=0.2) as store:
        (w,) = await store.claim("one", LEASE_S, [endpoint()])
        holder = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.eventstore.operations.lock_holder",
            str(path),
            stdout=asyncio.subprocess.PIPE,
        )
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"held\n"
        freeze(holder.pid)

        with pytest.raises(
            OperationsUnavailable, match=r"locked by another process; waited 0\.2 s"
        ):
            await store.add(delivery(0, id="w:ping"))
        assert await store.held(LEASE_S) == {"w"}  # reading still works
        with pytest.raises(OperationsUnavailable):
            await store.write(w, Changes(fields={"fan": 1}))

        holder.kill()
        await holder.wait()
        await store.write(w, Changes(fields={"fan": 1}))
