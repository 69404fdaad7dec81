"""A system whose log is in PostgreSQL, in several partitions, and its read models in MongoDB."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from litestar import Litestar
from msgspec.structs import replace
from pymongo import AsyncMongoClient

from api.app import create_app
from cli.migrate import migrate
from projections.engine.progress import Progress
from runtime.settings import load_settings
from runtime.system import System
from tests.api.conftest import DEADLINES, PATIENCE_S, Make, hashing_quickly, projecting
from tests.api.stage import MovableClock, Person, sign_up, unique
from tests.eventstore.conftest import postgres_server
from tests.name_server import Names

__all__ = ["postgres_server"]  # a fixture, found by its name
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs here as in need of servers."""
    for each in items:
        if _HERE in each.path.parents:
            each.add_marker(pytest.mark.servers)


@pytest.fixture(scope="session")
async def system(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: str,
    mongo_url: str,
    the_clock: MovableClock,
    names: Names,
) -> AsyncIterator[System]:
    name = unique("servers_")[:30]
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    log = urlsplit(postgres_server)._replace(path=f"/{name}").geturl() + "?partitions=4"
    await asyncio.to_thread(migrate, log)
    settings = load_settings(
        {
            "APP_ENV": "test",
            "DATA_DIR": str(tmp_path_factory.mktemp("servers")),
            "EVENTS_URL": log,
            "MONGODB_URI": mongo_url,
            "MONGODB_DATABASE": name,
            "RATE_LIMITS": "off",
            "LOG_LEVEL": "ERROR",
            "WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
            "DNS_SERVERS": names.address,
            **dict.fromkeys(DEADLINES, f"{PATIENCE_S}s"),
        }
    )
    async with hashing_quickly(settings, the_clock) as opened:
        yield opened
    if "MONGODB_TEST_URI" in os.environ:  # else the server goes, and dropping would take a minute
        async with AsyncMongoClient[dict[str, Any]](mongo_url) as client:
            await client.drop_database(name)


# What depends on the system is defined again, as pytest keeps fixtures of a session.


@pytest.fixture(scope="session")
async def read_side(system: System) -> AsyncIterator[Progress]:
    async with projecting(system) as progress:
        yield progress


@pytest.fixture(scope="session")
def make_app(system: System, read_side: Progress) -> Make:
    def make(**settings: Any) -> Litestar:
        changed = replace(system, settings=replace(system.settings, **settings))
        return create_app(changed, read_side)

    return make


@pytest.fixture(scope="session")
def app(make_app: Make) -> Litestar:
    return make_app()


@pytest.fixture
async def ana(app: Litestar) -> AsyncIterator[Person]:
    person = await sign_up(app)
    yield person
    await person.client.aclose()


@pytest.fixture
async def dan(app: Litestar) -> AsyncIterator[Person]:
    person = await sign_up(app)
    yield person
    await person.client.aclose()
