"""The file of the read models recovers by itself, whatever happens to it."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from uuid import UUID

import pytest

from eventstore.engine.sqlite.driver import connect
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from projections.catalog import PROJECTIONS
from projections.engine.digest import compare
from projections.engine.projector import Projector
from projections.engine.sqlite import connection
from projections.engine.sqlite.store import SQLiteReadStore
from projections.engine.store import OutOfTurn, ReadStoreUnavailable, Rebuilding
from projections.work.task import Tasks
from projections.work.task_list import tasks_of_project
from tests.commands.acme import task
from tests.domain.spec import ACME, ENG
from tests.freezing import freeze
from tests.projections.spec import a_busy_day, models_of, never, project_all, to_the_end
from tests.spec import on, opened, record

pytestmark = pytest.mark.servers

DEADLINE_S = 20.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "readmodels.db"


@pytest.fixture
async def writer(path: Path) -> AsyncIterator[SQLiteReadStore]:
    """Give the store as the projector's process has it."""
    store = SQLiteReadStore(path, timeout_s=1)
    yield store
    await store.close()


@pytest.fixture
async def reader(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SQLiteReadStore]:
    """Give the store as the API's process has it; it looks at the file before each read."""
    monkeypatch.setattr(connection, "_LOOK_EVERY_S", 0.0)
    store = SQLiteReadStore(path, timeout_s=1)
    yield store
    await store.close()


@pytest.fixture
async def log() -> AsyncIterator[EventLog]:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        yield log


def delete(path: Path) -> None:
    """Delete the file as an operator does who knows of no companions."""
    path.unlink()


def spoil(path: Path, after: int, count: int | None = None) -> None:
    """Overwrite a part of the file, to its end unless *count* bytes are named."""
    length = path.stat().st_size - after if count is None else count
    assert length > 0
    with path.open("r+b") as file:
        file.seek(after)
        file.write(b"\xa5" * length)


def make_text_of(path: Path) -> None:
    """Write something else where the file belongs."""
    path.write_bytes(b"not a database at all" * 1_000)


def copy_without_log(here: Path, there: Path) -> None:
    """Copy the file and its companions, all but the write-ahead log."""
    there.mkdir()
    for file in here.glob("readmodels.db*"):
        if not file.name.endswith(("-wal", "-shm")):
            shutil.copy(file, there / file.name)


async def newest(store: SQLiteReadStore) -> bytes:
    """Return the newest task that a reader finds."""
    page = await tasks_of_project(models_of(store), ACME, ENG, limit=1)
    return page.items[0]


async def until_shown(
    projector: Projector, reader: SQLiteReadStore, log: EventLog, number: int
) -> None:
    """Record a task, and project until a reader finds it."""
    await record(log, on(UUID(int=50_000 + number), task(number)))
    async with asyncio.timeout(DEADLINE_S):
        while True:
            with suppress(OutOfTurn, ReadStoreUnavailable, Rebuilding):
                await to_the_end(projector)
                if b'"number":%d' % number in await newest(reader):
                    return
            await asyncio.sleep(0.01)


async def assert_whole(projector: Projector, store: SQLiteReadStore) -> None:
    """Check that every read model is what the log says."""
    for projection in PROJECTIONS:
        assert (await compare(projection, store, projector)).equal


async def test_a_file_that_is_deleted_is_rebuilt(
    path: Path, writer: SQLiteReadStore, reader: SQLiteReadStore, log: EventLog
) -> None:
    projector = await project_all(log, writer)
    await until_shown(projector, reader, log, 900)
    delete(path)

    with pytest.raises((Rebuilding, ReadStoreUnavailable)):
        await newest(reader)
    await until_shown(projector, reader, log, 901)
    await assert_whole(projector, writer)


async def test_a_file_that_is_replaced_by_an_older_copy_is_brought_up_to_date_or_rebuilt(
    path: Path, writer: SQLiteReadStore, reader: SQLiteReadStore, log: EventLog, tmp_path: Path
) -> None:
    projector = await project_all(log, writer)
    copy = tmp_path / "copy.db"
    with closing(connect(path)) as source:
        source.execute("VACUUM INTO ?", (str(copy),))
    await until_shown(projector, reader, log, 900)
    copy.replace(path)

    await until_shown(projector, reader, log, 901)
    await assert_whole(projector, writer)


async def test_a_damaged_file_is_set_aside(
    path: Path, writer: SQLiteReadStore, reader: SQLiteReadStore, log: EventLog
) -> None:
    projector = await project_all(log, writer)
    await writer.close()
    spoil(path, after=4096)
    again = SQLiteReadStore(path, timeout_s=1)
    projector = Projector(PROJECTIONS, log, again, never)

    await until_shown(projector, reader, log, 900)
    await assert_whole(projector, again)
    assert path.with_name("readmodels.db-bad").exists()
    await again.close()


async def test_damage_that_only_a_reader_finds_is_reported_to_the_writer(
    path: Path, writer: SQLiteReadStore, reader: SQLiteReadStore, log: EventLog
) -> None:
    projector = await project_all(log, writer)
    await until_shown(projector, reader, log, 900)
    with closing(connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(root,)] = other.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?",
            (f"tasks_v{Tasks.version}_b1_by_org_project_id_deleted_number",),
        ).fetchall()
    spoil(path, after=(root - 1) * 4096, count=4096)

    with pytest.raises((Rebuilding, ReadStoreUnavailable)):
        await newest(SQLiteReadStore(path, timeout_s=1))
    await until_shown(projector, reader, log, 901)
    await assert_whole(projector, writer)


async def test_a_file_that_is_no_database_is_set_aside(
    path: Path, writer: SQLiteReadStore, reader: SQLiteReadStore, log: EventLog
) -> None:
    make_text_of(path)
    projector = Projector(PROJECTIONS, log, writer, never)

    await until_shown(projector, reader, log, 900)


async def test_a_write_ahead_log_lost_under_the_process_loses_nothing(
    path: Path, writer: SQLiteReadStore, reader: SQLiteReadStore, log: EventLog
) -> None:
    projector = await project_all(log, writer)
    await until_shown(projector, reader, log, 900)
    path.with_name("readmodels.db-wal").unlink()

    await until_shown(projector, reader, log, 901)
    await assert_whole(projector, writer)


async def test_a_write_ahead_log_lost_while_no_process_runs_is_detected(
    path: Path, reader: SQLiteReadStore, log: EventLog, tmp_path: Path
) -> None:
    store = SQLiteReadStore(path, timeout_s=1)
    await project_all(log, store)
    left = tmp_path / "left"  # what a killed process leaves, without its write-ahead log
    copy_without_log(tmp_path, left)
    await store.close()
    again, seen = (SQLiteReadStore(left / "readmodels.db", timeout_s=1) for _ in range(2))
    projector = Projector(PROJECTIONS, log, again, never)

    await until_shown(projector, seen, log, 900)
    await assert_whole(projector, again)
    for each in (again, seen):
        await each.close()


HOLDER = """
import sqlite3, sys, time
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("BEGIN IMMEDIATE")
c.execute("UPDATE leases SET until = until")
print("held", flush=True)
time.sleep(600)
"""


@contextmanager
def frozen_holder(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Have another process hold the lock of the file, and freeze it."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        freeze(holder.pid)
        try:
            yield holder
        finally:
            holder.kill()


async def test_a_frozen_holder_of_the_lock_stops_no_reader_and_nobody_forever(
    path: Path, writer: SQLiteReadStore, reader: SQLiteReadStore, log: EventLog
) -> None:
    projector = await project_all(log, writer)
    await until_shown(projector, reader, log, 900)
    with frozen_holder(path) as holder:
        await record(log, on(UUID(int=7_000), task(901)))
        with pytest.raises(ReadStoreUnavailable):
            await to_the_end(projector)
        assert b'"number":900' in await newest(reader)
        holder.kill()
        holder.wait()

        await until_shown(projector, reader, log, 902)


async def test_a_reader_with_a_snapshot_blocks_nobody_and_the_log_shrinks_later(
    path: Path,
    writer: SQLiteReadStore,
    reader: SQLiteReadStore,
    log: EventLog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from projections.engine.sqlite import store

    monkeypatch.setattr(store, "WAL_BYTES_KEPT", 500_000)
    monkeypatch.setattr(store, "CHECKPOINT_EVERY_S", 0.0)
    projector = await project_all(log, writer)
    holder = connect(path)
    holder.execute("BEGIN")
    holder.execute("SELECT count(*) FROM control").fetchall()
    number = 1_000
    while (await writer.figures())["wal_bytes"] < 1_000_000:
        tasks = [on(UUID(int=9_000 + number + n), task(number + n)) for n in range(100)]
        await record(log, *tasks)
        await to_the_end(projector)
        number += 100
    assert b'"number":%d' % (number - 1) in await newest(reader)
    holder.execute("COMMIT")
    holder.close()

    await until_shown(projector, reader, log, number)
    assert (await writer.figures())["wal_bytes"] < 500_000


async def test_only_its_owner_can_read_the_file(
    path: Path, writer: SQLiteReadStore, log: EventLog
) -> None:
    await project_all(log, writer, [Tasks()])

    assert {oct(f.stat().st_mode & 0o077) for f in path.parent.glob("readmodels.db*")} == {"0o0"}
