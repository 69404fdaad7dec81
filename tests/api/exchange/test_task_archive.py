"""A project leaves with the contents of its files as an archive, and comes in again."""

import io
import json
from collections.abc import Callable
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import pytest
from litestar import Litestar

from api.exchange.tasks.attaching import Attaching
from api.http.request import ApiRequest
from commands.exchange.import_piece import ImportedContents
from runtime.system import System
from tests.api.exchange.archives import A, archive_of, file_line, packed, unpacked
from tests.api.exchange.task_files import (
    fields_in,
    full_project,
    head_of,
    imported,
    in_lines,
    rehearsed,
    until_ended,
    without_keys,
)
from tests.api.stage import Json, Person, done, sign_up

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(50)
BIG = bytes(range(256)) * 9_000  # more than one piece


async def stored_files(app: Litestar, person: Person) -> set[str]:
    """Return the paths of the files of somebody's organization; others may store some meanwhile."""
    assert issubclass(app.request_class, ApiRequest)
    paths = [each.key.path async for each in app.request_class.api.files.files()]
    return {path for path in paths if path.startswith(f"{person.org_id}/")}


async def files_at(person: Person, task: Json) -> list[Json]:
    found: list[Json] = done(await person.get(f"/task/{task['id']}/attachments"), 200)["items"]
    return found


async def project_with_files(app: Litestar, system: System, ana: Person) -> tuple[Json, Person]:
    project, ben = await full_project(app, system, ana)
    tasks = done(await ana.get(f"/project/{project['id']}/tasks"), 200)["items"]
    for task, name, content, kind in (
        (tasks[0], "pläne/a b.txt", "Öl".encode(), "text/plain"),
        (tasks[0], "pic.png", PNG, "image/png"),
        (tasks[2], "pläne/a b.txt", BIG, "application/octet-stream"),
        (tasks[2], "none", b"", "text/plain"),
    ):
        disposition = f"attachment; filename*=UTF-8''{name.replace(' ', '%20')}"
        headers = {"content-disposition": disposition.encode(), "content-type": kind.encode()}
        path = f"/task/{task['id']}/attachments"
        done(await ben.ask("POST", path, content=content, headers=headers), 201)
    return project, ben


async def test_an_archive_comes_into_another_organization_as_an_equal_project(
    app: Litestar, system: System, ana: Person
) -> None:
    project, ben = await project_with_files(app, system, ana)
    eve = await sign_up(app)
    await eve.patch(f"/org/{eve.org_id}/plan", {"plan": "BASIC"})
    copy = await eve.project("COPY")
    await fields_in(eve, copy)
    await eve.post(f"/project/{copy['id']}/fields", {"key": "who", "name": "who", "type": "text"})
    archive = await archive_of(ana, project)
    lines, files = unpacked(archive)
    people = {"people": {ana.email: eve.email, ben.email: eve.email}}
    ours = packed_again(lines, files, eve.email, ana, ben)

    would, _ = await rehearsed(eve, copy, ours, "?format=zip")
    _, last = await imported(eve, copy, ours, "?format=zip")
    theirs, contents = unpacked(await archive_of(eve, copy))

    assert {each["outcome"] for each in would} == {"created"}, (would, people)
    assert (last["state"], last["created"], last["refused"]) == ("DONE", len(lines), [])
    assert without_keys(theirs) == without_keys(unpacked(ours)[0])
    assert contents == files
    assert sorted(files) == [f"files/{n}/{name}" for n, name in enumerate(names(lines), start=1)]
    assert [*files.values()] == ["Öl".encode(), PNG, BIG, b""]
    kinds = [each["mediaType"] for each in lines if each.get("type") == "file"]
    assert kinds == ["text/plain", "image/png", "application/octet-stream", "text/plain"]


def names(lines: list[Json]) -> list[str]:
    return [line["name"] for line in lines if line.get("type") == "file"]


def packed_again(
    lines: list[Json], files: dict[str, bytes], address: str, *members: Person
) -> bytes:
    """Return the archive for an organization in which one person is all of *members*."""
    text = in_lines(*lines).decode()
    for each in members:
        text = text.replace(f'"who": "{each.id}"', '"who": null')
    told = [json.loads(line) for line in text.splitlines()]
    addresses = {each.email for each in members}
    for line in told:
        line.get("fields", {}).pop("who", None)
        for member_of in ("assignees", "mentions"):
            if addresses & {*line.get(member_of, [])}:
                line[member_of] = [address]
    body = io.BytesIO()
    with ZipFile(body, "w", ZIP_STORED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        archive.writestr("tasks.jsonl", in_lines(*told))
    return body.getvalue()


async def test_what_was_imported_is_shown_told_to_nobody_and_not_imported_again(
    app: Litestar, ana: Person
) -> None:
    project, before = await ana.project(), await stored_files(app, ana)
    old = {"author": "Jo", "occurredAt": "2019-03-01T08:00:00Z"}
    there = {**old, "occurredAt": "2019-03-01T13:30:00+05:30"}
    line = file_line("f1", mediaType="text/plain", **there)
    body = packed(A, line, f1=b"oil")

    tasks, _ = await imported(ana, project, body, "?format=zip")
    await head_of(ana)
    head, kept = await head_of(ana), await stored_files(app, ana)
    _, again = await imported(ana, project, body, "?format=zip")
    _, plain = await imported(ana, project, in_lines(A, file_line("f1")))

    [file] = await files_at(ana, tasks["a"])
    assert file["imported"] == {"externalId": "f1", **old}
    assert (file["name"], file["type"], file["state"]) == ("f1.txt", "text/plain", "CLEAN")
    path = f"/task/{tasks['a']['id']}/attachments/{file['id']}/content"
    assert (await ana.get(path)).content == b"oil"
    assert (again["created"], again["unchanged"], again["refused"]) == (0, 2, [])
    assert (plain["unchanged"], plain["refused"]) == (2, [])
    assert (await head_of(ana), await stored_files(app, ana)) == (head, kept)
    assert len(kept - before) == 1


async def test_a_file_that_cannot_be_is_refused_alone_and_leaves_nothing(
    app: Litestar, ana: Person
) -> None:
    project, before = await ana.project(), await stored_files(app, ana)
    lines = [
        A,
        file_line("missing"),
        file_line("nowhere", path=None),
        file_line("other", sha256="0" * 64),
        file_line("longer", size=4),
        file_line("picture", mediaType="image/png"),
        file_line("far", task="b"),
        file_line("large", size=None, sha256=None),
        file_line("fine", size=None, sha256=None, path="dir/fine", name="../../e\\vil\x7f.txt"),
        {**file_line("x"), "sha256": "x"},
        file_line("fine", b"other"),
    ]
    oil = dict.fromkeys(("nowhere", "other", "longer", "picture", "far", "dir/fine"), b"oil")
    body = packed(*lines, large=bytes(10_000_001), **oil)

    would, _ = await rehearsed(ana, project, body, "?format=zip")
    assert await stored_files(app, ana) == before
    tasks, last = await imported(ana, project, body, "?format=zip")

    codes = {each["line"]: each.get("code", each["outcome"]) for each in would}
    assert [codes[n] for n in range(1, 12)] == [
        *("created", "file_not_in_archive", "file_not_in_archive", "content_mismatch"),
        *("content_mismatch", "type_mismatch", "unknown_task", "plan_limit", "created"),
        *("invalid_line", "unchanged"),
    ]
    refusals = {each["line"]: each["code"] for each in last["refused"]}
    assert refusals == {n: c for n, c in codes.items() if c not in ("created", "unchanged")}
    [file] = await files_at(ana, tasks["a"])
    assert (file["name"], file["size"]) == ("vil_.txt", 3)
    assert len(await stored_files(app, ana) - before) == 1


async def test_contents_that_a_scanner_has_not_seen_stay_where_they_are(
    make_app: Callable[..., Litestar], app: Litestar, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    scanning = make_app(scan_hook="true")
    monkeypatch.setattr(ana, "client", (await sign_up(scanning)).client)

    tasks, last = await imported(ana, project, packed(A, file_line("f1"), f1=b"oil"), "?format=zip")
    lines, files = unpacked(await archive_of(ana, project))

    [file] = await files_at(ana, tasks["a"])
    assert (file["state"], file["scanned"], last["created"]) == ("PENDING", False, 2)
    assert ([*files], lines[1]["id"], "path" in lines[1]) == ([], "f1", False)


async def test_contents_are_not_given_out_once_they_are_hidden(
    app: Litestar, system: System, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    body = packed(A, file_line("f1"), file_line("f2"), f1=b"oil", f2=b"oil")
    tasks, _ = await imported(ana, project, body, "?format=zip")
    first, _ = await files_at(ana, tasks["a"])
    path = f"/task/{tasks['a']['id']}"
    real = ApiRequest.identify
    asked: list[bool] = []

    async def identify(self: ApiRequest, *, fresh: bool) -> object:
        if fresh and self.url.path.endswith("/export"):
            asked.append(True)
            if len(asked) == 1:  # the lines are sent; who asks was known from before
                done(await ana.delete(f"{path}/attachments/{first['id']}"), 204)
        return await real(self, fresh=fresh)

    monkeypatch.setattr(ApiRequest, "identify", identify)
    lines, files = unpacked(await archive_of(ana, project))

    assert len(lines) == 3
    assert [*files] == ["files/2/f2.txt"]


async def test_an_archive_whose_import_stopped_goes_on_without_being_sent_again(
    app: Litestar, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    body = packed(A, file_line("f1"), file_line("f2"), f1=b"oil", f2=b"oil")
    attach = Attaching.attach

    async def failing(self: Attaching, number: int, *rest: Any) -> ImportedContents:
        if number == 3:
            raise ConnectionError
        return await attach(self, number, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Attaching, "attach", failing)
        begun = done(
            await ana.ask("POST", f"/project/{project['id']}/import?format=zip", content=body), 202
        )
        stopped = await until_ended(ana, begun["importId"])
    done(await ana.post(f"/import/{begun['importId']}/resume"), 202)
    ended = await until_ended(ana, begun["importId"])

    assert (stopped["state"], stopped["code"], stopped["created"]) == ("STOPPED", "interrupted", 2)
    assert (ended["state"], ended["created"], ended["unchanged"]) == ("DONE", 3, 0)
    task = done(await ana.get(f"/project/{project['id']}/tasks"), 200)["items"][0]
    assert [each["imported"]["externalId"] for each in await files_at(ana, task)] == ["f1", "f2"]
