"""The log in SQLite keeps the contract, and the file itself refuses change."""

import sqlite3
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from copy import deepcopy
from functools import cache
from pathlib import Path
from shutil import copy
from typing import cast
from uuid import UUID, uuid4

import pytest

from domain.base import OrgId
from eventstore.append import Appended, Conflict, LogUnavailable, LogUnfit, Secret
from eventstore.engine.schema import RUN
from eventstore.engine.sqlite.driver import connect
from eventstore.engine.sqlite.file import POLL_S
from eventstore.engine.sqlite.rows import MANY_EVENTS
from eventstore.memory import MemoryStore
from eventstore.partition import partition_of
from eventstore.sqlite import SqliteStore
from eventstore.store import Mark, Store
from tests.domain.spec import ACME, OTHER
from tests.eventstore.contract import StoreContract
from tests.eventstore.crowd import check_crowd, check_remembered_heads
from tests.eventstore.engine.routing import (
    check_every_statement_names_its_partition,
    use_everything,
)
from tests.eventstore.engine.tracing import note_statements
from tests.eventstore.pinned import Pinned
from tests.eventstore.reserving import ReservationContract
from tests.eventstore.rows import command

A, B = UUID(int=1), UUID(int=2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Return a function that gives an empty log with a number of partitions, created once."""

    @cache
    def created(parts: int) -> Path:
        path = tmp_path_factory.mktemp("empty") / "log.db"
        with closing(SqliteStore(str(path), parts=parts)) as store:
            store.create()
        return path

    return created


@contextmanager
def opened(path: Path) -> Generator[SqliteStore]:
    with closing(SqliteStore(str(path))) as store:
        store.open()
        yield store


@pytest.fixture
def store(path: Path, empty: Callable[[int], Path]) -> Iterator[SqliteStore]:
    with opened(Path(copy(empty(1), path))) as store:
        yield store


class TestSqliteStore(StoreContract):
    pass


class TestSqliteStoreInAPartition(StoreContract):
    @pytest.fixture
    def store(self, path: Path, empty: Callable[[int], Path]) -> Iterator[Store]:
        with opened(Path(copy(empty(2), path))) as store:
            yield cast(Store, Pinned(store, 1))


class TestSqliteReservations(ReservationContract):
    @pytest.fixture(params=[1, 8])
    def store(
        self, path: Path, empty: Callable[[int], Path], request: pytest.FixtureRequest
    ) -> Iterator[SqliteStore]:
        with opened(Path(copy(empty(request.param), path))) as store:
            yield store

    def test_every_statement_names_its_partition(self, store: SqliteStore) -> None:
        statements: list[str] = []
        store.last_position()  # so that this thread has its connection
        for connection, _ in store._opened:  # pyright: ignore[reportPrivateUsage]  there is no public way
            note_statements(connection, statements.append)

        use_everything(store)

        check_every_statement_names_its_partition(statements)

    def test_a_position_that_is_taken_is_settled_again(self, store: SqliteStore) -> None:
        store.commit([command(A), command(B)])
        store._execute("UPDATE part_heads SET position = position - 1", ())  # pyright: ignore[reportPrivateUsage]  a lock that failed

        assert isinstance(store.commit([command(A, 1)])[0], Appended)
        part = partition_of(ACME, store.parts)
        assert [r.position for r in store.tail(0, 9, part=part)] == [1, 2, 3]


def test_a_crowd_leaves_no_gap_and_a_reader_misses_nothing(path: Path, store: SqliteStore) -> None:
    other = SqliteStore(str(path))
    with closing(other):
        check_crowd([store, store, other], other, count=25)


def test_another_handle_on_the_file_is_noticed_too(path: Path, store: SqliteStore) -> None:
    with closing(SqliteStore(str(path))) as other:
        other.commit([command(A)])

        assert store.commit([command(A)]) == [Conflict(A)]
        assert store.commit([command(A, 1)]) == [Appended(2)]


def test_another_handle_changes_the_mark_of_every_thread(path: Path, store: SqliteStore) -> None:
    marks: set[Mark | None] = set()
    with closing(SqliteStore(str(path))) as other, ThreadPoolExecutor(1) as thread:
        for turn in range(3):
            marks |= {store.mark(), thread.submit(store.mark).result()}
            other.commit([command(A, turn)])

    assert len(marks) == 3


def test_another_handle_ends_what_is_remembered_of_a_commit(path: Path, store: SqliteStore) -> None:
    with closing(SqliteStore(str(path))) as other:
        check_remembered_heads(store, other)


def test_committed_events_are_there_after_reopening(path: Path, store: SqliteStore) -> None:
    store.commit([command(A, events=3)])
    rows = store.stream(A)
    store.close()

    with closing(SqliteStore(str(path))) as again:
        again.create()
        assert again.stream(A) == rows


def test_a_file_of_the_old_shape_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE stored_events (position INTEGER)")
    with closing(SqliteStore(str(path))) as store, pytest.raises(LogUnfit, match="written by"):
        store.open()


def test_the_number_of_partitions_never_changes(path: Path) -> None:
    for asked, found in ((4, 4), (None, 4)):
        with closing(SqliteStore(str(path), parts=asked)) as store:
            store.open()
            assert store.parts == found
    other = SqliteStore(str(path), parts=1)
    with closing(other), pytest.raises(LogUnfit, match="4 partition"):
        other.open()


def test_every_commit_is_synced_to_the_disk(store: SqliteStore) -> None:
    for connection, _ in store._opened:  # pyright: ignore[reportPrivateUsage]  # the test looks inside
        assert connection.execute("PRAGMA synchronous").fetchall() == [(2,)]
        assert connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]


@pytest.mark.parametrize("parts", [1, 4])
def test_many_events_of_several_organizations_are_recorded_in_one_append_as_in_memory(
    path: Path, empty: Callable[[int], Path], parts: int
) -> None:
    """Runs of one organization, whole and cut short, and rows between which others lie."""
    batches = [
        [command(uuid4(), events=2 * RUN + 1), command(uuid4(), events=RUN // 2, org_id=OTHER)],
        [
            command(uuid4(), events=RUN // 2, org_id=OrgId(uuid4())),
            command(uuid4(), events=RUN // 2, org_id=OTHER),
            *(command(uuid4(), org_id=org) for _ in range(RUN) for org in (ACME, OTHER)),
            command(uuid4(), events=3 * RUN - 1, private=b"sealed"),
            command(uuid4(), events=RUN, org_id=OTHER, tag="task.moved"),
        ],
    ]
    memory = MemoryStore(parts=parts)
    with opened(Path(copy(empty(parts), path))) as store:
        for batch in batches:
            outcomes = store.commit(copied := deepcopy(batch))
            assert outcomes == memory.commit(batch)
            assert [append.rows for append in copied] == [append.rows for append in batch]

        for part in range(parts):
            assert store.tail(0, 5000, part=part) == memory.tail(0, 5000, part=part)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_large_append_is_copied_to_the_file_from_its_log_by_another_thread(
    path: Path, store: SqliteStore, tmp_path: Path
) -> None:
    store.commit([command(A, events=MANY_EVENTS)])
    store._checkpoints.end()  # pyright: ignore[reportPrivateUsage]  # there is no public way

    with opened(Path(copy(path, tmp_path / "without-its-log.db"))) as found:
        assert found.tail(0, 1000) == store.tail(0, 1000)
        assert found.last_position() == MANY_EVENTS


def test_the_write_ahead_log_begins_again_while_large_appends_follow_each_other(
    path: Path, store: SqliteStore
) -> None:
    for turn in range(20):
        store.commit([command(UUID(int=turn + 1), events=MANY_EVENTS, private=b"x" * 8000)])

    assert Path(f"{path}-wal").stat().st_size < path.stat().st_size / 2


def test_a_locked_file_is_unavailable_until_it_is_unlocked(path: Path) -> None:
    with closing(SqliteStore(str(path), lock_timeout_s=0)) as store:
        store.create()
        with closing(connect(path)) as raw:
            raw.execute("BEGIN IMMEDIATE")
            with pytest.raises(LogUnavailable):
                store.commit([command(A)])
            raw.execute("ROLLBACK")

        store.commit([command(A)])
        assert store.heads([A]) == {A: 1}


def test_whoever_waits_for_the_lock_looks_often_and_not_at_growing_intervals(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        closing(SqliteStore(str(path))) as store,
        closing(connect(path)) as busy,
    ):
        store.create()
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            """Have the busy process leave the lock alone after the third look."""
            pauses.append(seconds)
            if len(pauses) == 3:
                busy.execute("ROLLBACK")

        monkeypatch.setattr("eventstore.engine.sqlite.file.time.sleep", pause)
        for write in (
            lambda: store.commit([command(A)]),
            lambda: store.put_secret(Secret(A, "name", b"sealed")),
        ):
            pauses.clear()
            busy.execute("BEGIN IMMEDIATE")
            write()
            assert pauses == [POLL_S] * 3
