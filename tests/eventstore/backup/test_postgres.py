"""Backups of PostgreSQL by the contract, and from each engine to the other."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.eventstore.backup.contract import BackupContract
from tests.eventstore.backup.filled import contents, fill, open_for_commands
from tests.eventstore.backup.move_contract import MoveContract
from tests.eventstore.backup.steps import backed_up, restored

pytestmark = pytest.mark.servers


class TestPostgres(BackupContract, MoveContract):
    """Two databases of one server."""

    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url

    @pytest.fixture
    def other_url(self, postgres_server: str) -> Iterator[str]:
        name = f"log_{uuid4().hex[:12]}"
        with psycopg.connect(postgres_server, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}".encode())
            yield urlsplit(postgres_server)._replace(path=f"/{name}").geturl()
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    @pytest.fixture
    def fresh(self) -> UUID:
        return uuid4()


def test_sqlite_to_postgres_and_back_changes_no_row(postgres_url: str, tmp_path: Path) -> None:
    first, last = (f"sqlite:///{tmp_path}/{name}/events.db" for name in ("first", "last"))
    fill(first, commands=300)
    before = contents(first)

    restored(backed_up(first, tmp_path / "to-postgres"), postgres_url)
    open_for_commands(postgres_url)
    assert contents(postgres_url) == before

    restored(backed_up(postgres_url, tmp_path / "to-sqlite"), last)
    assert contents(last) == before
