"""Relations between tasks over HTTP."""

from typing import Any
from uuid import uuid4

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Person, done, join, refused, sign_up


async def relate(ana: Person, task: str, kind: str, other: Any) -> Any:
    return await ana.post(f"/task/{task}/relations", {"kind": kind, "taskId": other["id"]})


async def test_both_tasks_tell_their_relation(ana: Person) -> None:
    project = await ana.project()
    one, two = await ana.task(project, "Order steel"), await ana.task(project, "Build it")

    added = done(await relate(ana, "ENG-1", "blocks", two), 201)

    assert added == {
        "kind": "blocks",
        "taskId": two["id"],
        "key": "ENG-2",
        "title": "Build it",
        "projectId": project["id"],
        "status": "TODO",
        "group": "TODO",
    }
    found = done(await ana.get("/task/ENG-1/relations"), 200)
    assert found == {"items": [added], "nextCursor": None}
    [back] = done(await ana.get("/task/ENG-2/relations"), 200)["items"]
    assert (back["kind"], back["taskId"]) == ("blocked_by", one["id"])
    done(await ana.delete(f"/task/ENG-2/relations/blocked_by/{one['id']}"), 204)
    assert done(await ana.get("/task/ENG-1/relations"), 200)["items"] == []


async def test_a_blocked_task_says_so_until_its_blocker_is_finished(ana: Person) -> None:
    project = await ana.project()
    await ana.task(project)
    blocked = await ana.task(project)
    done(await relate(ana, "ENG-1", "blocks", blocked), 201)
    tasks = f"/project/{project['id']}/tasks"

    def keys(answer: Any) -> list[str]:
        return [one["key"] for one in done(answer, 200)["items"]]

    assert done(await ana.get("/task/ENG-2"), 200)["blocked"]
    assert keys(await ana.get(f"{tasks}?blocked=true")) == ["ENG-2"]
    assert keys(await ana.get(f"{tasks}?blocked=false")) == ["ENG-1"]
    started = done(await ana.post("/task/ENG-2/status", {"status": "IN_PROGRESS"}), 200)
    assert started["blocked"]
    problem = await ana.post("/task/ENG-2/status", {"status": "DONE"})
    assert refused(problem, 409, "open_blockers")["open"] == 1
    refused(await ana.patch("/task/ENG-2", {"status": "DONE"}), 409, "open_blockers")
    listed = done(await ana.get(tasks), 200)["items"][0]
    assert listed == started

    done(await ana.post("/task/ENG-1/status", {"status": "CANCELLED"}), 200)

    assert not done(await ana.get("/task/ENG-2"), 200)["blocked"]
    assert keys(await ana.get(f"{tasks}?blocked=true")) == []
    assert done(await ana.get(tasks), 200)["items"][0] == started | {"blocked": False}
    done(await ana.post("/task/ENG-2/status", {"status": "DONE"}), 200)
    event = done(await ana.post("/task/ENG-1/status?dry_run=true", {"status": "TODO"}), 200)
    assert "blocking" not in event["events"][0]["data"]


async def test_what_cannot_be_is_refused_with_a_code(ana: Person) -> None:
    project = await ana.project()
    one, two = await ana.task(project), await ana.task(project)
    done(await relate(ana, "ENG-1", "blocks", two), 201)

    refused(await relate(ana, "ENG-1", "blocks", two), 409, "relation_exists")
    refused(await relate(ana, "ENG-1", "blocked_by", two), 409, "relation_cycle")
    refused(await relate(ana, "ENG-1", "relates", one), 409, "relation_to_itself")
    refused(await relate(ana, "ENG-1", "blocks", {"id": str(uuid4())}), 404, "not_found")
    refused(await ana.delete(f"/task/ENG-1/relations/likes/{two['id']}"), 404, "not_found")
    refused(await ana.delete(f"/task/ENG-1/relations/relates/{two['id']}"), 404, "not_found")
    done(await ana.post(f"/project/{project['id']}/archive"), 200)
    refused(await relate(ana, "ENG-1", "relates", two), 409, "project_archived")
    path = f"/task/ENG-1/relations/blocks/{two['id']}"
    refused(await ana.delete(path), 409, "project_archived")


async def test_a_task_has_at_most_fifty_relations(ana: Person) -> None:
    project = await ana.project()
    await ana.task(project)
    for _ in range(50):
        done(await relate(ana, "ENG-1", "relates", await ana.task(project)), 201)

    answer = await relate(ana, "ENG-1", "relates", await ana.task(project))

    assert refused(answer, 409, "too_many_relations")["limit"] == 50
    assert len(done(await ana.get("/task/ENG-1/relations"), 200)["items"]) == 50


async def test_a_deleted_task_is_in_no_relation_until_it_is_restored(ana: Person) -> None:
    project = await ana.project()
    await ana.task(project)
    other = await ana.task(project)
    done(await relate(ana, "ENG-1", "blocks", other), 201)

    done(await ana.delete("/task/ENG-1"), 204)

    assert done(await ana.get("/task/ENG-2/relations"), 200)["items"] == []
    assert not done(await ana.get("/task/ENG-2"), 200)["blocked"]
    done(await ana.post("/task/ENG-1/restore"), 200)
    assert len(done(await ana.get("/task/ENG-2/relations"), 200)["items"]) == 1
    assert done(await ana.get("/task/ENG-2"), 200)["blocked"]


async def test_a_relation_to_a_task_that_the_caller_may_not_see_is_not_there(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await sign_up(app)
    await join(system, ben, ana.org_id, Role.MEMBER)
    project = await ana.project()
    shown = await ana.task(project)
    asked = {"key": "SECRET", "name": "Secret", "visibility": "PRIVATE"}
    private = done(await ana.post("/project", asked), 201)
    hidden = await ana.task(private)
    done(await relate(ana, "ENG-1", "blocked_by", hidden), 201)

    assert done(await ben.get("/task/ENG-1/relations"), 200)["items"] == []
    refused(await relate(ben, "ENG-1", "relates", hidden), 404, "not_found")
    path = f"/task/ENG-1/relations/blocked_by/{hidden['id']}"
    refused(await ben.delete(path), 404, "not_found")
    assert len(done(await ana.get("/task/ENG-1/relations"), 200)["items"]) == 1
    assert done(await ana.get(f"/task/{shown['id']}"), 200)["blocked"]
