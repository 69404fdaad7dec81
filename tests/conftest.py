"""Servers for the tests that need one: started once, with a new database for each test."""

import gc
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, settings
from pymongo import AsyncMongoClient, pool_shared
from pymongo.asynchronous.database import AsyncDatabase

from devstack.mongo import mongo
from tests import one_sqlite
from tests.exchanges import check
from tests.recorder import RECORDER
from tests.spec import RUNNER

settings.register_profile(
    "patient", settings(), deadline=None, suppress_health_check=(HealthCheck.too_slow,)
)
"""How fast an example is depends on what else the machine does, and is not what is tested."""
settings.load_profile("patient")
settings.register_profile("quick", settings(), max_examples=25, stateful_step_count=25)
"""Used by ``make unit``; ``make test`` tries 100 examples of each property."""

one_sqlite.watch()

gc.disable()  # while the tests are collected, which leaves little garbage


@pytest.fixture(scope="session", autouse=True)
def checked_exchanges() -> Iterator[None]:
    """Check what every test sends to the API and gets from it against the OpenAPI description."""
    send = httpx.AsyncClient.send

    async def checked(client: httpx.AsyncClient, request: Any, **about: Any) -> httpx.Response:
        response = await send(client, request, **about)
        if response.is_closed:  # not a stream that is still being read
            check(request, response)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx.AsyncClient, "send", checked)
        yield
    RECORDER.write()


class ClosedSocket(socket.socket):
    """A socket that nobody needs to close."""

    def __del__(self) -> None:
        self.close()


@pytest.fixture(scope="session", autouse=True)
def sockets_of_pymongo() -> Iterator[None]:
    """Close the sockets that PyMongo 4.20 forgets when a client is closed while it connects.

    Otherwise the warning about one of them fails whichever test runs at the time. Reported as
    PYTHON-5867.
    """
    module = SimpleNamespace(**(vars(socket) | {"socket": ClosedSocket}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool_shared, "socket", module)
        yield


@pytest.fixture(scope="session")
def mongo_url() -> Iterator[str]:
    """Give the server named by MONGODB_TEST_URI, else the best that this machine can start."""
    if named := os.environ.get("MONGODB_TEST_URI"):
        yield named
        return
    top = Path(tempfile.mkdtemp(prefix="mongo-"))
    top.chmod(0o755)
    with mongo(top / "server") as server:
        yield server.url
    shutil.rmtree(top)


@pytest.fixture(scope="session")
async def mongo_client(mongo_url: str) -> AsyncIterator[AsyncMongoClient[dict[str, Any]]]:
    """Open one client for the session's event loop."""
    client = AsyncMongoClient[dict[str, Any]](mongo_url, tz_aware=True)
    yield client
    await client.close()


@pytest.fixture
async def database(
    mongo_client: AsyncMongoClient[dict[str, Any]],
) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
    """Yield an empty database, dropped afterwards."""
    name = f"test_{uuid4().hex[:12]}"
    yield mongo_client[name]
    await mongo_client.drop_database(name)


SERVERS = {
    *("mongo_url", "postgres_server", "redis_url", "data_dir", "receiver", "system"),
    *("authority", "partitioned"),
}
"""Fixtures that start a server or open a whole system on disk; a test that uses one, even
indirectly, is not a unit test."""


AT_THE_END = {"test_records.py", "test_declared_failures.py"}
"""Files whose tests look at what the others have recorded."""

POSTGRESQL = {"postgres_server", "postgres_url"}
"""Fixtures of PostgreSQL, which is not on every machine."""

ACCEPTANCE_TIMEOUT_S = 300
"""How long a test of real processes may take: they start, are killed and catch up again."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a server, so that the others can be run alone in seconds.

    Tests of the whole product get the time that real processes take. What looks at what all other
    tests have seen comes after them.
    """
    items.sort(key=lambda item: item.path.name in AT_THE_END)
    for item in items:
        if SERVERS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.servers)
        if POSTGRESQL & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.needs("postgresql"))
        if item.get_closest_marker("acceptance") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(ACCEPTANCE_TIMEOUT_S))


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of every garbage collection; collect less often."""
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


def pytest_unconfigure() -> None:
    """Close what tests without a loop of their own ran on, while threads can still be started."""
    RUNNER.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, Any]:
    """Fail a test in CI that was skipped because a program is missing there."""
    report = yield
    needs = item.get_closest_marker("needs")
    if report.skipped and needs is not None and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped, but CI must have {', '.join(needs.args)}: {report.longrepr}"
    return report
