"""A log of several partitions, and a read store beside the one that is tested."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from projections.engine.sqlite.store import SQLiteReadStore
from projections.engine.store import ReadStore
from tests.projections.engine.partitions.projectors import (
    ORGANIZATIONS,
    PARTS,
    found,
)
from tests.projections.spec import a_busy_day
from tests.spec import opened


@pytest.fixture
async def log() -> AsyncIterator[EventLog]:
    """Give a log with events in all partitions."""
    async with opened(MemoryStore(parts=PARTS)) as log:
        await a_busy_day(log, seed=5)
        await found(log, ORGANIZATIONS)
        assert all([await log.last_position(part) for part in range(PARTS)])
        yield log


@pytest.fixture
async def reference(tmp_path: Path) -> AsyncIterator[ReadStore]:
    """Give an empty read store beside the one that is tested."""
    store = SQLiteReadStore(tmp_path / "reference.db")
    yield store
    await store.close()
