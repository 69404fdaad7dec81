"""Tasks leave a project as a file and come into another one, line by line."""

import json
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.exchange.streams import member
from tests.api.exchange.task_files import (
    exported,
    fields_in,
    full_project,
    head_of,
    imported,
    in_lines,
    rehearsed,
    without_keys,
)
from tests.api.stage import Json, Person, done, refused

OLD = "2019-03-01T08:00:00Z"


async def test_an_export_imports_again_to_an_equal_project(
    app: Litestar, system: System, ana: Person
) -> None:
    project, ben = await full_project(app, system, ana)
    copy = done(await ana.post("/project", {"key": "COPY", "name": "Copy"}), 201)
    await fields_in(ana, copy)
    lines = await exported(ana, project)

    would, _ = await rehearsed(ana, copy, in_lines(*lines))
    _, last = await imported(ana, copy, in_lines(*lines))
    again = await exported(ana, copy)

    assert [(each["line"], each["outcome"]) for each in would] == [
        (n, "created") for n in range(1, 10)
    ]
    assert (last["state"], last["created"], last["refused"]) == ("DONE", 9, [])
    assert without_keys(again) == without_keys(lines)
    assert lines[0]["title"] == "Ünïcode 🚂"
    assert (lines[2]["cycle"], lines[2]["milestone"]) == ("Sprint, 1", "Beta")
    assert (lines[0]["rrule"], lines[0]["repeatAfter"]) == ("FREQ=DAILY", "completion")
    assert lines[1]["rrule"].endswith(";COUNT=9")
    assert lines[1]["mentions"] == [ben.email, ana.email]
    assert {*lines[2]["assignees"]} == {ana.email, ben.email}
    assert [each["key"] for each in again[:4]] == [f"COPY-{n}" for n in range(1, 5)]
    assert [each.get("type") for each in again[4:]] == [*["comment"] * 3, *["relation"] * 2]


async def test_a_second_import_records_nothing(app: Litestar, system: System, ana: Person) -> None:
    project, _ = await full_project(app, system, ana)
    copy = done(await ana.post("/project", {"key": "COPY", "name": "Copy"}), 201)
    await fields_in(ana, copy)
    lines = in_lines(*await exported(ana, project))
    first, _ = await imported(ana, copy, lines)
    await head_of(ana)  # which is recorded, once an hour
    before = await head_of(ana)

    again, last = await imported(ana, copy, lines)
    _, own = await imported(ana, project, lines)

    assert (again, len(first)) == (first, 4)
    assert (last["created"], last["unchanged"], own["unchanged"]) == (0, 9, 9)
    assert await head_of(ana) == before


async def test_where_a_task_came_from_is_shown_and_orders_nothing(ana: Person) -> None:
    project = await ana.project()
    await ana.task(project, "Ours")
    line = {"id": "J-1", "title": "Theirs", "occurredAt": OLD, "author": "Jo Old"}

    tasks, last = await imported(ana, project, in_lines(line))
    task = done(await ana.get(f"/task/{tasks['J-1']['key']}"), 200)
    listed = done(await ana.get(f"/project/{project['id']}/tasks?sort=newest"), 200)["items"]
    page = done(await ana.get("/audit?type=task.imported"), 200)["items"]

    assert task["imported"] == {"externalId": "J-1", "occurredAt": OLD, "author": "Jo Old"}
    assert (task["createdBy"], task["createdAt"] > OLD) == (ana.id, True)
    assert [each["title"] for each in listed] == ["Theirs", "Ours"]
    assert listed[0]["imported"] == task["imported"]
    assert [each["correlationId"] for each in page] == [last["correlationId"]]


async def test_when_something_was_done_elsewhere_is_shown_in_utc(ana: Person) -> None:
    project = await ana.project()
    there, nowhere = "2019-03-01T13:30:00+05:30", "9999-12-31T23:59:59-14:00"
    comment = {"type": "comment", "id": "c", "task": "J-1", "body": "So?"}

    tasks, last = await imported(
        ana,
        project,
        in_lines(
            {"id": "J-1", "title": "Theirs", "occurredAt": there},
            {"id": "J-2", "title": "Never", "occurredAt": nowhere},
            {"id": "J-3", "title": "Never", "dueAt": nowhere},
            {**comment, "occurredAt": there},
            {**comment, "id": "d", "occurredAt": nowhere},
        ),
    )
    path = f"/task/{tasks['J-1']['key']}"
    [said] = done(await ana.get(f"{path}/comments"), 200)["items"]

    assert [(each["line"], each["code"]) for each in last["refused"]] == [
        (line, "time_out_of_range") for line in (2, 3, 5)
    ]
    assert done(await ana.get(path), 200)["imported"]["occurredAt"] == OLD
    assert said["imported"]["occurredAt"] == OLD


async def test_a_dry_run_tells_every_outcome_and_records_nothing(ana: Person) -> None:
    project = await ana.project()
    await imported(ana, project, in_lines({"id": "old", "title": "Old"}))
    await head_of(ana)
    before = await head_of(ana)
    lines: list[Json] = [
        {"id": "child", "title": "Child", "parent": "root", "labels": ["New"]},
        *({"id": f"n{n}", "title": "Many", "labels": ["new"]} for n in range(60)),
        {"id": "old", "title": "Old"},
        {"id": "root", "title": "Root"},
        {"id": "child", "title": "Again"},
        {"id": "orphan", "title": "Orphan", "parent": "nobody"},
        {"id": "x", "title": ""},
        {"id": "y", "title": "Y", "status": "NOWHERE"},
        {"id": "z", "title": "Z", "assignees": ["stranger@elsewhere.example"]},
    ]

    would, would_last = await rehearsed(ana, project, in_lines(*lines))
    assert await head_of(ana) == before
    _, last = await imported(ana, project, in_lines(*lines))

    refusals = [{k: each[k] for k in ("line", "code")} for each in would if "code" in each]
    assert refusals == last["refused"]
    codes = {each["line"]: each.get("code", each["outcome"]) for each in would}
    assert [codes[n] for n in (1, 2, 62, 63, 64, 65, 66, 67, 68)] == [
        *("created", "created", "unchanged", "created"),
        *("duplicate_id", "unknown_parent", "invalid_line", "unknown_status", "unknown_person"),
    ]
    assert (last["all"], last["done"], last["created"], last["unchanged"]) == (68, 68, 62, 1)
    assert [would_last[each] for each in ("created", "unchanged", "refused")] == [62, 1, 5]
    path = f"/label?projectId={project['id']}"
    labels = done(await ana.get(path), 200)["items"]
    assert [each["name"] for each in labels] == ["new"]


async def test_names_of_a_foreign_file_are_mapped(
    app: Litestar, system: System, ana: Person
) -> None:
    project = await ana.project()
    ben = await member(app, system, ana, Role.MEMBER)
    mapping = {
        "columns": {"Issue": "id", "Summary": "title", "Who": "assignees", "State": "status"},
        "people": {"bsmith": ben.email.upper()},
        "statuses": {"Closed": "DONE"},
    }
    line = {"Issue": "J-1", "Summary": "Theirs", "Who": ["bsmith"], "State": "Closed"}

    query = f"?mapping={quote(json.dumps(mapping))}"
    tasks, _ = await imported(ana, project, in_lines(line), query)
    task = tasks["J-1"]

    assert (task["title"], task["status"], task["assignees"]) == ("Theirs", "DONE", [ben.id])


async def test_limits_of_plan_and_role_hold(app: Litestar, system: System, ana: Person) -> None:
    project = await ana.project()
    ben = await member(app, system, ana, Role.MEMBER)
    path = f"/project/{project['id']}/import"
    lines = in_lines(*({"id": f"{n}", "title": "Many"} for n in range(1_010)))

    refused(await ben.ask("POST", path, content=lines), 403, "too_many_tasks")
    _, few = await imported(ben, project, b"\n".join(lines.splitlines()[:100]))
    would, would_last = await rehearsed(ana, project, lines)
    _, last = await imported(ana, project, lines)

    assert few["created"] == 100
    for outcomes, summary in ((would, would_last), (last["refused"], last)):
        assert (summary["created"], summary["unchanged"]) == (900, 100)
        assert {each["code"] for each in outcomes if "code" in each} == {"plan_limit"}
        assert [each["line"] for each in outcomes if "code" in each] == [*range(1_001, 1_011)]


async def test_a_project_that_is_hidden_or_takes_no_tasks_refuses_the_whole_file(
    app: Litestar, system: System, ana: Person
) -> None:
    project = await ana.project()
    ben = await member(app, system, ana, Role.MEMBER)
    path, body = f"/project/{project['id']}", in_lines({"id": "1", "title": "One"})
    done(await ana.patch(path, {"visibility": "PRIVATE"}), 200)

    refused(await ben.ask("POST", f"{path}/import", content=body), 404, "not_found")
    refused(await ben.get(f"{path}/export"), 404, "not_found")
    done(await ana.post(f"{path}/hold"), 200)
    refused(await ana.ask("POST", f"{path}/import", content=body), 409, "project_on_hold")


async def test_a_body_that_cannot_be_taken_is_refused(
    ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    path = f"/project/{project['id']}/import"

    async def pieces() -> AsyncIterator[bytes]:
        yield b"{}"

    refused(await ana.ask("POST", path, content=pieces()), 411, "length_required")
    with monkeypatch.context() as patch:
        patch.setattr("api.upload.UPLOADS_PER_USER_MAX", 0)
        refused(await ana.ask("POST", path, content=b"{}"), 503, "busy")
    done(await ana.post(f"/project/{project['id']}/archive"), 200)
    refused(await ana.ask("POST", path, content=b"{}"), 409, "project_archived")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"\xff\xfe\x00\xd8", 400, "malformed_request"),
        (b'{"id": "1", "title": "\xe9"}', 400, "malformed_request"),
    ],
)
async def test_what_is_no_text_is_refused(ana: Person, body: bytes, status: int, code: str) -> None:
    project = await ana.project()

    refused(await ana.ask("POST", f"/project/{project['id']}/import", content=body), status, code)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
async def test_encodings_that_say_what_they_are_are_read(ana: Person, encoding: str) -> None:
    project = await ana.project()
    text = '\n{"id": "1", "title": "Größe"}\n\n{"id": "2", "title": "\\ud800"}\n[]\n{"id"'

    tasks, last = await imported(ana, project, text.encode(encoding))

    assert tasks["1"]["title"] == "Größe"
    assert last["refused"] == [{"line": n, "code": "invalid_line"} for n in (4, 5, 6)]
    assert (last["state"], last["created"], last["all"]) == ("DONE", 1, 4)
