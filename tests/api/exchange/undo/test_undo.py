"""Undo over HTTP: earlier values come back by new events, and what was changed since stays."""

from typing import Any

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.exchange.streams import member
from tests.api.exchange.task_files import imported, in_lines, origins
from tests.api.exchange.undo.undoing import named, shown, told, undo
from tests.api.keys import change_plan
from tests.api.stage import Person, done, refused


async def test_what_was_undone_comes_back_by_undoing_that(ana: Person) -> None:
    task = await ana.task(await ana.project(), "Old")
    path = f"/task/{task['id']}"
    before = await shown(ana, path)
    await named(ana, "PATCH", path, {"title": "New", "priority": "HIGH", "dueDate": "2027-01-31"})
    after = await shown(ana, path)

    undone = await undo(ana)
    back = await shown(ana, path)
    again = await undo(ana)
    redone = await undo(ana, undone["correlationId"])
    forth = await shown(ana, path)

    assert (told(undone), back) == ((3, 0, []), before)
    assert told(again) == (0, 3, [])
    assert (told(redone), forth) == ((3, 0, []), after)


async def test_a_change_has_a_correlation_id_also_if_none_is_sent(ana: Person) -> None:
    task = await ana.task(await ana.project(), "Old")
    changed = await ana.patch(f"/task/{task['id']}", {"title": "New"})

    undone = await undo(ana, changed.headers["x-correlation-id"])

    assert told(undone) == (1, 0, [])
    assert (await shown(ana, f"/task/{task['id']}"))["title"] == "Old"


async def test_nothing_is_recorded_the_second_time(ana: Person) -> None:
    task = await ana.task(await ana.project(), "Old")
    await named(ana, "PATCH", f"/task/{task['id']}", {"title": "New"})
    undone = await undo(ana)
    first = await head_of(ana)

    await undo(ana)

    [event] = done(await ana.get("/audit?type=changes.undone"), 200)["items"]
    assert await head_of(ana) == first
    assert event["correlationId"] == undone["correlationId"]
    assert event["data"] == {"correlationId": "spring-cleaning", "done": 1, "conflicts": 0}


async def test_what_was_changed_since_stays_and_is_told(ana: Person) -> None:
    task = await ana.task(await ana.project(), "Old")
    path = f"/task/{task['id']}"
    await named(ana, "PATCH", path, {"title": "New", "priority": "HIGH"})
    done(await ana.patch(path, {"title": "Newer"}), 200)

    undone = await undo(ana)

    back = await shown(ana, path)
    assert (back["title"], back["priority"]) == ("Newer", "MEDIUM")
    assert (undone["undone"], undone["unchanged"]) == (1, 0)
    assert undone["conflicts"] == [
        {"ref": {"type": "task", "id": task["id"]}, "field": "title", "code": "changed_since"}
    ]


async def test_several_requests_are_undone_together(ana: Person) -> None:
    project = await ana.project()
    task = await ana.task(project)
    label = await named(ana, "POST", "/label", {"name": "Bug", "color": "#ff0000"})
    path = f"/task/{task['id']}"
    before = await shown(ana, path)
    await named(ana, "POST", f"{path}/labels", {"labelId": label["id"]})
    await named(ana, "POST", f"{path}/status", {"status": "IN_PROGRESS"})
    comment = await named(ana, "POST", f"{path}/comments", {"body": "Look"})
    made = await named(ana, "POST", f"/project/{project['id']}/tasks", {"title": "Another"})

    undone = await undo(ana)

    assert told(undone) == (5, 0, [])
    assert await shown(ana, path) == before
    refused(await ana.get(f"/task/{made['id']}"), 404, "not_found")
    refused(await ana.get(f"{path}/comments/{comment['id']}"), 404, "not_found")
    assert done(await ana.get("/label"), 200)["items"] == []


async def test_a_dry_run_tells_what_an_undo_would_do(ana: Person) -> None:
    task = await ana.task(await ana.project(), "Old")
    await named(ana, "PATCH", f"/task/{task['id']}", {"title": "New"})

    rehearsed = await undo(ana, query="?dry_run=true")

    assert [each["type"] for each in rehearsed["events"]] == ["task.retitled", "changes.undone"]
    assert told(rehearsed) == (1, 0, [])
    assert (await shown(ana, f"/task/{task['id']}"))["title"] == "New"


async def test_a_retry_with_the_same_key_gets_the_same_answer(ana: Person) -> None:
    task = await ana.task(await ana.project(), "Old")
    await named(ana, "PATCH", f"/task/{task['id']}", {"title": "New"})
    key = {"idempotency-key": "undo"}

    first = done(await ana.post("/undo/spring-cleaning", headers=key), 200)
    again = await ana.post("/undo/spring-cleaning", headers=key)

    assert done(again, 200) == first
    assert again.headers["idempotent-replayed"] == "true"


async def test_a_bulk_change_of_many_tasks_is_undone_in_one_append(ana: Person) -> None:
    await change_plan(ana, "PREMIUM")
    project = await ana.project()
    lines = [{"id": str(n), "title": f"Task {n}"} for n in range(500)]
    await imported(ana, project, in_lines(*lines))
    tasks = await origins(ana, project)
    body = {
        "ids": [each["id"] for each in tasks.values()],
        "set": {"status": "IN_PROGRESS", "priority": "HIGH", "dueDate": "2027-01-31"},
    }
    bulk = await named(ana, "POST", "/task/bulk", body)
    before = await head_of(ana)

    undone = await undo(ana, bulk["correlationId"])

    assert told(undone) == (1_500, 0, [])
    assert await head_of(ana) == before + 1_501
    page = done(await ana.get(f"/project/{project['id']}/tasks?limit=100"), 200)["items"]
    assert {(each["status"], each["priority"], each["dueDate"]) for each in page} == {
        ("TODO", "MEDIUM", None)
    }


async def test_an_import_is_undone(ana: Person) -> None:
    project = await ana.project()
    lines = [
        {"id": "1", "title": "One", "description": "All", "status": "IN_PROGRESS"},
        {"id": "2", "title": "Two", "parent": "1"},
    ]
    _, ended = await imported(ana, project, in_lines(*lines))
    tasks = await origins(ana, project)

    undone = await undo(ana, ended["correlationId"])
    none = done(await ana.get(f"/project/{project['id']}/tasks"), 200)["items"]
    redone = await undo(ana, undone["correlationId"])

    assert told(undone) == (2, 0, [])
    assert none == []
    assert told(redone) == (2, 0, [])
    for each in tasks.values():
        assert (await shown(ana, f"/task/{each['id']}"))["title"] == each["title"]


async def test_a_plan_bounds_what_is_undone_at_once(ana: Person) -> None:
    project = await ana.project()
    lines = [{"id": str(n), "title": f"Task {n}"} for n in range(51)]
    _, ended = await imported(ana, project, in_lines(*lines))

    problem = refused(await ana.post(f"/undo/{ended['correlationId']}"), 402, "plan_limit")

    assert (problem["limit"], problem["plan"]) == (50, "FREE")


async def test_what_nobody_did_is_not_there(app: Litestar, ana: Person) -> None:
    for name in ("nothing", "x" * 64, "00000000-0000-7000-8000-000000000404"):
        refused(await ana.post(f"/undo/{name}"), 404, "not_found")


async def test_members_and_keys_are_told_to_be_final(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await member(app, system, ana, Role.MEMBER)
    task = await ana.task(await ana.project(), "Old")
    await named(ana, "PATCH", f"/org/{ana.org_id}/members/{ben.id}", {"role": "MANAGER"})
    await named(ana, "PATCH", f"/task/{task['id']}", {"title": "New"})

    undone = await undo(ana)

    assert told(undone) == (1, 0, ["None: cannot_be_undone"])
    assert undone["conflicts"][0]["ref"]["type"] == "member"
    people = done(await ana.get(f"/org/{ana.org_id}/members/{ben.id}"), 200)
    assert people["role"] == "MANAGER"


async def head_of(person: Person) -> Any:
    await person.get("/audit")  # which is recorded, once an hour
    return done(await person.get("/audit?limit=1"), 200)["items"][0]["seq"]
