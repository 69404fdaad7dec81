"""The responses to readers while read models cannot be shown."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from litestar import Litestar
from msgspec.structs import replace

from api.app import create_app
from commands.handler import CommandHandler
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
    projector.catch_up_max = max(3, await system.log.last_position() // 10)

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


async def test_one_thing_is_shown_as_it_is_now_whatever_the_read_models_say(
    system: System, ana: Person, tmp_path: Path
) -> None:
    project = await ana.project()
    task = await ana.task(project)
    hook = done(await ana.post("/webhook", {"url": "https://example.com", "events": ["*"]}), 201)
    organization = done(await ana.get("/auth/profile"), 200)["organizationId"]
    store = SQLiteReadStore(tmp_path)  # a directory, so it never answers
    other = replace(system, read_store=store, commands=CommandHandler(system.log))
    client = client_of(create_app(other, Progress(store, system.log)))
    headers = {"authorization": f"Bearer {await log_in(client, ana.email)}"}
    things = {
        f"/task/{task['id']}": {"title": "Grease it"},
        f"/project/{project['id']}": {"name": "Elsewhere"},
        f"/webhook/{hook['id']}": {"description": "For the tests"},
        f"/org/{organization}": {"name": "Renamed"},
    }

    for path, change in things.items():
        before = done(await client.get(f"/api{path}", headers=headers), 200)
        told = done(await ana.patch(path, change), 200)  # through another process
        now = done(await client.get(f"/api{path}", headers=headers), 200)

        assert now.items() >= told.items()
        assert now["version"] == before["version"] + 1
    done(await ana.delete(f"/project/{project['id']}"), 204)
    refused(await client.get(f"/api/project/{project['id']}", headers=headers), 404, "not_found")
    refused(await client.get(f"/api/task/{task['id']}", headers=headers), 404, "not_found")
    await client.aclose()
    await store.close()


async def test_a_task_its_project_and_its_reader_are_looked_up_at_once(
    system: System, app: Litestar, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await ana.task(await ana.project())
    looks: list[int] = []
    heads = system.log.store.heads

    def counted(streams: Sequence[UUID], part: int = 0) -> dict[UUID, int]:
        looks.append(len(streams))
        return heads(streams, part)

    monkeypatch.setattr(system.log.store, "heads", counted)
    done(await ana.get(f"/task/{task['id']}"), 200)
    assert looks == []  # nobody else has written

    monkeypatch.setattr(system.log.store, "mark", lambda: (-1,))  # as if somebody had
    await asyncio.sleep(0)  # in one turn of the event loop that is asked once
    done(await ana.get(f"/task/{task['id']}"), 200)
    assert looks == [5]  # session, user, organization, task, project
