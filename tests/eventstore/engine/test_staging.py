"""Large appends wait for the lock of PostgreSQL with all that they send, and are recorded."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from copy import deepcopy
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from domain.base import OrgId
from eventstore.append import Append, Appended, Conflict, Outcome
from eventstore.engine.to_look_up import LARGE
from eventstore.memory import MemoryStore
from eventstore.postgres import DistributedStore, PostgresStore
from eventstore.recorded import Row
from tests.domain.spec import ACME, OTHER
from tests.eventstore.cutting import cutting_proxy
from tests.eventstore.engine.test_lost_answers import connected, outcomes_of
from tests.eventstore.rows import command
from tests.spec import opened

pytestmark = pytest.mark.servers

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    with closing(PostgresStore(postgres_url)) as store:
        store.create()
        yield store


def joined(*commands: Append) -> Append:
    """Return one command that writes what all of *commands* would."""
    rows = [row for each in commands for row in each.rows]
    expects = {stream: after for each in commands for stream, after in each.expects.items()}
    return Append(rows=rows, expects=expects, keys={}, org_id=ACME)


def rows_if_recorded(append: Append, outcome: Outcome) -> list[Row]:
    return append.rows if isinstance(outcome, Appended) else []


def staged_bytes(store: PostgresStore) -> int | None:
    """Return how large the tables are that events are staged in; None if there is none."""
    [(found,)] = store._query(  # pyright: ignore[reportPrivateUsage]  there is no public way
        "SELECT sum(pg_relation_size(oid))::bigint FROM pg_class WHERE relname = 'staged_events'",
        (),
    )
    return int(found) if found is not None else None


@pytest.mark.parametrize(
    ("kind", "parts"), [(PostgresStore, 1), (PostgresStore, 4), (DistributedStore, 4)]
)
def test_large_and_small_commands_are_recorded_together_as_in_memory(
    postgres_url: str, kind: type[PostgresStore], parts: int
) -> None:
    several = [command(uuid4(), events=3) for _ in range(LARGE)]
    batches = [
        [command(A), joined(*several), command(B, events=LARGE, private=b"sealed", org_id=OTHER)],
        [
            command(A, 7, events=LARGE),
            command(uuid4(), org_id=OrgId(uuid4())),
            joined(*(command(each.rows[0].stream_id, 3, events=2) for each in several)),
            joined(*(command(uuid4(), org_id=org) for _ in range(LARGE) for org in (ACME, OTHER))),
            command(A, 1, events=LARGE, tag="task.moved"),
            command(B, LARGE, events=LARGE - 1, org_id=OTHER),
        ],
    ]
    memory = MemoryStore(parts=parts)
    with closing(kind(postgres_url, parts=parts)) as store:
        store.create()
        for batch in batches:
            outcomes = store.commit(copied := deepcopy(batch))
            assert outcomes == memory.commit(batch)
            assert [rows_if_recorded(*each) for each in zip(copied, outcomes, strict=True)] == [
                rows_if_recorded(*each) for each in zip(batch, outcomes, strict=True)
            ]

        for part in range(parts):
            assert store.tail(0, 9_000, part=part) == memory.tail(0, 9_000, part=part)
        assert staged_bytes(store) == (None if store.separate else 0)


def test_a_large_command_waits_for_the_lock_with_its_events_in_the_database(
    postgres_url: str, store: PostgresStore
) -> None:
    store.commit([command(A, events=LARGE)])
    assert staged_bytes(store) == 0
    with psycopg.connect(postgres_url) as raw, ThreadPoolExecutor(1) as threads:
        raw.execute("SELECT 1 FROM part_heads WHERE part = 0 FOR UPDATE")
        waiting = threads.submit(store.commit, [command(B, events=LARGE)])
        while not store._query("SELECT 1 FROM pg_locks WHERE NOT granted", ()):  # pyright: ignore[reportPrivateUsage]  there is no public way
            assert not waiting.done()
        size = staged_bytes(store) or 0
        raw.rollback()

        assert waiting.result() == [Appended(2 * LARGE)]
    assert size > LARGE * len(command(B).rows[0].state)
    assert staged_bytes(store) == 0


def test_a_role_that_may_not_create_temporary_tables_records_the_same(
    postgres_url: str, store: PostgresStore
) -> None:
    role = f"app_{uuid4().hex[:8]}"
    parts = conninfo_to_dict(postgres_url)
    address = make_conninfo("", **parts | {"user": role, "password": "app"})
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'app'".encode())
        owner.execute(f'REVOKE TEMPORARY ON DATABASE "{parts["dbname"]}" FROM PUBLIC'.encode())
        store.grant(role)
        with closing(PostgresStore(address)) as ours:
            ours.open()
            assert ours.commit([command(A, events=LARGE)]) == [Appended(LARGE)]
            assert len(ours.tail(0, 9_000)) == LARGE
            assert staged_bytes(ours) is None
        owner.execute(f"DROP OWNED BY {role}".encode())
        owner.execute(f"DROP ROLE {role}".encode())


def test_a_large_command_that_comes_late_is_refused_by_what_another_process_wrote(
    postgres_url: str, store: PostgresStore
) -> None:
    with closing(PostgresStore(postgres_url)) as other:
        other.open()
        store.commit([command(A), command(B), command(C)])
        other.commit([command(A, 1)])
        late = joined(command(B, 1, events=LARGE), command(A, 1))

        assert store.commit([late, command(C, 1)]) == [Conflict(A), Appended(5)]
        assert store.commit([joined(command(B, 1, events=LARGE), command(A, 2))]) == [
            Appended(6 + LARGE)
        ]
    assert [row.position for row in store.tail(0, 9_000)] == [*range(1, LARGE + 7)]


async def test_a_large_commit_whose_answer_was_lost_is_recorded_once(
    postgres_url: str, store: PostgresStore
) -> None:
    async with cutting_proxy(postgres_url) as proxy, opened(await connected(proxy.url)) as log:
        proxy.cuts = 1

        assert await outcomes_of(log, command(A, events=LARGE)) == ["CommandAlreadyDone"]
        assert proxy.cut == 1
    assert [row.position for row in store.tail(0, 9_000)] == [*range(1, LARGE + 1)]
