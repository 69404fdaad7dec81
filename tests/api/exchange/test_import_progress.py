"""An import goes on behind the answer, and tells how far it is."""

import asyncio
import json
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from litestar import Litestar

from api.exchange.tasks.import_lease import ImportLease, ImportLost
from api.exchange.tasks.progress import (
    IMPORT_SILENT_MAX,
    ImportJournal,
    RefusedLine,
    done_of,
    render_import,
)
from api.exchange.tasks.resuming import InterruptedImports
from api.exchange.tasks.run import Item
from api.http.request import ApiRequest
from domain.identity.organization.membership import Role
from eventstore.identifiers import new_id
from eventstore.operations.records import ImportProgress, ImportState
from files.store import FilesUnavailable
from runtime.system import System
from tests.api.conftest import Make
from tests.api.connection.serving import eventually
from tests.api.exchange.streams import member
from tests.api.exchange.task_files import imported, in_lines, origins, until_ended
from tests.api.stage import Json, Person, another_device, done, refused
from tests.domain.spec import NOW, SECOND


def requests_of(app: Litestar) -> type[ApiRequest]:
    assert issubclass(app.request_class, ApiRequest)
    return app.request_class


def running(at: datetime, **about: Any) -> ImportProgress:
    return ImportProgress(
        id=new_id().hex,
        org="o",
        project="p",
        correlation_id="c",
        lines=9,
        started_at=at,
        updated_at=at,
        **about,
    )


async def test_an_import_goes_on_behind_the_answer_and_is_told_of_to_who_sees_the_project(
    app: Litestar, system: System, ana: Person
) -> None:
    project = await ana.project()
    ben = await member(app, system, ana, Role.MEMBER)
    lines = in_lines(*({"id": f"{n}", "title": "Many"} for n in range(200)))

    response = await ana.ask("POST", f"/project/{project['id']}/import", content=lines)
    begun = done(response, 202)
    ended = await until_ended(ana, begun["importId"])

    assert (begun["state"], begun["done"], begun["all"]) == ("RUNNING", 50, 200)
    assert (ended["state"], ended["done"], ended["created"]) == ("DONE", 200, 200)
    path = f"/import/{begun['importId']}"
    assert done(await ben.get(path), 200) == ended
    done(await ana.patch(f"/project/{project['id']}", {"visibility": "PRIVATE"}), 200)
    refused(await ben.get(path), 404, "not_found")
    refused(await ana.get(f"/import/{uuid4()}"), 404, "not_found")


async def test_an_import_stops_when_the_project_takes_no_more_tasks(
    ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    lines = in_lines(*({"id": f"{n}", "title": "Many"} for n in range(200)))
    add = ImportJournal.add

    async def add_and_hold(self: ImportJournal, items: list[Item]) -> None:
        await add(self, items)
        if self.progress.created == 100:
            done(await ana.post(f"/project/{project['id']}/hold"), 200)

    monkeypatch.setattr(ImportJournal, "add", add_and_hold)
    response = await ana.ask("POST", f"/project/{project['id']}/import", content=lines)
    ended = await until_ended(ana, done(response, 202)["importId"])

    assert (ended["state"], ended["code"], ended["done"]) == ("STOPPED", "project_on_hold", 100)


async def interrupted(
    app: Litestar, ana: Person, path: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> Json:
    """Return an import whose process ended after 100 lines, of which one may wait for a parent."""
    add, reached = ImportJournal.add, asyncio.Event()

    async def add_and_hang(self: ImportJournal, items: list[Item]) -> None:
        await add(self, items)
        if done_of(self.progress) >= 99:
            reached.set()
            await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(ImportJournal, "add", add_and_hang)
        begun = done(await ana.ask("POST", path, content=body), 202)
        await asyncio.wait_for(reached.wait(), 30)
        await requests_of(app).api.background.close()
    ended: Json = done(await ana.get(f"/import/{begun['importId']}"), 200)
    assert (ended["state"], ended["code"]) == ("RUNNING", None)
    assert ended["done"] in (99, 100)
    return ended


async def test_an_import_stops_with_its_process_and_can_be_sent_again(
    app: Litestar, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    lines = in_lines(*({"id": f"{n}", "title": "Many"} for n in range(200)))

    await interrupted(app, ana, f"/project/{project['id']}/import", lines, monkeypatch)
    _, again = await imported(ana, project, lines)

    assert (again["created"], again["unchanged"]) == (100, 100)


async def test_an_import_that_stopped_goes_on_without_its_file_being_sent_again(
    app: Litestar, system: System, ana: Person, dan: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    ben = await member(app, system, ana, Role.MEMBER)
    mapping = quote(json.dumps({"columns": {"Name": "title"}}))
    table = "id;Name\r\n" + "".join(f'{n};"Größe; {n}"\r\n' for n in range(200))
    path = f"/project/{project['id']}/import?format=csv&mapping={mapping}"
    stopped = await interrupted(app, ana, path, table.encode(), monkeypatch)
    resume = f"/import/{stopped['importId']}/resume"

    refused(await dan.post(resume), 404, "not_found")
    refused(await ben.post(resume), 403, "too_many_tasks")
    done(await ana.post(f"/project/{project['id']}/hold"), 200)
    refused(await ana.post(resume), 409, "project_on_hold")
    done(await ana.post(f"/project/{project['id']}/resume"), 200)
    done(await ana.post(f"/project/{project['id']}/archive"), 200)
    refused(await ana.post(resume), 409, "project_archived")
    done(await ana.post(f"/project/{project['id']}/unarchive"), 200)
    with monkeypatch.context() as patch:
        patch.setattr("api.upload.UPLOADS_PER_USER_MAX", 0)
        refused(await ana.post(resume), 503, "busy")
    begun = await ana.post(resume)
    ended = await until_ended(ana, done(begun, 202)["importId"])

    assert begun.headers["location"] == f"/api/import/{stopped['importId']}"
    assert (ended["state"], ended["created"], ended["unchanged"]) == ("DONE", 200, 0)
    assert ended["correlationId"] != stopped["correlationId"]
    refused(await ana.post(resume), 409, "import_not_stopped")
    await eventually(lambda: not [*(system.settings.data_dir / "files").rglob(stopped["importId"])])


async def test_an_import_whose_file_is_gone_has_to_be_sent_again(
    app: Litestar, system: System, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    lines = in_lines(*({"id": f"{n}", "title": "Many"} for n in range(200)))
    path = f"/project/{project['id']}/import"
    stopped = await interrupted(app, ana, path, lines, monkeypatch)
    [kept] = (system.settings.data_dir / "files").rglob(stopped["importId"])
    kept.unlink()

    refused(await ana.post(f"/import/{stopped['importId']}/resume"), 410, "import_file_gone")


async def test_an_import_goes_on_although_its_file_cannot_be_kept(
    app: Litestar, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def put(*_: Any) -> None:
        raise FilesUnavailable("down")

    assert issubclass(app.request_class, ApiRequest)
    monkeypatch.setattr(app.request_class.api.files, "put", put)
    lines = in_lines(*({"id": f"{n}", "title": "Many"} for n in range(60)))

    _, ended = await imported(ana, await ana.project(), lines)

    assert (ended["state"], ended["created"]) == ("DONE", 60)


async def test_an_import_whose_process_ended_goes_on_once_however_many_processes_look(
    app: Litestar, make_app: Make, system: System, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    tasks = [{"id": f"{n}", "title": "Many"} for n in range(200)]
    tasks[3]["title"] = ""
    tasks[7]["parent"] = "150"
    await imported(ana, project, in_lines(*tasks[10:20]))
    path = f"/project/{project['id']}/import"
    begun = await interrupted(app, ana, path, in_lines(*tasks), monkeypatch)
    others = [make_app(), make_app()]

    await asyncio.gather(*(InterruptedImports(requests_of(each)).go_on() for each in others))
    shown = done(await ana.get(f"/import/{begun['importId']}"), 200)
    ended = await until_ended(ana, begun["importId"])

    assert shown["done"] >= begun["done"]
    assert (ended["state"], ended["code"], ended["startedAt"]) == (
        "DONE",
        None,
        begun["startedAt"],
    )
    assert (ended["created"], ended["unchanged"], len(ended["refused"])) == (189, 10, 1)
    assert len(await origins(ana, project)) == 199
    created = done(await ana.get("/audit?type=task.created&limit=1"), 200)
    assert created["items"][0]["correlationId"] == begun["correlationId"]
    await eventually(lambda: not [*(system.settings.data_dir / "files").rglob(begun["importId"])])
    for each in others:
        await requests_of(each).api.background.close()


async def test_an_import_does_not_go_on_for_somebody_who_logged_out(
    app: Litestar, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    lines = in_lines(*({"id": f"{n}", "title": "Many"} for n in range(200)))
    begun = await interrupted(app, ana, f"/project/{project['id']}/import", lines, monkeypatch)
    done(await ana.post("/auth/logout"), 204)

    await InterruptedImports(requests_of(app)).go_on()

    found = await requests_of(app).api.system.operations.import_of(ana.org_id, begun["importId"])
    assert found is not None
    assert (found.state, found.code, found.created) == (ImportState.STOPPED, "unauthorized", 100)


async def test_an_import_does_not_go_on_in_a_project_on_hold_or_without_its_file(
    app: Litestar, system: System, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, other = await ana.project(), await ana.project("OPS")
    lines = in_lines(*({"id": f"{n}", "title": "Many"} for n in range(200)))
    begun = [
        await interrupted(app, ana, f"/project/{each['id']}/import", lines, monkeypatch)
        for each in (held, other)
    ]
    done(await ana.post(f"/project/{held['id']}/hold"), 200)
    [kept] = (system.settings.data_dir / "files").rglob(begun[1]["importId"])
    kept.unlink()

    await InterruptedImports(requests_of(app)).go_on()
    ended = [await until_ended(ana, each["importId"]) for each in begun]

    assert [each["code"] for each in ended] == ["project_on_hold", "import_file_gone"]
    assert [each["done"] for each in ended] == [100, 100]


async def test_an_import_that_an_api_key_began_goes_on_while_the_key_is_good(
    app: Litestar, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    scopes = {"task": ["read", "create"], "project": ["read"]}
    key = done(await ana.post("/apikey", {"name": "Import", "scopes": scopes}), 201)
    known = {"id": ana.id, "organizationId": ana.org_id}
    by_key = Person(another_device(ana), ana.email, known, key["key"])
    lines = in_lines(*({"id": f"{n}", "title": "Many"} for n in range(200)))
    path = f"/project/{project['id']}/import"
    begun = await interrupted(app, by_key, path, lines, monkeypatch)

    await InterruptedImports(requests_of(app)).go_on()
    ended = await until_ended(ana, begun["importId"])

    assert (ended["state"], ended["created"]) == ("DONE", 200)


async def test_of_two_runs_of_an_import_only_the_one_with_the_lease_tells_of_it(
    system: System,
) -> None:
    progress = running(system.clock(), created=3)
    one, two = (ImportLease(system.operations, progress.id) for _ in range(2))
    journal = ImportJournal(system, progress, one)
    assert await one.take()
    assert not await two.take()
    await one.drop()
    assert await two.take()

    for tell in (journal.pause, journal.end):
        with pytest.raises(ImportLost):
            await tell()

    assert await system.operations.import_of(progress.org, progress.id) is None
    await two.drop()


def test_an_import_that_is_silent_for_long_has_ended_with_its_process() -> None:
    progress = running(NOW, refused=1, refusals={"2": "invalid_line"})

    alive = render_import(progress, NOW + IMPORT_SILENT_MAX)
    dead = render_import(progress, NOW + IMPORT_SILENT_MAX + SECOND)

    assert (alive.state, alive.code, alive.done) == (ImportState.RUNNING, None, 1)
    assert (dead.state, dead.code) == (ImportState.STOPPED, "interrupted")
    assert dead.refused == [RefusedLine(2, "invalid_line")]
