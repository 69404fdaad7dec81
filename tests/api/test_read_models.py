"""What readers are told while read models cannot be shown."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from api.app import create_app
from projections.catalog import PROJECTIONS
from projections.engine.progress import Progress
from projections.engine.projector import Projector
from projections.engine.sqlite.store import SQLiteReadStore
from runtime.system import System
from tests.api.stage import Person, client_of, done, log_in, refused


@pytest.fixture
async def other_store(tmp_path: Path) -> AsyncIterator[SQLiteReadStore]:
    """Give a read store in which nothing was projected yet."""
    store = SQLiteReadStore(tmp_path / "readmodels.db")
    yield store
    await store.close()


async def no_wait(timeout_s: float) -> None:
    """Stand for a wait that the test does not need."""


async def test_lists_of_read_models_in_the_making_say_how_far_they_are(
    system: System, ana: Person, other_store: SQLiteReadStore
) -> None:
    project = await ana.project()
    await ana.task(project)
    app = create_app(replace(system, read_store=other_store), Progress(other_store, system.log))
    client = client_of(app)
    headers = {"authorization": f"Bearer {await log_in(client, ana.email)}"}
    projector = Projector(PROJECTIONS, system.log, other_store, no_wait)
    projector.catch_up_max = 3

    path = f"/api/project/{project['id']}/tasks"
    first = refused(await client.get(path, headers=headers), 503, "rebuilding")
    await projector.step()
    then = refused(await client.get(path, headers=headers), 503, "rebuilding")
    created = await client.post(path, json={"title": "Meanwhile"}, headers=headers)
    ready = refused(await client.get("/health/ready"), 503, "not_ready")
    while await projector.step():
        pass
    listed = done(await client.get(path, headers=headers), 200)

    assert 0 == first["progress"] < then["progress"] < 1
    assert created.status_code == 201
    assert ready["checks"]["eventLog"] == "ok"
    assert re.fullmatch(r"rebuilding \(\d+%\)", ready["checks"]["readModels"])
    assert [one["title"] for one in listed["items"]] == ["Meanwhile", "Oil it"]
    await projector.release()
    await client.aclose()


async def test_a_read_store_that_does_not_answer_is_a_503_and_stops_no_command(
    system: System, ana: Person, tmp_path: Path
) -> None:
    project = await ana.project()
    store = SQLiteReadStore(tmp_path)  # a directory
    client = client_of(create_app(replace(system, read_store=store), Progress(store, system.log)))
    headers = {"authorization": f"Bearer {await log_in(client, ana.email)}"}
    path = f"/api/project/{project['id']}/tasks"

    created = await client.post(path, json={"title": "Meanwhile"}, headers=headers)
    refused(await client.get(path, headers=headers), 503, "unavailable")
    ready = refused(await client.get("/health/ready"), 503, "not_ready")

    assert created.status_code == 201
    assert ready["checks"]["readModels"] == "unavailable"
    await client.aclose()
    await store.close()
