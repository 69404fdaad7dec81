"""Events in SQLite never change: the file itself refuses it, whatever program writes to it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from eventstore.append import Appended, Conflict, LogUnavailable, Redacted
from eventstore.engine.beside import REDACT
from eventstore.engine.schema import SQLITE_GUARDS
from eventstore.engine.sqlite.driver import ConstraintError, connect
from eventstore.engine.sqlite.rows import MANY_EVENTS
from eventstore.sqlite import SqliteStore
from tests.eventstore.engine.routing import use_everything
from tests.eventstore.engine.tracing import note_statements
from tests.eventstore.rows import command

A, B = UUID(int=1), UUID(int=2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(str(path))) as store:
        store.create()
        yield store


COLUMNS = "part, position, stream_id, version, tag, state, private, org_id, org_seq, recorded_at"

REFUSED = "events are immutable"

CHANGES = [
    "UPDATE events SET state = 'forged'",
    "UPDATE events SET rowid = rowid + 10",
    "UPDATE events SET private = X'0102030405060708'",
    "UPDATE events SET private = NULL, state = 'forged'",
    "DELETE FROM events",
    "INSERT OR REPLACE INTO events SELECT * FROM events",
    f"REPLACE INTO events (rowid, {COLUMNS}) SELECT rowid, part, position + 10, stream_id,"
    " version + 10, tag, 'forged', private, org_id, org_seq + 10, recorded_at FROM events",
    f"REPLACE INTO events ({COLUMNS}) SELECT part, position, stream_id, version + 10, tag,"
    " 'forged', private, org_id, org_seq + 10, recorded_at FROM events",
    f"REPLACE INTO events ({COLUMNS}) SELECT part, position + 10, stream_id, version, tag,"
    " 'forged', private, org_id, org_seq + 10, recorded_at FROM events",
    f"REPLACE INTO events ({COLUMNS}) SELECT part, position + 10, stream_id, version + 10, tag,"
    " 'forged', private, org_id, org_seq, recorded_at FROM events",
    "INSERT INTO events SELECT * FROM events WHERE true"
    " ON CONFLICT (part, stream_id, version) DO UPDATE SET state = 'forged'",
    "INSERT INTO events SELECT * FROM events WHERE true"
    " ON CONFLICT (part, position) DO UPDATE SET state = 'forged'",
]


OTHER_PROGRAM = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for change in sys.argv[2:]:
    try:
        connection.execute(change)
        print("changed", change)
    except sqlite3.IntegrityError as error:
        print(error)
"""


@pytest.mark.parametrize("change", CHANGES)
def test_the_database_itself_refuses_to_change_an_event(
    path: Path, store: SqliteStore, change: str
) -> None:
    store.commit([command(A)])
    before = store.tail(0, 10)

    with closing(connect(path)) as raw, pytest.raises(ConstraintError, match=REFUSED):
        raw.execute(change)

    assert store.tail(0, 10) == before


@pytest.mark.parametrize("events", [1, MANY_EVENTS])
def test_it_refuses_other_programs_while_the_log_is_open(
    path: Path, store: SqliteStore, events: int
) -> None:
    store.commit([command(A, events=events)])
    before = store.tail(0, 1000)

    other = [sys.executable, "-c", OTHER_PROGRAM, str(path), *CHANGES]
    ended = subprocess.run(other, check=True, timeout=50, capture_output=True, text=True)

    assert ended.stdout.splitlines() == [REFUSED] * len(CHANGES)
    assert store.tail(0, 1000) == before


def test_a_large_append_that_finds_its_versions_taken_writes_nothing(
    path: Path, store: SqliteStore
) -> None:
    store.commit([command(B)])
    store.commit([command(A)])
    taken = command(B, events=MANY_EVENTS, reads={A: 1})
    with closing(SqliteStore(str(path))) as other:  # which does not remember the version of B
        assert other.commit([taken]) == [Conflict(B)]
        assert other.commit([command(B, 1)]) == [Appended(3)]

    assert len(store.tail(0, 1000)) == 3


def test_the_log_changes_nothing_of_an_event_that_its_guard_does_not_allow(
    store: SqliteStore,
) -> None:
    store.commit([command(A, private=b"value")])
    before = store.stream(A)

    with pytest.raises(LogUnavailable, match=REFUSED):
        store.commit([command(B, redacted=(Redacted(A, 1, b"another"),))])

    assert store.tail(0, 10) == before
    store.commit([command(B, redacted=(Redacted(A, 1, b"val"),))])
    assert [row.private for row in store.stream(A)] == [b"val"]


def test_the_log_replaces_no_event_and_deletes_none(store: SqliteStore) -> None:
    """So it appends without the guard, which costs half as much as adding a row."""
    statements: list[str] = []
    note_statements(store._writer, statements.append)  # pyright: ignore[reportPrivateUsage]  there is no public way

    use_everything(store)
    store.commit([command(A, store.heads([A]).get(A, 0), events=MANY_EVENTS)])
    store.commit([command(B, store.heads([B]).get(B, 0), redacted=(Redacted(A, 1, None),))])

    writes = [s for s in dict.fromkeys(statements) if re.match("(INSERT|REPLACE|UPDATE|DELETE)", s)]
    of_events = [write for write in writes if re.search(r"\bevents\b", write)]
    begin = {" ".join(write.split()[:3]) for write in of_events}
    assert begin == {"INSERT INTO events", "UPDATE events SET"}
    assert [write for write in of_events if "REPLACE" in write or "ON CONFLICT" in write] == []
    assert [w for w in of_events if w.startswith("UPDATE")] == [REDACT]


def test_a_guard_of_an_insert_searches_by_whole_keys_and_never_reads_a_partition(
    path: Path, store: SqliteStore
) -> None:
    [guard] = [each for each in SQLITE_GUARDS if "events_never_replaced" in each]
    condition = guard.partition(" WHEN ")[2].partition(" BEGIN ")[0]
    with closing(connect(path)) as raw:
        query = re.sub(r"NEW\.\w+", "?", condition)
        plan = raw.execute(f"EXPLAIN QUERY PLAN SELECT {query}", [0] * query.count("?")).fetchall()

    searches = [detail for *_, detail in plan if " events " in detail]
    assert len(searches) == 4
    assert [each for each in searches if "(part=?)" in each or each.startswith("SCAN")] == []
