"""The log in PostgreSQL keeps the contract, also between processes and when answers get lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import cast
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from eventstore.append import Appended, Conflict, LogUnavailable, LogUnfit
from eventstore.open import open_store
from eventstore.partition import partition_of
from eventstore.postgres import DistributedStore, PostgresStore, _sql  # pyright: ignore[reportPrivateUsage]  spied on
from eventstore.store import Store
from tests.domain.spec import ACME
from tests.eventstore.contract import StoreContract
from tests.eventstore.crowd import check_crowd, check_remembered_heads
from tests.eventstore.engine.routing import (
    check_every_statement_goes_to_one_machine,
    check_every_statement_names_its_partition,
    use_everything,
)
from tests.eventstore.pinned import Pinned
from tests.eventstore.reserving import ReservationContract
from tests.eventstore.rows import command

pytestmark = pytest.mark.servers

A, B = UUID(int=1), UUID(int=2)


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    with closing(PostgresStore(postgres_url)) as store:
        store.create()
        yield store


class TestPostgresStore(StoreContract):
    pass


class TestPostgresStoreInAPartition(StoreContract):
    @pytest.fixture
    def store(self, postgres_url: str) -> Iterator[Store]:
        with closing(PostgresStore(postgres_url, parts=2)) as store:
            store.create()
            yield cast(Store, Pinned(store, 1))


class TestDistributedStoreInAPartition(StoreContract):
    @pytest.fixture
    def store(self, postgres_url: str) -> Iterator[Store]:
        with closing(DistributedStore(postgres_url, parts=2)) as store:
            store.create()
            yield cast(Store, Pinned(store, 1))


class TestPostgresReservations(ReservationContract):
    @pytest.fixture(params=[(PostgresStore, 1), (PostgresStore, 8), (DistributedStore, 8)])
    def store(self, postgres_url: str, request: pytest.FixtureRequest) -> Iterator[PostgresStore]:
        kind, parts = request.param
        with closing(kind(postgres_url, parts=parts)) as store:
            store.create()
            yield store

    def test_every_statement_names_its_partition(
        self, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        statements: list[str] = []

        def spy(statement: str) -> bytes:
            statements.append(statement)
            return _sql(statement)

        monkeypatch.setattr("eventstore.postgres._sql", spy)

        use_everything(store)

        check_every_statement_names_its_partition(statements)
        if store.separate:
            check_every_statement_goes_to_one_machine(statements)

    def test_a_position_that_is_taken_is_settled_again(self, store: PostgresStore) -> None:
        store.commit([command(A), command(B)])
        store._execute("UPDATE part_heads SET position = position - 1", ())  # pyright: ignore[reportPrivateUsage]  a lock that failed

        assert isinstance(store.commit([command(A, 1)])[0], Appended)
        part = partition_of(ACME, store.parts)
        assert [r.position for r in store.tail(0, 9, part=part)] == [1, 2, 3]


def test_a_crowd_leaves_no_gap_and_a_reader_misses_nothing(
    postgres_url: str, store: PostgresStore
) -> None:
    with closing(PostgresStore(postgres_url)) as other:
        check_remembered_heads(store, other)
        check_crowd([store, store, other, other], other, count=40)


def test_a_sequence_instead_of_the_lock_would_let_a_reader_skip(postgres_url: str) -> None:
    """The control: what the readers of the crowd would find if positions came from a sequence."""
    with (
        psycopg.connect(postgres_url) as slow,
        psycopg.connect(postgres_url, autocommit=True) as quick,
    ):
        quick.execute("CREATE TABLE numbered (position bigserial PRIMARY KEY, n int)")
        slow.execute("INSERT INTO numbered (n) VALUES (1)")
        quick.execute("INSERT INTO numbered (n) VALUES (2)")
        [(last,)] = quick.execute("SELECT position FROM numbered").fetchall()
        slow.commit()
        later = quick.execute("SELECT n FROM numbered WHERE position > %s", [last]).fetchall()

        assert later == []  # the reader is past it, and never sees 1
        assert quick.execute("SELECT count(*) FROM numbered").fetchone() == (2,)


def test_another_process_on_the_database_counts_too(
    postgres_url: str, store: PostgresStore
) -> None:
    with closing(PostgresStore(postgres_url)) as other:
        other.create()
        other.commit([command(A)])

        assert store.commit([command(A)]) == [Conflict(A)]
        assert store.commit([command(A, 1)]) == [Appended(2)]


CHANGES = [
    "UPDATE events SET state = 'forged'",
    "UPDATE events SET private = '0102030405060708'::bytea",
    "UPDATE events SET private = NULL, state = 'forged'",
    "UPDATE events SET position = position + 10",
    "DELETE FROM events",
    "TRUNCATE events",
    "INSERT INTO events SELECT * FROM events"
    " ON CONFLICT (part, stream_id, version) DO UPDATE SET state = 'forged'",
    "INSERT INTO events SELECT * FROM events"
    " ON CONFLICT (part, position) DO UPDATE SET state = 'forged'",
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_database_itself_refuses_to_change_an_event(
    postgres_url: str, store: PostgresStore, change: str
) -> None:
    store.commit([command(A)])
    before = store.tail(0, 10)

    with (
        psycopg.connect(postgres_url, autocommit=True) as raw,
        pytest.raises(psycopg.errors.RaiseException, match="events are immutable"),
    ):
        raw.execute(change.encode())

    assert store.tail(0, 10) == before


def test_a_distributed_log_has_no_triggers_and_says_that_its_owner_may_change_it(
    postgres_url: str,
) -> None:
    address = f"{postgres_url}?partitions=4&distributed=on"
    with closing(open_store(address)) as store:
        store.create()
        assert (store.parts, store.separate) == (4, True)
        assert store.may_change_events()
    with psycopg.connect(postgres_url) as raw:
        found = raw.execute("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal")
        assert found.fetchone() == (0,)


class TestARoleOfItsOwn:
    def test_the_granted_role_can_only_append_and_read_events(
        self, postgres_url: str, store: PostgresStore
    ) -> None:
        role = f"app_{uuid4().hex[:8]}"
        with psycopg.connect(postgres_url, autocommit=True) as owner:
            owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'app'".encode())
            store.grant(role)
            parts = conninfo_to_dict(postgres_url) | {"user": role, "password": "app"}
            address = make_conninfo("", **parts)
            with closing(PostgresStore(address)) as ours:
                ours.open()
                assert store.may_change_events()
                assert not ours.may_change_events()
                ours.commit([command(A, keys={A: b"key"})])
                assert ours.commit([command(A, 1)]) == [Appended(2)]
                with psycopg.connect(address, autocommit=True) as raw:
                    for change in (
                        "UPDATE events SET tag = ''",
                        "DELETE FROM events",
                        "TRUNCATE events",
                    ):
                        with pytest.raises(psycopg.errors.InsufficientPrivilege):
                            raw.execute(change.encode())
            owner.execute(f"DROP OWNED BY {role}".encode())
            owner.execute(f"DROP ROLE {role}".encode())


class TestADatabaseThatIsNoLog:
    def test_a_database_without_tables_is_refused(self, postgres_url: str) -> None:
        with closing(PostgresStore(postgres_url)) as store:
            with pytest.raises(LogUnfit, match="trackrecord migrate"):
                store.open()
            store.create()
            store.open()

    def test_a_database_of_the_old_shape_is_refused(self, postgres_url: str) -> None:
        with psycopg.connect(postgres_url, autocommit=True) as raw:
            raw.execute("CREATE TABLE stored_events (notification_id bigint)")
        with closing(PostgresStore(postgres_url)) as store:
            for ready in (store.create, store.open):
                with pytest.raises(LogUnfit, match="written by"):
                    ready()

    def test_concurrent_migrations_create_the_tables_once(self, postgres_url: str) -> None:
        stores = [PostgresStore(postgres_url, parts=4) for _ in range(6)]
        with ThreadPoolExecutor(len(stores)) as threads:
            list(threads.map(lambda store: store.create(), stores))

        assert len({store.identity() for store in stores}) == 1
        for store in stores:
            store.close()


def test_every_parameter_of_the_url_reaches_the_driver(postgres_url: str) -> None:
    """One that is dropped would leave the password to go out in plain text."""
    joined = "&" if "?" in postgres_url else "?"
    with (
        closing(
            PostgresStore(
                f"{postgres_url}{joined}sslmode=verify-full&sslrootcert=/nowhere/root.crt"
            )
        ) as store,
        pytest.raises(LogUnavailable),
    ):
        store.create()
    with closing(PostgresStore(f"{postgres_url}{joined}application_name=ours")) as store:
        store.create()
        assert store._query("SELECT current_setting('application_name')", ()) == [("ours",)]  # pyright: ignore[reportPrivateUsage]  there is no public way


def test_a_locked_table_is_unavailable_until_it_is_unlocked(postgres_url: str) -> None:
    with closing(PostgresStore(postgres_url, lock_timeout_s=1)) as store:
        store.create()
        with psycopg.connect(postgres_url) as raw:
            raw.execute("SELECT 1 FROM part_heads WHERE part = 0 FOR UPDATE")
            with pytest.raises(LogUnavailable):
                store.commit([command(A)])
            raw.rollback()

        store.commit([command(A)])
        assert store.heads([A]) == {A: 1}
