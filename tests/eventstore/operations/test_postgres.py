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
from tests.eventstore.operations.examples import LEASE_S, endpoint
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
async def opened(url: str, **bounds: float) -> AsyncGenerator[PostgresOperations]:
    store = PostgresOperations(url, **bounds)
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
        thawed.wait(timeout=30)

    thawed = threading.Event()
    async with (
        opened(postgres_url, deadline_s=2) as frozen,
        opened(postgres_url, deadline_s=10, lock_wait_s=10) as store,
    ):
        (w,) = await store.claim("one", LEASE_S, [endpoint()])
        with pytest.raises(OperationsUnavailable, match="did not answer"):
            await frozen._write(freeze)  # pyright: ignore[reportPrivateUsage]  # no call of ours freezes
        await store.write(w, Changes(fields={"fan": 1}))
        thawed.set()


async def test_a_server_that_no_longer_answers_holds_up_neither_calls_nor_the_end(
    postgres_url: str,
) -> None:
    async with silent_proxy(postgres_url) as proxy, opened(proxy.url, deadline_s=2) as store:
        await store.held(LEASE_S)
        proxy.silent = True
        for _ in range(2):
            calls = [store.held(LEASE_S) for _ in range(6)]  # more than there are threads
            refused = await asyncio.gather(*calls, return_exceptions=True)
            assert [type(each) for each in refused] == [OperationsUnavailable] * 6
        proxy.silent = False
        await eventually_answers(store)
        proxy.silent = True
        async with asyncio.timeout(10):
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
    deadline = asyncio.get_running_loop().time() + 10
    while True:
        try:
            assert await store.held(LEASE_S) == set()
        except OperationsUnavailable:
            assert asyncio.get_running_loop().time() < deadline
        else:
            return
