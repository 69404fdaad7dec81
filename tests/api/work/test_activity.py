"""The activity of a task and of a project: who did what, for everybody who may see it."""

from typing import Any

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Person, done, join, log_in, refused, sign_up


@pytest.fixture
async def task(ana: Person) -> Any:
    return await ana.task(await ana.project())


async def types(person: Person, path: str = "/task/ENG-1/activity") -> list[str]:
    return [each["type"] for each in done(await person.get(path), 200)["items"]]


async def test_a_task_tells_what_happened_to_all_of_it(ana: Person, task: Any) -> None:
    done(await ana.post("/task/ENG-1/status", {"status": "IN_PROGRESS"}), 200)
    body = {"body": "secret", "mentions": [ana.id]}
    comment = done(await ana.post("/task/ENG-1/comments", body), 201)
    path = f"/task/ENG-1/comments/{comment['id']}"
    done(await ana.patch(path, {"body": "secret again"}), 200)
    done(await ana.delete(path), 204)
    file = await ana.file("ENG-1")
    done(await ana.delete(f"/task/ENG-1/attachments/{file['id']}"), 204)
    await ana.task({"id": task["projectId"]})

    response = await ana.get("/task/ENG-1/activity")

    events = done(response, 200)["items"]
    assert [each["type"] for each in events] == [
        "attachment.deleted",
        "attachment.uploaded",
        "comment.deleted",
        "comment.edited",
        "comment.posted",
        "task.status_changed",
        "task.created",
    ]
    status = events[-2]
    assert (status["data"]["from"], status["data"]["to"]) == ("TODO", "IN_PROGRESS")
    assert status["actor"] == {"type": "user", "id": ana.id}
    assert status["command"] == "ChangeTaskStatus"
    assert events[-3]["data"]["mentions"] == [ana.id]
    assert "secret" not in response.text
    assert not [each for each in events if "ip" in each or "userAgent" in each]


async def test_a_project_tells_what_happened_to_it_and_which_tasks_came(
    ana: Person, task: Any
) -> None:
    path = f"/project/{task['projectId']}"
    done(await ana.patch(path, {"name": "Motor"}), 200)
    done(await ana.post(f"{path}/hold", {"reason": "Waiting"}), 200)

    events = done(await ana.get(f"{path}/activity"), 200)["items"]

    found = [each["type"] for each in events]
    assert found == ["project.put_on_hold", "project.renamed", "task.created", "project.created"]
    assert events[1]["data"] == {"from": "Engine", "to": "Motor"}


async def test_a_move_and_a_relation_are_told_at_both_ends(ana: Person, task: Any) -> None:
    other = await ana.task({"id": task["projectId"]})
    related = {"kind": "blocks", "taskId": other["id"]}
    done(await ana.post("/task/ENG-1/relations", related), 201)
    done(await ana.delete(f"/task/ENG-2/relations/blocked_by/{task['id']}"), 204)
    there = await ana.project("OPS")
    done(await ana.post("/task/ENG-1/move", {"projectId": there["id"]}), 200)

    told = ["relation.removed", "relation.added"]
    assert (await types(ana))[:3] == ["task.moved", *told]
    assert (await types(ana, "/task/ENG-2/activity"))[:2] == told
    for project in (there["id"], task["projectId"]):
        assert (await types(ana, f"/project/{project}/activity"))[0] == "task.moved"


async def test_activity_does_not_tell_of_a_project_that_the_reader_cannot_see(
    app: Litestar, system: System, ana: Person, task: Any
) -> None:
    hidden = done(
        await ana.post("/project", {"key": "HID", "name": "H", "visibility": "PRIVATE"}), 201
    )
    secret = await ana.task(hidden)
    done(await ana.post("/task/ENG-1/relations", {"kind": "blocks", "taskId": secret["id"]}), 201)
    came = await ana.task(hidden)
    done(await ana.post("/task/HID-2/move", {"projectId": task["projectId"]}), 200)
    ben = await sign_up(app, organization=False)
    await join(system, ben, ana.org_id, Role.MEMBER)

    for path in ("/task/ENG-1/activity", f"/task/{came['id']}/activity"):
        assert len(await types(ana, path)) == 2
    for path in ("/task/ENG-1", "/task/ENG-2", f"/project/{task['projectId']}"):
        shown = await ben.get(f"{path}/activity")
        done(shown, 200)
        for trace in ("HID", hidden["id"], secret["id"], "task.moved", "relation.added"):
            assert trace not in shown.text
    await ben.client.aclose()


async def test_activity_is_read_in_pages(ana: Person, task: Any) -> None:
    for title in ("One", "Two", "Three"):
        done(await ana.patch("/task/ENG-1", {"title": title}), 200)
    seen: list[int] = []
    query = ""
    while True:
        page = done(await ana.get(f"/task/ENG-1/activity?limit=3{query}"), 200)
        seen += [each["seq"] for each in page["items"]]
        if page["nextCursor"] is None:
            break
        query = f"&cursor={page['nextCursor']}"
        done(await ana.patch("/task/ENG-1", {"title": "Meanwhile"}), 200)

    assert len(seen) == 4
    assert seen == sorted(seen, reverse=True)


async def test_only_those_who_see_a_thing_see_its_activity(
    app: Litestar, system: System, ana: Person, dan: Person, task: Any
) -> None:
    ben = await sign_up(app)
    await join(system, ben, ana.org_id, Role.MEMBER)
    ben.token = await log_in(ben.client, ben.email)
    paths = (f"/task/{task['id']}/activity", f"/project/{task['projectId']}/activity")

    for path in paths:
        assert await types(ben, path)
        refused(await dan.get(path), 404, "not_found")
    hidden = {"visibility": "PRIVATE"}
    done(await ana.patch(f"/project/{task['projectId']}", hidden), 200)
    for path in paths:
        refused(await ben.get(path), 404, "not_found")
        assert await types(ana, path)
    done(await ana.delete("/task/ENG-1"), 204)
    refused(await ana.get(paths[0]), 404, "not_found")
    await ben.client.aclose()


async def test_who_sees_no_project_neither_talks_nor_attaches_there(
    app: Litestar, system: System, ana: Person, task: Any
) -> None:
    comment = done(await ana.post("/task/ENG-1/comments", {"body": "Done?"}), 201)
    file = await ana.file("ENG-1")
    ben = await sign_up(app)
    await join(system, ben, ana.org_id, Role.MANAGER)
    ben.token = await log_in(ben.client, ben.email)
    link = done(await ben.get(f"/task/ENG-1/attachments/{file['id']}/link"), 200)["url"]
    assert (await ben.client.get(link)).status_code == 200
    done(await ana.patch(f"/project/{task['projectId']}", {"visibility": "PRIVATE"}), 200)
    said, kept = f"/task/ENG-1/comments/{comment['id']}", f"/task/ENG-1/attachments/{file['id']}"

    for answer in (
        await ben.get(said),
        await ben.get(f"{said}/edits"),
        await ben.delete(said),
        await ben.post("/task/ENG-1/comments", {"body": "Yes"}),
        await ben.get("/task/ENG-1/comments"),
        await ben.get("/task/ENG-1/attachments"),
        await ben.get(f"{kept}/content"),
        await ben.get(f"{kept}/link"),
        await ben.delete(kept),
        await ben.ask("POST", "/task/ENG-1/attachments", content=b"one"),
        await ben.client.get(link),
    ):
        refused(answer, 404, "not_found")
    mention = {"body": "Ben?", "mentions": [ben.id]}
    refused(await ana.post("/task/ENG-1/comments", mention), 409, "cannot_see_project")
    await ben.client.aclose()
