"""One system on real stores for all tests of the API, with running projectors."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from litestar import Litestar
from msgspec.structs import replace

from api.app import create_app
from projections.catalog import PROJECTIONS
from projections.engine.progress import Progress
from projections.engine.projector import Projector
from projections.engine.store import Rebuilding
from runtime.settings import Settings, load_settings
from runtime.system import System, open_system
from security.passwords import HashingQueue, Passwords
from tests.api.stage import MovableClock, Person, sign_up
from tests.name_server import Names, name_server

Make = Callable[..., Litestar]
PATIENCE_S = 30
"""How long a store may take on a busy machine before a test fails; the most that can be set."""
DEADLINES = ("EVENTS_DEADLINE", "OPERATIONS_DEADLINE", "READ_MODELS_DEADLINE", "REDIS_DEADLINE")
SERVING_S = 30.0
POLL_S = 0.01


@pytest.fixture(scope="session")
def the_clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def clock(the_clock: MovableClock) -> Iterator[MovableClock]:
    """Yield the clock of the system; it is reset after the test."""
    yield the_clock
    the_clock.ahead *= 0


@pytest.fixture(scope="session", autouse=True)
def patient_lists() -> Iterator[None]:
    """Have lists wait for the read models as long as a busy machine may need."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("api.http.state._WAIT_S", PATIENCE_S)
        yield


@pytest.fixture(scope="session")
def names() -> Iterator[Names]:
    """Run the DNS server that the system asks."""
    with name_server() as running:
        yield running


@pytest.fixture(scope="session")
async def system(
    tmp_path_factory: pytest.TempPathFactory, the_clock: MovableClock, names: Names
) -> AsyncIterator[System]:
    """Open a system with projectors; passwords are hashed at the lowest cost."""
    settings = load_settings(
        {
            "APP_ENV": "test",
            "DATA_DIR": str(tmp_path_factory.mktemp("api")),
            "RATE_LIMITS": "off",
            "LOG_LEVEL": "ERROR",
            "WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
            "DNS_SERVERS": names.address,
            **dict.fromkeys(DEADLINES, f"{PATIENCE_S}s"),
        }
    )
    async with hashing_quickly(settings, the_clock) as opened:
        yield opened


@pytest.fixture(scope="session")
async def read_side(system: System) -> AsyncIterator[Progress]:
    """Project in the background and tell the readers how far that is."""
    async with projecting(system) as progress:
        yield progress


@contextlib.asynccontextmanager
async def hashing_quickly(settings: Settings, clock: MovableClock) -> AsyncIterator[System]:
    """Open a system in which a password takes no time."""
    async with open_system(settings, clock) as opened:
        quick = HashingQueue(Passwords(memory_kib=16, iterations=1), waiting_max=200)
        yield replace(opened, passwords=quick)
        quick.close()


@contextlib.asynccontextmanager
async def projecting(system: System) -> AsyncIterator[Progress]:
    """Project in the background during the block; give how far that is."""
    progress = Progress(system.read_store, system.log)
    wait: Any = system.wakeups.listener()
    projector = Projector(PROJECTIONS, system.log, system.read_store, wait, progress.note)
    running = asyncio.create_task(projector.run())
    await until_serving(progress)
    yield progress
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def until_serving(progress: Progress) -> None:
    """Wait until lists are answered; before, each would be a 503."""
    async with asyncio.timeout(SERVING_S):
        while True:
            with contextlib.suppress(Rebuilding):
                await progress.refuse_unless_serving()
                return
            await asyncio.sleep(POLL_S)


@pytest.fixture(scope="session")
def make_app(system: System, read_side: Progress) -> Make:
    """Return a function that makes applications on the system, optionally with other settings."""

    def make(**settings: Any) -> Litestar:
        changed = replace(system, settings=replace(system.settings, **settings))
        return create_app(changed, read_side)

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
