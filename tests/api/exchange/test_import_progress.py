"""An import goes on behind the answer, and tells how far it is."""

import json
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from litestar import Litestar

from api.exchange.tasks.progress import (
    IMPORT_SILENT_MAX,
    ImportJournal,
    RefusedLine,
    render_import,
)
from api.exchange.tasks.run import Item
from api.http.request import ApiRequest
from domain.identity.organization.membership import Role
from eventstore.operations.records import ImportState
from files.store import FilesUnavailable
from runtime.system import System
from tests.api.connection.serving import eventually
from tests.api.exchange.streams import member
from tests.api.exchange.task_files import imported, in_lines, until_ended
from tests.api.exchange.tasks.interrupting import interrupted, running
from tests.api.stage import Person, done, refused
from tests.domain.spec import NOW, SECOND


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


def test_an_import_that_is_silent_for_long_has_ended_with_its_process() -> None:
    progress = running(NOW, refused=1, refusals={"2": "invalid_line"})

    alive = render_import(progress, NOW + IMPORT_SILENT_MAX)
    dead = render_import(progress, NOW + IMPORT_SILENT_MAX + SECOND)

    assert (alive.state, alive.code, alive.done) == (ImportState.RUNNING, None, 1)
    assert (dead.state, dead.code) == (ImportState.STOPPED, "interrupted")
    assert dead.refused == [RefusedLine(2, "invalid_line")]
