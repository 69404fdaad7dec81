"""Operational state in PostgreSQL."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from eventstore.operations.postgres import PostgresOperations
from tests.eventstore.operations.contract import OperationsContract

pytestmark = pytest.mark.servers


class TestPostgresOperations(OperationsContract):
    """The contract."""

    url: str

    @pytest.fixture(autouse=True)
    def _database(self, postgres_url: str) -> None:
        self.url = postgres_url

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[PostgresOperations]:
        store = PostgresOperations(self.url)
        await store.open()
        try:
            yield store
        finally:
            await store.close()
