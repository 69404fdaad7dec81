"""Another program, with an older SQLite of its own, uses the files of a log that is open here."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from eventstore.append import Appended
from eventstore.engine.beside import INSERT_EVENTS, event_rows
from eventstore.engine.schema import SQLITE_GUARDS, SQLITE_TYPES, statements
from eventstore.engine.sqlite.driver import connect
from eventstore.recorded import Row
from eventstore.sqlite import SqliteStore
from tests.eventstore.rows import command, row
from tests.one_sqlite import OpenByTwo

A, B = UUID(int=1), UUID(int=2)

READING = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
print(connection.execute("SELECT count(*) FROM events").fetchone()[0])
with sqlite3.connect(sys.argv[2]) as copy:
    connection.backup(copy)
copy.close()
connection.close()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


def test_it_reads_and_copies_the_log_and_does_not_close_it_for_us(
    path: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    with closing(SqliteStore(str(path))) as store:
        store.create()
        store.commit([command(A, events=3)])

        other = [sys.executable, "-c", READING, str(path), str(copy)]
        ended = subprocess.run(other, check=True, timeout=50, capture_output=True)

        assert ended.stdout == b"3\n"
        assert Path(f"{path}-wal").stat().st_size > 0  # only the last to close may empty it
        assert store.commit([command(A, 3)]) == [Appended(4)]
        with closing(SqliteStore(str(copy))) as copied:
            assert copied.stream(A) == store.stream(A)[:3]
    assert not Path(f"{path}-wal").exists()


def test_a_log_that_it_has_written_is_read_and_continued_and_read_by_it_again(path: Path) -> None:
    events = [row(A, version) for version in (1, 2)]
    for number, event in enumerate(events, start=1):
        event.position = event.org_seq = number
    with closing(sqlite3.connect(path)) as other, other:
        _write(other, events)

    with closing(SqliteStore(str(path))) as store:
        store.open()
        assert store.stream(A) == events
        assert store.commit([command(A, 2), command(B)]) == [Appended(3), Appended(4)]
        stored = store.tail(0, 10)

    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = other.execute("SELECT state, private FROM events ORDER BY position").fetchall()
        assert found == [(each.state, each.private) for each in stored]


def test_the_lock_that_it_holds_is_ours_once_it_was_killed(path: Path) -> None:
    holding = (
        "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        " c.execute('BEGIN IMMEDIATE'); print('held', flush=True); time.sleep(600)"
    )
    with closing(SqliteStore(str(path))) as store:
        store.create()
        other = [sys.executable, "-c", holding, str(path)]
        with subprocess.Popen(other, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            holder.stdout.readline()
            with closing(connect(path)) as raw, pytest.raises(Exception, match="locked"):
                raw.execute("BEGIN IMMEDIATE")
            holder.kill()

        assert store.commit([command(A)]) == [Appended(1)]


def _write(other: sqlite3.Connection, events: list[Row]) -> None:
    """Write a log of one partition with *events*, as an earlier version did."""
    other.execute("PRAGMA journal_mode = WAL")
    for statement in statements(SQLITE_TYPES, SQLITE_GUARDS):
        other.execute(statement)
    other.execute("INSERT INTO log_identity VALUES (0, ?, 1, 1)", (os.urandom(16),))
    other.execute("INSERT INTO part_heads (part, position) VALUES (0, ?)", (len(events),))
    rows = event_rows(events, lambda _: 0, lambda each: each.bytes)
    other.executemany(INSERT_EVENTS.of_values, rows)


def test_no_test_opens_a_file_by_two_copies_of_sqlite(path: Path) -> None:
    with closing(SqliteStore(str(path))), pytest.raises(OpenByTwo):
        sqlite3.connect(path)

    sqlite3.connect(path).close()
