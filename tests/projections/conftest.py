"""Every adapter of the read-model port, empty: each test of the engine runs on all of them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from projections.engine.mongo.store import MongoReadStore
from projections.engine.sqlite.store import SQLiteReadStore
from projections.engine.store import ReadStore
from tests.projections.stores import Opened


@pytest.fixture(params=["sqlite", pytest.param("mongo", marks=pytest.mark.servers)])
async def opened_stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened]:
    """Give a maker of connections to one empty database, by this and other processes."""
    if request.param == "sqlite":
        opened = Opened(lambda: SQLiteReadStore(tmp_path / "readmodels.db", timeout_s=5))
        yield opened
        await opened.close()
        return
    url = request.getfixturevalue("mongo_url")
    name = f"test_{tmp_path.name}"[:50].replace(".", "_")
    opened = Opened(lambda: MongoReadStore(url, name, timeout_s=10))
    yield opened
    await opened.close()
    async with AsyncMongoClient[dict[str, Any]](url) as client:
        await client.drop_database(name)


@pytest.fixture
def store(opened_stores: Opened) -> ReadStore:
    """Give one connection to an empty read store."""
    return opened_stores.another()
