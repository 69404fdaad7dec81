"""A Redis, settings and a stage for the tests of worker processes."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devstack.redis import redis
from runtime.settings import Settings
from tests.deliveries.conftest import receiver
from tests.workers.stage import Stage, opened_stage, settings_in

__all__ = ["receiver"]  # a fixture, found by its name


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Start a Redis for the session."""
    with _open_dir() as top, redis(top / "server") as server:
        yield server.url


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """Give a directory that any account can enter; pytest's own are closed to all but us."""
    with _open_dir() as top:
        yield top


@contextmanager
def _open_dir() -> Iterator[Path]:
    top = Path(tempfile.mkdtemp(prefix="redis-"))
    top.chmod(0o755)
    yield top
    shutil.rmtree(top)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give settings with an empty log, no Redis and a MongoDB that nobody can reach."""
    return settings_in(tmp_path)


@pytest.fixture
async def stage(settings: Settings) -> AsyncIterator[Stage]:
    async with opened_stage(settings) as stage:
        yield stage
