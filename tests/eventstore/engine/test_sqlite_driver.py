"""What the driver of SQLite promises about every file, and about who uses a connection."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from eventstore.append import Appended, LogUnavailable
from eventstore.engine.sqlite.driver import (
    CREATE,
    READ,
    WRITE,
    Database,
    SQLiteError,
    committing,
    connect,
    is_damage,
)
from eventstore.sqlite import SqliteStore
from tests.eventstore.rows import command

A = UUID(int=1)
CANARY = b"canary-of-a-deleted-row"
SLOW = (
    "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted LIMIT 2000000)"
    " SELECT max(n) FROM counted"
)
"""Takes some tenths of a second."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.db"


@pytest.fixture
def file(path: Path) -> Iterator[Database]:
    with closing(connect(path, CREATE)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (value)")
        yield connection


def test_a_file_that_is_not_there_is_made_only_if_that_is_asked_for(path: Path) -> None:
    for mode in (READ, WRITE):
        with pytest.raises(SQLiteError):
            connect(path, mode)
        assert not path.exists()
    connect(path, CREATE).close()
    connect(path, READ).close()


def test_what_was_deleted_is_in_no_free_page(path: Path, file: Database) -> None:
    file.executemany("INSERT INTO t VALUES (?)", [(CANARY * 20,) for _ in range(100)])
    file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert CANARY in path.read_bytes()

    file.execute("DELETE FROM t")
    file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    assert CANARY not in path.read_bytes()


def test_a_block_that_fails_leaves_nothing_and_no_transaction(file: Database) -> None:
    file.execute("BEGIN IMMEDIATE")
    with pytest.raises(SQLiteError, match="number of bindings"), committing(file):
        file.executemany("INSERT INTO t VALUES (?)", [(1,), ()])

    assert not file.in_transaction
    assert file.execute("SELECT value FROM t").fetchall() == []


def test_a_file_that_holds_something_else_is_damaged(path: Path) -> None:
    path.write_bytes(b"no database, but long enough to be looked at " * 100)

    with pytest.raises(SQLiteError) as refused, closing(connect(path)) as connection:
        connection.execute("SELECT * FROM sqlite_master").fetchall()

    assert is_damage(refused.value)


def test_a_text_that_is_none_is_an_outage_and_ends_the_read(path: Path) -> None:
    with closing(SqliteStore(str(path))) as store:
        store.create()
        store.commit([command(A)])
        with closing(connect(path)) as raw:
            raw.execute("DROP TRIGGER events_only_lose_values")
            raw.execute("UPDATE events SET tag = CAST(X'FF' AS TEXT)")

            with pytest.raises(LogUnavailable, match="utf-8"):
                store.tail(0, 10)
            with pytest.raises(LogUnavailable, match="utf-8"):
                store.stream(A)

            [(busy, *_)] = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            assert not busy  # as nobody stands in it any more


def test_closing_waits_for_what_another_thread_reads(path: Path) -> None:
    store = SqliteStore(str(path))
    store.create()
    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(store._query, SLOW, ())  # pyright: ignore[reportPrivateUsage]  # nothing public is slow
        while len(store._opened) < 3:  # pyright: ignore[reportPrivateUsage]  # until it has begun
            pass
        store.close()

        assert reading.result(0) == [(2_000_000,)]
        with pytest.raises(LogUnavailable, match="closed"):
            thread.submit(store.stream, A).result()


def test_a_log_that_was_closed_says_so_and_another_one_opens(path: Path) -> None:
    store = SqliteStore(str(path))
    store.create()
    store.close()
    with pytest.raises(LogUnavailable, match="closed"):
        store.commit([command(A)])

    with closing(SqliteStore(str(path))) as again:
        assert again.commit([command(A)]) == [Appended(1)]
