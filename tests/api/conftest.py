"""One system on real stores for all tests of the API, with running projectors."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from litestar import Litestar
from msgspec.structs import replace

from api.app import create_app
from projections.catalog import PROJECTIONS, ensure_indexes
from projections.engine.checkpoints import Pointers
from projections.engine.find import ReadModels
from projections.engine.progress import Progress
from projections.engine.projector import Projector
from runtime.settings import load_settings
from runtime.system import System, open_system
from security.passwords import HashingQueue, Passwords
from tests.api.stage import MovableClock, Person, sign_up

Make = Callable[..., Litestar]


@pytest.fixture(scope="session")
def the_clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def clock(the_clock: MovableClock) -> Iterator[MovableClock]:
    """Yield the clock of the system; it is reset after the test."""
    yield the_clock
    the_clock.ahead *= 0


@pytest.fixture(scope="session")
async def system(
    mongo_url: str, tmp_path_factory: pytest.TempPathFactory, the_clock: MovableClock
) -> AsyncIterator[System]:
    """Open a system with projectors; passwords are hashed at the lowest cost."""
    settings = load_settings(
        {
            "APP_ENV": "test",
            "MONGODB_URI": mongo_url,
            "MONGODB_DATABASE": "test_api",
            "DATA_DIR": str(tmp_path_factory.mktemp("api")),
            "RATE_LIMITS": "off",
            "LOG_LEVEL": "ERROR",
            "WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
        }
    )
    async with open_system(settings, the_clock) as opened:
        await opened.database.client.drop_database("test_api")
        await ensure_indexes(opened.database)
        quick = HashingQueue(Passwords(memory_kib=8, iterations=1), waiting_max=200)
        yield replace(opened, passwords=quick)
        quick.close()


@pytest.fixture(scope="session")
async def read_side(system: System) -> AsyncIterator[tuple[ReadModels, Progress]]:
    """Run the projectors in the background."""
    pointers = Pointers(system.database)
    progress = Progress(system.database, pointers)
    running: list[asyncio.Task[None]] = []
    for projection in PROJECTIONS:
        wait: Any = system.wakeups.wait
        projector = Projector(projection, system.log, system.database, wait, progress.note)
        running.append(asyncio.create_task(projector.run()))
    yield ReadModels(system.database, pointers), progress
    pending = set(running)
    while pending:  # the driver can lose a cancellation that meets the end of a transaction
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1)


@pytest.fixture(scope="session")
def make_app(system: System, read_side: tuple[ReadModels, Progress]) -> Make:
    """Return a function that makes applications on the system, optionally with other settings."""

    def make(**settings: Any) -> Litestar:
        changed = replace(system, settings=replace(system.settings, **settings))
        return create_app(changed, *read_side)

    return make


@pytest.fixture(scope="session")
def app(make_app: Make) -> Litestar:
    return make_app()


@pytest.fixture
async def ana(app: Litestar) -> AsyncIterator[Person]:
    """Sign up the ADMIN of a new organization."""
    person = await sign_up(app)
    yield person
    await person.client.aclose()


@pytest.fixture
async def dan(app: Litestar) -> AsyncIterator[Person]:
    """Sign up the ADMIN of another organization."""
    person = await sign_up(app)
    yield person
    await person.client.aclose()
