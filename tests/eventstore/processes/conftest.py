"""Logs that several processes write to."""

from contextlib import closing
from pathlib import Path

import pytest

from eventstore.postgres import PostgresStore


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of a log, in a file and in a database with partitions."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'log.db'}"
    address: str = request.getfixturevalue("postgres_url")
    with closing(PostgresStore(address, parts=8)) as store:
        store.create()
    return address
