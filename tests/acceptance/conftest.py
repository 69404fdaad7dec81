"""A running system on three servers, for every test that leaves it as healthy as it was."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from devstack.postgres import postgres
from tests.acceptance.customers import CLIENTS
from tests.acceptance.deployment import Deployment, deployment
from tests.acceptance.system import command_beside, environment

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"


@pytest.fixture(scope="session")
def servers() -> Iterator[Deployment]:
    with deployment() as deployed:
        yield deployed


@pytest.fixture(
    params=[SQLITE, pytest.param(POSTGRESQL, marks=pytest.mark.needs("postgresql"))],
)
def log_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Give the settings of processes that share an empty log, in either engine."""
    if request.param == SQLITE:
        yield {}
        return
    with postgres(tmp_path / "postgres") as server:
        settings = {"EVENTS_URL": server.url}
        migrated = command_beside(environment(tmp_path, **settings), "migrate")
        assert migrated.returncode == 0, migrated.stderr
        yield settings


@pytest.fixture(autouse=True)
async def closed_clients() -> AsyncIterator[None]:
    """Close what a failed test leaves open, or a later test fails for it."""
    yield
    while CLIENTS:
        await CLIENTS.pop().aclose()
