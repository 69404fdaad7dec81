"""Backups of SQLite, by the contract."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.eventstore.backup.contract import BackupContract
from tests.eventstore.backup.move_contract import MoveContract

pytestmark = pytest.mark.servers


class TestSqlite(BackupContract, MoveContract):
    """Two files in a folder of their own each."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/one/events.db"

    @pytest.fixture
    def other_url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/two/events.db"

    @pytest.fixture
    def fresh(self) -> UUID:
        return uuid4()
