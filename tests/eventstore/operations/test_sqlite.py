"""Operational state in a SQLite file."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from eventstore.operations.sqlite import SqliteOperations
from tests.eventstore.operations.contract import OperationsContract


class TestSqliteOperations(OperationsContract):
    """The contract."""

    path: Path

    @pytest.fixture(autouse=True)
    def _beside_the_log(self, tmp_path: Path) -> None:
        self.path = tmp_path / "operations.db"

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[SqliteOperations]:
        store = SqliteOperations(str(self.path))
        await store.open()
        yield store
        await store.close()
