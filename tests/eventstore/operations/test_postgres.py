"""Operational state in PostgreSQL: waits are bounded, and broken connections are replaced."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import psycopg
import pytest

from eventstore.append import LogUnfit
from eventstore.counters import OPERATIONS_DRIVER, counters_of
from eventstore.operations.postgres import PostgresOperations
from eventstore.operations.sql import Transaction
from eventstore.operations.store import Changes, OperationsUnavailable
from tests.eventstore.operations.contract import OperationsContract
from tests.eventstore.operations.examples import LEASE_S, PATIENCE_S, endpoint, importing
from tests.eventstore.operations.silent_proxy import silent_proxy

pytestmark = pytest.mark.servers


class TestPostgresOperations(OperationsContract):
    """The contract."""

    url: str

    @pytest.fixture(autouse=True)
    def _database(self, postgres_url: str) -> None:
        self.url = postgres_url

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[PostgresOperations]:
        async with opened(self.url) as store:
            yield store


@asynccontextmanager
async def opened(
    url: str, *, lock_wait_s: float = PATIENCE_S
) -> AsyncGenerator[PostgresOperations]:
    store = PostgresOperations(url, deadline_s=PATIENCE_S, lock_wait_s=lock_wait_s)
    try:
        await store.create()
        await store.open()
        yield store
    finally:
        await store.close()


async def test_processes_that_start_together_create_the_tables_once(postgres_url: str) -> None:
    stores = [PostgresOperations(postgres_url) for _ in range(4)]
    await asyncio.gather(*(store.create() for store in stores))
    for store in stores:
        await store.close()


async def test_a_database_without_tables_is_refused_until_it_is_migrated(
    postgres_url: str,
) -> None:
    store = PostgresOperations(postgres_url)
    with pytest.raises(LogUnfit, match="trackrecord migrate"):
        await store.open()
    await store.create()
    await store.open()
    await store.close()


async def test_a_table_of_an_earlier_version_gets_its_new_column(postgres_url: str) -> None:
    progress = importing("one")
    async with opened(postgres_url) as store:
        await store.keep_import(progress)
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute("ALTER TABLE imports DROP COLUMN updated")

        await store.create()

        assert await store.import_of("acme", "one") == progress


async def test_a_separate_role_may_read_and_write_but_not_create(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS worker_only")
        admin.execute("CREATE ROLE worker_only LOGIN")
    async with opened(postgres_url) as owner:
        await owner.grant("worker_only")
        theirs = urlsplit(postgres_url)
        url = theirs._replace(netloc=f"worker_only@{theirs.hostname}:{theirs.port}").geturl()
        store = PostgresOperations(url)
        await store.open()
        (w,) = await store.claim("one", LEASE_S, [endpoint()])
        await store.write(w, Changes(fields={"fan": 1}))
        with pytest.raises(OperationsUnavailable, match="permission denied"):
            await store.create()
        await store.close()
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("DROP OWNED BY worker_only")
        admin.execute("DROP ROLE worker_only")


async def test_a_row_that_another_process_locks_is_waited_for_within_bounds(
    postgres_url: str,
) -> None:
    async with opened(postgres_url, lock_wait_s=0.2) as store:
        (w,) = await store.claim("one", 0.0, [endpoint()])
        with psycopg.connect(postgres_url) as frozen:
            frozen.execute("SELECT 1 FROM webhook_endpoints FOR UPDATE")
            with pytest.raises(OperationsUnavailable, match="lock timeout"):
                await store.write(w, Changes(fields={"fan": 1}))
            # Claims pass it over instead of waiting.
            claimed = await store.claim("two", LEASE_S, [endpoint(), endpoint("x")])
            assert [each.id for each in claimed] == ["x"]
        await store.write(w, Changes(fields={"fan": 1}))


async def test_a_process_that_freezes_within_a_transaction_is_cut_off_by_the_server(
    postgres_url: str,
) -> None:
    def freeze(on: Transaction) -> None:
        on.execute("SELECT 1 FROM webhook_endpoints FOR UPDATE")
        holding.set()
        thawed.wait(2 * PATIENCE_S)

    holding, thawed = threading.Event(), threading.Event()
    async with opened(postgres_url) as store, with_bounds_of_server(postgres_url, 1) as frozen:
        (w,) = await store.claim("one", LEASE_S, [endpoint()])
        freezing = asyncio.create_task(
            frozen._write(freeze)  # pyright: ignore[reportPrivateUsage]  # no call of ours freezes
        )
        try:
            assert await asyncio.to_thread(holding.wait, PATIENCE_S)
            await store.write(w, Changes(fields={"fan": 1}))
        finally:
            thawed.set()
        with pytest.raises(OperationsUnavailable):
            await freezing


@asynccontextmanager
async def with_bounds_of_server(url: str, deadline_s: float) -> AsyncGenerator[PostgresOperations]:
    """Open a store that only the server cuts off, as it does with a process that is frozen."""
    store = PostgresOperations(url, deadline_s=deadline_s, lock_wait_s=PATIENCE_S)
    give_up_after(store, 2 * PATIENCE_S)
    try:
        await store.open()
        yield store
    finally:
        await store.close()


def give_up_after(store: PostgresOperations, deadline_s: float) -> None:
    """Change how long the callers of *store* wait; what the server allows stays as it is."""
    store._deadline_s = deadline_s  # pyright: ignore[reportPrivateUsage]  # only tests change it


async def test_a_server_that_no_longer_answers_holds_up_neither_calls_nor_the_end(
    postgres_url: str,
) -> None:
    async with silent_proxy(postgres_url) as proxy, opened(proxy.url) as store:
        await store.held(LEASE_S)
        proxy.silent = True
        give_up_after(store, 0.5)
        for _ in range(2):
            calls = [store.held(LEASE_S) for _ in range(6)]  # more than there are threads
            refused = await asyncio.gather(*calls, return_exceptions=True)
            assert [type(each) for each in refused] == [OperationsUnavailable] * 6
        proxy.silent = False
        give_up_after(store, PATIENCE_S)
        await eventually_answers(store)
        proxy.silent = True
        give_up_after(store, 0.5)
        async with asyncio.timeout(PATIENCE_S):
            await store.close()


async def test_connections_that_broke_while_idle_are_replaced(postgres_url: str) -> None:
    async with opened(postgres_url) as store:
        await asyncio.gather(*(store.held(LEASE_S) for _ in range(8)))
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        retries = counters_of(OPERATIONS_DRIVER).retries
        assert await store.held(LEASE_S) == set()
        assert counters_of(OPERATIONS_DRIVER).retries > retries


async def eventually_answers(store: PostgresOperations) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        try:
            assert await store.held(LEASE_S) == set()
        except OperationsUnavailable:
            assert asyncio.get_running_loop().time() < deadline
        else:
            return
