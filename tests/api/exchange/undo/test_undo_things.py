"""What is undone of tasks, projects and plans over HTTP, and what is there then."""

import asyncio

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.exchange.streams import member
from tests.api.exchange.undo.undoing import named, shown, told, undo
from tests.api.keys import change_plan
from tests.api.stage import Json, Person, done, refused


async def planned(ana: Person) -> tuple[Json, dict[str, str]]:
    """Return a project, and what a task in it can have."""
    project = await ana.project()
    return project, await ana.others(project)


async def test_a_moved_task_comes_back_with_what_it_lost(ana: Person) -> None:
    project, others = await planned(ana)
    await change_plan(ana, "BASIC")
    own = {"name": "Own", "color": "#00ff00", "projectId": project["id"]}
    label = done(await ana.post("/label", own), 201)["id"]
    task = await ana.task(
        project,
        "Above",
        labels=[label, others["label_id"]],
        cycleId=others["cycle_id"],
        milestoneId=others["milestone_id"],
        fields={"size": "s"},
    )
    below = await ana.task(project, "Below", parentId=task["id"], fields={"size": "m"})
    paths = [f"/task/{each['id']}" for each in (task, below)]
    before = [await shown(ana, path) for path in paths]
    to = {"projectId": others["other_project"], "status": "IN_PROGRESS"}
    await named(ana, "POST", f"{paths[0]}/move", to)
    await named(ana, "PATCH", paths[0], {"title": "Moved"})

    undone = await undo(ana)
    back = [await shown(ana, path) for path in paths]
    redone = await undo(ana, undone["correlationId"])
    there = await shown(ana, paths[0])

    assert undone["conflicts"] == []
    assert back == before
    assert redone["conflicts"] == []
    assert (there["projectId"], there["title"], there["status"]) == (
        others["other_project"],
        "Moved",
        "IN_PROGRESS",
    )


async def test_a_deleted_task_comes_back_with_its_subtasks(ana: Person) -> None:
    project = await ana.project()
    task = await ana.task(project)
    below = await ana.task(project, "Below", parentId=task["id"])
    await named(ana, "DELETE", f"/task/{task['id']}")

    undone = await undo(ana)

    assert told(undone) == (1, 0, [])
    done(await ana.get(f"/task/{below['id']}"), 200)


async def test_a_blocker_and_what_it_blocks_are_finished_again(ana: Person) -> None:
    project = await ana.project()
    first, second = (await ana.task(project))["id"], (await ana.task(project))["id"]
    done(await ana.post(f"/task/{first}/relations", {"kind": "blocks", "taskId": second}), 201)
    for task in (first, second):
        for status in ("IN_PROGRESS", "DONE"):
            done(await ana.post(f"/task/{task}/status", {"status": status}), 200)
    for task in (first, second):
        await named(ana, "POST", f"/task/{task}/status", {"status": "TODO"})

    undone = await undo(ana)

    assert told(undone) == (2, 0, [])
    assert {(await shown(ana, f"/task/{each}"))["status"] for each in (first, second)} == {"DONE"}


async def test_a_guard_that_does_not_hold_is_a_conflict(ana: Person) -> None:
    project = await ana.project()
    first, second = (await ana.task(project))["id"], (await ana.task(project))["id"]
    for status in ("IN_PROGRESS", "DONE"):
        done(await ana.post(f"/task/{second}/status", {"status": status}), 200)
    await named(ana, "POST", f"/task/{second}/status", {"status": "TODO"})
    done(await ana.post(f"/task/{first}/relations", {"kind": "blocks", "taskId": second}), 201)

    undone = await undo(ana)

    assert told(undone) == (0, 0, ["status: open_blockers"])


async def test_a_name_that_is_taken_by_now_is_a_conflict(ana: Person) -> None:
    label = done(await ana.post("/label", {"name": "Bug", "color": "#ff0000"}), 201)["id"]
    await named(ana, "PATCH", f"/label/{label}", {"name": "Defect", "color": "#00ff00"})
    done(await ana.post("/label", {"name": "bug", "color": "#ff0000"}), 201)

    undone = await undo(ana)

    assert told(undone) == (1, 0, ["name: label_name_taken"])
    assert undone["conflicts"][0]["ref"] == {"type": "label", "id": label}


async def test_a_plan_without_room_is_a_conflict(ana: Person) -> None:
    first = await ana.project("P1")
    await named(ana, "POST", f"/project/{first['id']}/archive")
    for number in range(2, 7):
        await ana.project(f"P{number}")

    undone = await undo(ana)

    assert told(undone) == (0, 0, ["status: plan_limit"])


async def test_what_hangs_on_a_task_goes_and_comes_back(ana: Person) -> None:
    project, others = await planned(ana)
    task = (await ana.task(project))["id"]
    path = f"/task/{task}"
    file = (await ana.file(task))["id"]
    await named(ana, "DELETE", f"{path}/attachments/{file}")
    relation = {"kind": "blocks", "taskId": others["other"]}
    await named(ana, "POST", f"{path}/relations", relation)
    comment = await named(ana, "POST", f"{path}/comments", {"body": "Look"})
    await named(ana, "PATCH", f"{path}/comments/{comment['id']}", {"body": "Look here"})

    undone = await undo(ana)

    assert undone["conflicts"] == []
    assert [each["id"] for each in done(await ana.get(f"{path}/attachments"), 200)["items"]] == [
        file
    ]
    assert done(await ana.get(f"{path}/relations"), 200)["items"] == []
    refused(await ana.get(f"{path}/comments/{comment['id']}"), 404, "not_found")


async def test_projects_and_their_plans_are_as_they_were(ana: Person) -> None:
    project, others = await planned(ana)
    path = f"/project/{project['id']}"
    places = {
        path: {"name": "Motor", "description": "All of it"},
        f"/cycle/{others['cycle_id']}": {"name": "Two", "endsOn": "2026-05-14"},
        f"/milestone/{others['milestone_id']}": {"name": "GA", "date": "2026-06-01"},
        f"/field/{others['field_id']}": {"name": "Extent"},
        f"/view/{others['view_id']}": {
            "name": "Later",
            "filter": {"status": ["TODO"], "overdue": True},
            "sort": "due",
        },
    }
    before = [await shown(ana, each) for each in places]
    for each, body in places.items():
        await named(ana, "PATCH", each, body)
    await named(ana, "POST", f"{path}/hold", {"reason": "Later"})
    await named(ana, "POST", f"{path}/archive")

    undone = await undo(ana)

    assert undone["conflicts"] == []
    assert [await shown(ana, each) for each in places] == before


async def test_a_workflow_goes_back_unless_tasks_are_in_what_it_lacked(ana: Person) -> None:
    await change_plan(ana, "BASIC")
    project = await ana.project()
    path = f"/project/{project['id']}/workflow"
    before = done(await ana.get(path), 200)
    statuses = [
        *(
            {"key": each["key"], "name": each["name"], "group": each["group"]}
            for each in before["statuses"]
        ),
        {"key": "QA", "name": "Tested", "group": "IN_REVIEW"},
    ]
    free = [{"from": a["key"], "to": b["key"]} for a in statuses for b in statuses if a is not b]
    await named(ana, "PUT", path, {"statuses": statuses, "transitions": free})
    task = await ana.task(project)
    done(await ana.post(f"/task/{task['id']}/status", {"status": "QA"}), 200)

    kept = await undo(ana)
    done(await ana.post(f"/task/{task['id']}/status", {"status": "TODO"}), 200)
    undone = await undo(ana)

    assert told(kept) == (0, 0, ["workflow: status_in_use"])
    assert told(undone) == (1, 0, [])
    assert done(await ana.get(path), 200)["statuses"] == before["statuses"]


async def test_views_of_others_are_not_there(app: Litestar, system: System, ana: Person) -> None:
    ben = await member(app, system, ana, Role.ADMIN)
    view = await named(ana, "POST", "/view", {"name": "Mine"})

    refused(await ben.post("/undo/spring-cleaning"), 404, "not_found")

    assert told(await undo(ana)) == (1, 0, [])
    refused(await ana.get(f"/view/{view['id']}"), 404, "not_found")


@pytest.mark.parametrize("together", [2, 8])
async def test_of_several_who_undo_the_same_at_once_one_does(ana: Person, together: int) -> None:
    task = await ana.task(await ana.project(), "Old")
    await named(ana, "PATCH", f"/task/{task['id']}", {"title": "New"})

    answers = await asyncio.gather(*(undo(ana) for _ in range(together)))

    assert sorted(map(told, answers)) == [(0, 1, [])] * (together - 1) + [(1, 0, [])]
    events = done(await ana.get("/audit?type=changes.undone"), 200)["items"]
    assert len(events) == 1
