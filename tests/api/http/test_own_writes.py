"""Readers see their own writes in a log of several partitions, too."""

import asyncio
from collections.abc import AsyncIterator
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from msgspec.structs import replace

from api.app import create_app
from api.http.log_position import asked_position, shown_position
from projections.catalog import PROJECTIONS
from projections.engine.progress import Progress
from projections.engine.projector import Projector
from projections.engine.store import Rebuilding
from runtime.settings import Settings, load_settings
from runtime.system import open_system
from security.passwords import HashingQueue, Passwords
from tests.api.stage import DEADLINE_S, Person, client_of, done, refused, sign_up, unique


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give the settings of processes that share a log of eight partitions."""
    return load_settings(
        {
            "APP_ENV": "test",
            "DATA_DIR": str(tmp_path),
            "EVENTS_URL": f"sqlite:///{tmp_path / 'events.db'}?partitions=8",
            "RATE_LIMITS": "off",
            "LOG_LEVEL": "ERROR",
        }
    )


@pytest.fixture
async def partitioned(settings: Settings) -> AsyncIterator[Litestar]:
    """Give an application on that log, with a projector."""
    async with open_system(settings) as system:
        assert system.log.parts == 8
        quick = HashingQueue(Passwords(memory_kib=8, iterations=1))
        progress = Progress(system.read_store, system.log)
        wait: Any = system.wakeups.listener()
        projector = Projector(PROJECTIONS, system.log, system.read_store, wait, progress.note)
        running = asyncio.create_task(projector.run())
        await _serving(progress)
        yield create_app(replace(system, passwords=quick), progress)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        quick.close()


@pytest.fixture
async def neighbour(partitioned: Litestar, settings: Settings) -> AsyncIterator[Litestar]:
    """Give an application on that log without a projector, as in another process."""
    async with open_system(settings) as system:
        yield create_app(system)


async def _serving(progress: Progress) -> None:
    """Return once the projector has made the read models of the empty log."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                return await progress.refuse_unless_serving()
            except Rebuilding:
                await asyncio.sleep(0)


async def test_every_list_shows_the_last_write_whatever_partition_it_is_in(
    partitioned: Litestar,
) -> None:
    for _ in range(4):  # organizations in different partitions, of different lengths
        person = await sign_up(partitioned)
        for key in ("ENG", "OPS"):
            project = await person.project(key)
            created = await person.task(project)
            listed = done(await person.get(f"/project/{project['id']}/tasks"), 200)
            assert [task["id"] for task in listed["items"]] == [created["id"]]
        keys = [each["key"] for each in done(await person.get("/project"), 200)["items"]]
        assert keys == ["ENG", "OPS"]
        [member] = done(await person.get(f"/org/{person.org_id}/members"), 200)["items"]
        assert member["user"]["id"] == person.id
        assert len(done(await person.get("/auth/sessions"), 200)["items"]) == 1


async def test_lists_show_what_was_recorded_through_another_process(
    partitioned: Litestar, neighbour: Litestar
) -> None:
    """Neither header nor Redis tells the other process of it."""
    here = await sign_up(partitioned)
    there = copy(here)
    there.client = client_of(neighbour)
    project = await here.project("ENG")
    path = f"/project/{project['id']}/tasks"
    both, seen = (here, there), list[str]()

    for number in range(60):
        writer, reader = both[number % 2], both[1 - number % 2]
        seen.insert(0, (await writer.task(project))["id"])
        listed = done(await reader.get(path), 200)["items"]
        assert [task["id"] for task in listed] == seen[:50]

    done(await there.post("/org", {"name": "Second", "subdomain": unique()[:30]}), 201)
    organizations = done(await here.get("/user/me/organizations"), 200)["items"]
    assert len(organizations) == 2


async def test_a_position_is_waited_for_in_the_partition_of_the_organization(
    partitioned: Litestar, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, quiet = await sign_up(partitioned), await sign_up(partitioned)
    for number in range(4):
        await busy.project(f"P{number}")
    created = await quiet.post("/project", {"key": "ENG", "name": "Engine"})
    shown = int(created.headers["x-position"])
    position = asked_position(shown, parts=8, epoch=1)

    reached = await quiet.get("/project", headers={"x-min-position": str(shown)})
    monkeypatch.setattr("api.http.state._WAIT_S", 0.1)
    ahead = await _asking_for(quiet, position + 1, parts=8)

    assert position > 0
    assert len(done(reached, 200)["items"]) == 1
    refused(ahead, 503, "read_model_behind")


@pytest.mark.parametrize(("parts", "epoch"), [(1, 1), (64, 1), (8, 2)])
async def test_a_position_of_another_layout_of_the_log_is_not_waited_for(
    partitioned: Litestar, parts: int, epoch: int
) -> None:
    """As after a move to another number of partitions, or an accepted restore."""
    person = await sign_up(partitioned)

    done(await _asking_for(person, 10**9, parts, epoch), 200)


async def test_whatever_number_is_sent_is_answered(partitioned: Litestar) -> None:
    person = await sign_up(partitioned)
    another_layout = "9" * 16
    assert asked_position(int(another_layout), parts=8, epoch=1) == 0

    for sent in ("0", "7", another_layout):
        done(await person.get("/project", headers={"x-min-position": sent}), 200)
    for sent in ("-1", "1.5", "x", "9" * 17):
        for path in ("/project", "/auth/profile"):  # also where nothing waits for it
            answer = await person.get(path, headers={"x-min-position": sent})
            refused(answer, 400, "malformed_request")


async def test_a_change_of_an_account_alone_is_no_position_of_an_organization(
    partitioned: Litestar,
) -> None:
    person = await sign_up(partitioned)

    [session] = done(await person.get("/auth/sessions"), 200)["items"]
    ended = await person.delete(f"/auth/sessions/{session['id']}")

    assert ended.status_code == 204
    assert "x-position" not in ended.headers


async def _asking_for(person: Person, position: int, parts: int, epoch: int = 1) -> Any:
    shown = shown_position(position, parts, epoch)
    return await person.get("/project", headers={"x-min-position": str(shown)})
