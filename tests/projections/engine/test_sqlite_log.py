"""The write-ahead log of the read models does not keep what was overwritten."""

import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from eventstore.engine.sqlite.driver import connect
from eventstore.memory import MemoryStore
from projections.engine.sqlite import store
from projections.engine.sqlite.store import SQLiteReadStore
from tests.commands.acme import ACCOUNTS, task
from tests.projections.spec import project_all, to_the_end
from tests.spec import on, opened, record


async def test_the_log_of_writes_is_emptied_once_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SQLiteReadStore(tmp_path / "readmodels.db")
    async with opened(MemoryStore()) as log:
        try:
            await record(log, *ACCOUNTS)
            monkeypatch.setattr(store, "CHECKPOINT_EVERY_S", 0.0)
            projector = await project_all(log, writer)
            assert (await writer.figures())["wal_bytes"] > 0
            monkeypatch.setattr(store, "EMPTIED_EVERY_S", 0.0)
            await record(log, on(UUID(int=9_999), task(9)))

            await to_the_end(projector)
            assert (await writer.figures())["wal_bytes"] == 0
        finally:
            await writer.close()


async def test_a_log_that_a_reader_stands_in_is_emptied_after_the_reader_and_not_an_hour_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, now = tmp_path / "readmodels.db", [time.monotonic()]
    monkeypatch.setattr(store, "time", SimpleNamespace(monotonic=lambda: now[0]))
    writer = SQLiteReadStore(path, timeout_s=0.2)
    async with opened(MemoryStore()) as log:
        try:
            await record(log, *ACCOUNTS)
            projector = await project_all(log, writer)
            with closing(connect(path)) as reader:
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM control").fetchall()
                now[0] += store.EMPTIED_EVERY_S + 1
                await record(log, on(UUID(int=9_999), task(9)))
                await to_the_end(projector)
                assert (await writer.figures())["wal_bytes"] > 0

            now[0] += store.CHECKPOINT_EVERY_S + 1
            await record(log, on(UUID(int=9_998), task(10)))
            await to_the_end(projector)
            assert (await writer.figures())["wal_bytes"] == 0
        finally:
            await writer.close()
