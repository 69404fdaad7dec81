"""Events in SQLite never change: the file itself refuses it, whatever program writes to it."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from eventstore.append import Appended, Conflict
from eventstore.engine.schema import ROWS_TOGETHER, SQLITE_GUARDS
from eventstore.engine.sqlite.driver import ConstraintError, SQLiteError, connect
from eventstore.engine.sqlite.rows import MANY_EVENTS
from eventstore.sqlite import SqliteStore
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


@pytest.mark.parametrize("change", CHANGES)
def test_the_database_itself_refuses_to_change_an_event(
    path: Path, store: SqliteStore, change: str
) -> None:
    store.commit([command(A)])
    before = store.tail(0, 10)

    with (
        closing(connect(path)) as raw,
        pytest.raises(ConstraintError, match="events are immutable"),
    ):
        raw.execute(change)

    assert store.tail(0, 10) == before


@pytest.mark.parametrize("change", CHANGES)
def test_a_large_append_leaves_the_guard_as_it_was(
    path: Path, store: SqliteStore, change: str
) -> None:
    store.commit([command(A, events=MANY_EVENTS + ROWS_TOGETHER - 1)])
    before = store.tail(0, 1000)

    with (
        closing(connect(path)) as raw,
        pytest.raises(ConstraintError, match="events are immutable"),
    ):
        raw.execute(change)

    assert [row.version for row in before] == [*range(1, MANY_EVENTS + ROWS_TOGETHER)]
    assert [row.position for row in before] == [row.org_seq for row in before]
    assert store.tail(0, 1000) == before


@pytest.mark.parametrize("change", CHANGES)
def test_a_large_append_that_finds_its_versions_taken_writes_nothing_and_leaves_the_guard(
    path: Path, store: SqliteStore, change: str
) -> None:
    store.commit([command(B)])
    store.commit([command(A)])
    taken = command(B, events=MANY_EVENTS, reads={A: 1})
    with closing(SqliteStore(str(path))) as other:  # which does not remember the version of B
        assert other.commit([taken]) == [Conflict(B)]
        assert other.commit([command(B, 1)]) == [Appended(3)]

    with (
        closing(connect(path)) as raw,
        pytest.raises(ConstraintError, match="events are immutable"),
    ):
        raw.execute(change)
    assert len(store.tail(0, 1000)) == 3


def test_nobody_else_sees_the_events_without_their_guard(path: Path, store: SqliteStore) -> None:
    with closing(connect(path)) as raw:
        seen: list[int] = []

        def look(statement: str) -> None:
            """Count the guards of the events at each statement of the append, and fail to write."""
            guards = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
            seen.extend(raw.execute(guards).fetchall()[0])
            if not statement.startswith(("BEGIN", "PRAGMA")):
                with pytest.raises(SQLiteError, match="locked"):
                    raw.execute(CHANGES[3])

        note_statements(store._writer, look)  # pyright: ignore[reportPrivateUsage]  # to look meanwhile
        store.commit([command(A, events=MANY_EVENTS)])
        note_statements(store._writer, None)  # pyright: ignore[reportPrivateUsage]  # as before

    assert len(seen) > MANY_EVENTS / ROWS_TOGETHER
    assert set(seen) == {sum(each.startswith("CREATE") for each in SQLITE_GUARDS)}


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
