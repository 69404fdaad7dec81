"""The past is the same in every log that holds it, and needs no read model."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from msgspec.structs import replace

from api.app import create_app
from api.identity import past
from api.planning import past_board
from cli.migrate import migrate
from commands.past import board, moment, ordering, states
from eventstore.backup.open import open_database
from projections.catalog import PROJECTIONS
from projections.engine.progress import Progress
from projections.engine.projector import Projector
from runtime.settings import Settings, load_settings
from runtime.system import System, open_system
from security.passwords import HashingQueue, Passwords
from tests.api.conftest import until_serving
from tests.api.past.history import History, past_of
from tests.api.past.test_history import check_moment, had_history
from tests.api.stage import Person, client_of
from tests.eventstore.backup.filled import open_for_commands
from tests.eventstore.backup.steps import backed_up, restored
from tests.eventstore.conftest import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]  # fixtures, found by their names

STEPS = [
    *[("create", 0, n) for n in range(4)],
    ("below", 0, 1),
    *[("status", n, n + 1) for n in range(4)],
    *[("title", 0, 1), ("delete", 1, 0), ("move", 2, 1), ("rank", 3, 0), ("rekey", 0, 3)],
    *[("restore", 1, 0), ("workflow", 0, 0), ("organization", 0, 2), ("role", 0, 1)],
]


def settings_of(directory: Path, url: str) -> Settings:
    """Return the settings of a process on a log, with read models of its own."""
    asked = {"APP_ENV": "test", "DATA_DIR": str(directory), "EVENTS_URL": url}
    return load_settings({**asked, "RATE_LIMITS": "off", "LOG_LEVEL": "ERROR"})


def another(directory: Path, url: str) -> Settings:
    """Return the settings of a process with the same keys, and no read models."""
    other = directory / "other"
    other.mkdir()
    shutil.copy(directory / "secrets.json", other)
    return settings_of(other, url)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[tuple[Litestar, System]]:
    """Serve a log, with a projector."""
    async with open_system(settings) as system:
        quick = HashingQueue(Passwords(memory_kib=8, iterations=1))
        progress = Progress(system.read_store, system.log)
        wait: Any = system.wakeups.listener()
        projector = Projector(PROJECTIONS, system.log, system.read_store, wait, progress.note)
        running = asyncio.create_task(projector.run())
        await until_serving(progress)
        yield create_app(replace(system, passwords=quick), progress), system
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        quick.close()


async def check_elsewhere(settings: Settings, history: History) -> None:
    """Check that a process without read models shows the same past."""
    async with open_system(settings) as system:
        person = history.ana
        profile = {"id": person.id, "organizationId": person.org_id}
        async with client_of(create_app(system)) as client:
            same = Person(client, person.email, profile, person.token)
            for snapshot in history.snapshots:
                for path, known in snapshot.shown.items():
                    if known is not None:
                        assert await past_of(same, path, snapshot.seq) == known


async def check_log(settings: Settings) -> History:
    """Check the past of a random organization in a log; return what became of it."""
    async with serving(settings) as (app, system):
        history = await had_history(app, system, STEPS)
        assert len(history.snapshots) > len(STEPS) // 2
        for snapshot in history.snapshots:
            await check_moment(history, snapshot, snapshot.seq)
        return history


async def test_a_log_of_several_partitions(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'events.db'}?partitions=8"
    history = await check_log(settings_of(tmp_path, url))

    await check_elsewhere(another(tmp_path, url), history)


async def test_a_log_that_was_restored_from_a_backup(tmp_path: Path) -> None:
    url, other = (f"sqlite:///{tmp_path / name}.db" for name in ("events", "other"))
    history = await check_log(settings_of(tmp_path, url))

    restored(backed_up(url, tmp_path / "backup"), other)
    open_for_commands(other)

    with closing(open_database(other)) as database:
        assert database.summary()
    await check_elsewhere(another(tmp_path, other), history)


async def test_a_log_that_is_read_in_small_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces: dict[Any, Sequence[str]] = {
        moment: ("BLOCK",),
        states: ("STREAM_PIECE",),
        board: ("NUMBERS_PIECE", "ROWS_PIECE"),
        ordering: ("SORT_PIECE",),
        past: ("EVENTS_PIECE",),
        past_board: ("TASKS_PIECE",),
    }
    for module, names in pieces.items():
        for name in names:
            monkeypatch.setattr(module, name, 2)

    await check_log(settings_of(tmp_path, f"sqlite:///{tmp_path / 'events.db'}"))


@pytest.fixture
def migrated_url(postgres_url: str) -> str:
    migrate(postgres_url)
    return postgres_url


async def test_a_log_on_postgresql(tmp_path: Path, migrated_url: str) -> None:
    history = await check_log(settings_of(tmp_path, migrated_url))

    await check_elsewhere(another(tmp_path, migrated_url), history)
