"""Saved views over HTTP: who has them, and the tasks that they show."""

from typing import Any

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Person, done, join, refused, sign_up


def keys(answer: Any) -> list[str]:
    return [task["key"] for task in done(answer, 200)["items"]]


async def colleague(app: Litestar, system: System, ana: Person, role: Role) -> Person:
    person = await sign_up(app, organization=False)
    await join(system, person, ana.org_id, role)
    return person


async def test_a_view_is_saved_changed_deleted_and_restored(ana: Person) -> None:
    project = await ana.project()
    body = {
        "name": "Late",
        "projectId": project["id"],
        "filter": {"priority": ["HIGH"], "overdue": True, "field": ["size:s"]},
        "sort": "due",
        "columns": ["title", "dueDate", "field:size"],
    }
    made = await ana.post("/view", body)
    view = done(made, 201)
    path = f"/view/{view['id']}"

    assert made.headers["location"] == f"/api{path}"
    assert view | body | {"shared": False, "createdBy": ana.id} == view
    assert done(await ana.get(path), 200) == view
    changed = done(await ana.patch(path, {"shared": True, "filter": {"group": ["TODO"]}}), 200)
    assert changed["filter"] == {"group": ["TODO"]}
    assert (changed["shared"], changed["sort"]) == (True, "due")
    listed = done(await ana.get(f"/view?projectId={project['id']}"), 200)
    assert listed["items"] == [changed]
    assert done(await ana.get("/view"), 200)["items"] == []
    done(await ana.delete(path), 204)
    refused(await ana.get(path), 404, "not_found")
    done(await ana.post(f"{path}/restore"), 200)
    assert done(await ana.get(path), 200)["name"] == "Late"


async def test_a_view_lists_the_tasks_that_its_filters_and_its_order_ask_for(ana: Person) -> None:
    eng, ops = await ana.project(), await ana.project("OPS")
    field = {"key": "size", "name": "Size", "type": "text"}
    done(await ana.post("/project/ENG/fields", field), 201)
    await ana.task(eng, priority="LOW", fields={"size": "s"})
    await ana.task(eng, priority="HIGH", fields={"size": "s"})
    await ana.task(eng, priority="HIGH")
    await ana.task(ops, priority="HIGH")
    everywhere = {"name": "High", "filter": {"priority": ["HIGH"]}, "sort": "key"}
    high = done(await ana.post("/view", everywhere), 201)
    here = {"name": "Small", "projectId": eng["id"], "filter": {"field": ["size:s"]}}
    small = done(await ana.post("/view", here), 201)

    first = await ana.get(f"/view/{high['id']}/tasks?limit=1")
    cursor = first.json()["nextCursor"]
    rest = f"/view/{high['id']}/tasks?cursor={cursor}"
    assert keys(first) == ["ENG-2"]
    assert first.links["next"]["url"] == f"/api/view/{high['id']}/tasks?limit=1&cursor={cursor}"
    assert keys(await ana.get(rest)) == ["ENG-3", "OPS-1"]
    assert keys(await ana.get(f"/view/{small['id']}/tasks")) == ["ENG-2", "ENG-1"]
    done(await ana.patch(f"/view/{small['id']}", {"sort": "-newest"}), 200)
    assert keys(await ana.get(f"/view/{small['id']}/tasks")) == ["ENG-1", "ENG-2"]
    done(await ana.patch(f"/view/{high['id']}", {"filter": {}}), 200)
    refused(await ana.get(rest), 400, "malformed_request")


async def test_private_views_are_there_for_their_owner_alone(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await colleague(app, system, ana, Role.MEMBER)
    own = done(await ben.post("/view", {"name": "Mine"}), 201)
    shared = done(await ben.post("/view", {"name": "Ours", "shared": True}), 201)

    assert [each["name"] for each in done(await ben.get("/view"), 200)["items"]] == ["Mine", "Ours"]
    assert [each["name"] for each in done(await ana.get("/view"), 200)["items"]] == ["Ours"]
    for path in (f"/view/{own['id']}", f"/view/{own['id']}/tasks"):
        refused(await ana.get(path), 404, "not_found")
    refused(await ana.patch(f"/view/{own['id']}", {"name": "X"}), 404, "not_found")
    done(await ana.patch(f"/view/{shared['id']}", {"name": "Everybody's"}), 200)
    refused(await ana.patch(f"/view/{shared['id']}", {"shared": False}), 403, "view_of_another")
    refused(
        await ana.post("/view", {"name": "EVERYBODY'S", "shared": True}), 409, "view_name_taken"
    )


async def test_a_name_that_is_taken_meanwhile_stops_a_change_and_a_restore(ana: Person) -> None:
    gone = done(await ana.post("/view", {"name": "Late"}), 201)
    assert (await ana.delete(f"/view/{gone['id']}")).status_code == 204
    done(await ana.post("/view", {"name": "late"}), 201)
    other = done(await ana.post("/view", {"name": "Early"}), 201)

    refused(await ana.post(f"/view/{gone['id']}/restore"), 409, "view_name_taken")
    refused(await ana.patch(f"/view/{other['id']}", {"name": "LATE"}), 409, "view_name_taken")


async def test_a_shared_view_shows_each_reader_what_they_see(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await colleague(app, system, ana, Role.MEMBER)
    hidden = done(
        await ana.post("/project", {"key": "HID", "name": "Hidden", "visibility": "PRIVATE"}), 201
    )
    await ana.task(hidden)
    await ana.task(await ana.project())
    everywhere = done(await ana.post("/view", {"name": "All", "shared": True}), 201)
    body = {"name": "Hidden", "shared": True, "projectId": hidden["id"]}
    there = done(await ana.post("/view", body), 201)

    assert keys(await ana.get(f"/view/{everywhere['id']}/tasks")) == ["ENG-1", "HID-1"]
    assert keys(await ben.get(f"/view/{everywhere['id']}/tasks")) == ["ENG-1"]
    assert keys(await ana.get(f"/view/{there['id']}/tasks")) == ["HID-1"]
    for path in (f"/view/{there['id']}/tasks", f"/view?projectId={hidden['id']}"):
        refused(await ben.get(path), 404, "not_found")


@pytest.mark.parametrize("text", ["ready, set", '"', 'a\\,"b",', "5..8", "x" * 1_000, ", " * 500])
async def test_any_text_of_a_custom_field_is_found_by_lists_boards_and_views(
    ana: Person, text: str
) -> None:
    project = await ana.project()
    made = {"key": "note", "name": "Note", "type": "text"}
    done(await ana.post("/project/ENG/fields", made), 201)
    for each in (text, text[:-1] + "?", text + "x" if len(text) < 1_000 else "x"):
        await ana.task(project, fields={"note": each})
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    value = f'note:"{escaped}"'
    filters = {"field": ["note:other", value], "priority": ["MEDIUM"]}
    view = done(await ana.post("/view", {"name": "Noted", "filter": filters}), 201)

    listed = await ana.get("/task", params={"field": f"{value},note:other"})
    board = done(await ana.get("/project/ENG/board", params={"field": value}), 200)

    assert keys(listed) == keys(await ana.get(f"/view/{view['id']}/tasks")) == ["ENG-1"]
    assert [task["key"] for task in board["columns"][0]["tasks"]] == ["ENG-1"]
    assert done(await ana.get(f"/view/{view['id']}"), 200)["filter"]["field"] == filters["field"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"sort": "beauty"}, "$.sort"),
        ({"columns": ["title", "beauty"]}, "$.columns[1]"),
        ({"columns": ["field:Not a key"]}, "$.columns[0]"),
        ({"filter": {"due": "tomorrow"}}, "$.filter.due"),
        ({"filter": {"created": "2026-01-01T08:00"}}, "$.filter.created"),
        ({"filter": {"group": ["DONE", "!TODO"]}}, "$.filter.group"),
        ({"filter": {"priority": ["HUGE"]}}, "$.filter.priority[0]"),
        ({"filter": {"status": "TODO"}}, "$.filter.status"),
        ({"filter": {"beauty": True}}, "$.filter.beauty"),
        ({"filter": {"field": ["size"]}}, "$.filter.field[0]"),
        ({"filter": {"field": ["size:a, b"]}}, "$.filter.field[0]"),
        (
            {"filter": {"label": ["none", "01a2b3c4-0000-7000-8000-000000000000"]}},
            "$.filter.label",
        ),
        ({"filter": {"status": ["to do"]}}, "$.filter.status[0]"),
        ({"filter": {"status": ["TODO,DONE"]}}, "$.filter.status[0]"),
        (
            {"filter": {"creator": [f"00000000-0000-7000-8000-{n:012}" for n in range(51)]}},
            "$.filter.creator",
        ),
    ],
)
async def test_what_no_list_takes_is_refused_by_its_place_in_the_body(
    ana: Person, body: dict[str, Any], place: str
) -> None:
    view = done(await ana.post("/view", {"name": "Mine"}), 201)
    for answer in (
        await ana.post("/view", {"name": "X", **body}),
        await ana.patch(f"/view/{view['id']}", body),
    ):
        [error] = refused(answer, 422, "invalid_request")["errors"]
        assert error["path"] == place
        assert "%2B" not in error["message"]


async def test_a_view_names_nothing_of_another_project(ana: Person) -> None:
    await ana.project()
    ops = await ana.project("OPS")
    goal = done(await ana.post("/project/ENG/milestones", {"name": "Beta"}), 201)
    body = {"name": "X", "projectId": ops["id"], "filter": {"milestone": [goal["id"]]}}

    refused(await ana.post("/view", body), 404, "not_found")


async def test_me_in_a_shared_view_is_whoever_looks_at_it(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await colleague(app, system, ana, Role.MEMBER)
    project = await ana.project()
    for assignees in ([ana.id], [ben.id], []):
        await ana.task(project, assignees=assignees)
    body = {"name": "Mine", "shared": True, "filter": {"assignee": ["me"]}}
    mine = done(await ana.post("/view", body), 201)
    free = {"name": "Free", "shared": True, "filter": {"assignee": ["me", "none"]}, "sort": "key"}
    either = done(await ana.post("/view", free), 201)

    assert mine["filter"] == {"assignee": ["me"]}
    for person, own in ((ana, "ENG-1"), (ben, "ENG-2"), (ana, "ENG-1")):
        assert keys(await person.get(f"/view/{mine['id']}/tasks")) == [own]
        assert keys(await person.get("/task?assignee=me")) == [own]
        assert keys(await person.get(f"/view/{either['id']}/tasks")) == [own, "ENG-3"]
    page = done(await ana.get(f"/view/{either['id']}/tasks?limit=1"), 200)
    behind = f"/view/{either['id']}/tasks?limit=1&cursor={page['nextCursor']}"
    assert keys(await ana.get(behind)) == ["ENG-3"]
    refused(await ben.get(behind), 400, "malformed_request")
    await ben.client.aclose()
