"""Workflows over HTTP."""

from typing import Any

from tests.api.stage import Person, done, refused

OURS: dict[str, Any] = {
    "statuses": [
        {"key": "IDEA", "name": "Ideas", "group": "TODO"},
        {"key": "BUILD", "name": "Being built", "group": "IN_PROGRESS", "wipLimit": 3},
        {"key": "TEST", "name": "In test", "group": "IN_REVIEW"},
        {"key": "LIVE", "name": "Live", "group": "DONE"},
    ],
    "transitions": [
        {"from": "IDEA", "to": "BUILD"},
        {"from": "BUILD", "to": "TEST"},
        {"from": "TEST", "to": "LIVE", "guards": ["no_open_blocker", "no_open_subtask"]},
        {"from": "LIVE", "to": "BUILD"},
    ],
}
FEWER: dict[str, Any] = {
    "statuses": [OURS["statuses"][0], OURS["statuses"][1], OURS["statuses"][3]],
    "transitions": [{"from": "IDEA", "to": "BUILD"}, {"from": "BUILD", "to": "LIVE"}],
}


async def _ours(ana: Person) -> tuple[str, str]:
    """Return the paths of a project with a workflow of its own, and of that."""
    done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "BASIC"}), 200)
    project = await ana.project()
    path = f"/project/{project['id']}/workflow"
    moved = {"moved": {"TODO": "IDEA"}}
    done(await ana.ask("PUT", path, json=OURS | moved), 200)
    return f"/project/{project['id']}", path


async def test_a_project_begins_with_a_preset(ana: Person) -> None:
    standard = await ana.project()
    asked = {"key": "OPS", "name": "Ops", "preset": "free"}
    free = done(await ana.post("/project", asked), 201)

    found = done(await ana.get(f"/project/{standard['id']}/workflow"), 200)
    freely = done(await ana.get(f"/project/{free['id']}/workflow"), 200)

    assert (found["preset"], freely["preset"]) == ("standard", "free")
    assert (standard["workflow"], free["workflow"]) == ("standard", "free")
    assert found["statuses"][1] == {
        "key": "IN_PROGRESS",
        "name": "In progress",
        "group": "IN_PROGRESS",
        "wipLimit": None,
    }
    assert {"from": "TODO", "to": "IN_PROGRESS", "guards": []} in found["transitions"]
    assert len(freely["transitions"]) == 20
    task = done(await ana.post(f"/project/{free['id']}/tasks", {"title": "Jump"}), 201)
    jumped = done(await ana.post(f"/task/{task['key']}/status", {"status": "DONE"}), 200)
    assert (jumped["status"], jumped["group"]) == ("DONE", "DONE")


async def test_a_workflow_is_replaced_and_decides_from_then_on(ana: Person) -> None:
    project, path = await _ours(ana)
    found = await ana.get(path)

    assert done(found, 200)["statuses"] == [{"wipLimit": None} | one for one in OURS["statuses"]]
    assert found.json()["version"] == 2
    assert found.headers["etag"] == '"2"'
    assert (await ana.get(path, headers={"if-none-match": '"2"'})).status_code == 304
    assert done(await ana.get(project), 200)["workflow"] is None
    task = done(await ana.post(f"{project}/tasks", {"title": "Try it"}), 201)
    assert (task["status"], task["group"]) == ("IDEA", "TODO")
    unknown = await ana.post("/task/ENG-1/status", {"status": "TODO"})
    refused(unknown, 422, "unknown_status")
    jump = await ana.post("/task/ENG-1/status", {"status": "LIVE"})
    assert refused(jump, 409, "transition_not_allowed")["allowed"] == ["BUILD"]
    task = done(await ana.post("/task/ENG-1/status?path=auto", {"status": "LIVE"}), 200)
    assert (task["status"], task["group"]) == ("LIVE", "DONE")


async def test_the_entity_tag_is_that_of_the_workflow_and_not_of_its_project(ana: Person) -> None:
    project, path = await _ours(ana)
    done(await ana.patch(project, {"name": "Engines"}), 200)

    again = await ana.ask("PUT", path, json=OURS)
    replaced = await ana.ask("PUT", path, json=FEWER, headers={"if-match": '"2"'})
    stale = await ana.ask("PUT", path, json=OURS, headers={"if-match": '"2"'})

    assert again.headers["etag"] == '"2"'
    assert (done(replaced, 200)["version"], replaced.headers["etag"]) == (4, '"4"')
    refused(stale, 412, "changed_since")


async def test_the_tasks_of_a_status_that_goes_are_in_the_one_that_it_moved_to(ana: Person) -> None:
    project, path = await _ours(ana)
    for status in ("TEST", "BUILD", "TEST"):
        done(await ana.post(f"{project}/tasks", {"title": status, "status": status}), 201)

    in_use = refused(await ana.ask("PUT", path, json=FEWER), 409, "status_in_use")
    done(await ana.ask("PUT", path, json=FEWER | {"moved": {"TEST": "BUILD"}}), 200)

    assert (in_use["key"], in_use["tasks"]) == ("TEST", 2)
    task = done(await ana.get("/task/ENG-1"), 200)
    assert (task["status"], task["group"]) == ("BUILD", "IN_PROGRESS")
    for filters in ("", "?status=BUILD"):
        found = done(await ana.get(f"{project}/tasks{filters}"), 200)["items"]
        assert [(t["key"], t["status"], t["group"]) for t in found] == [
            (f"ENG-{number}", "BUILD", "IN_PROGRESS") for number in (3, 2, 1)
        ]
    refused(await ana.get(f"{project}/tasks?status=TEST"), 422, "unknown_status")
    moved = done(await ana.post("/task/ENG-1/status", {"status": "LIVE"}), 200)
    assert (moved["status"], moved["group"]) == ("LIVE", "DONE")


async def test_a_workflow_of_its_own_takes_a_plan_and_must_be_valid(ana: Person) -> None:
    project = await ana.project()
    path = f"/project/{project['id']}/workflow"

    problem = refused(await ana.ask("PUT", path, json=OURS), 402, "plan_limit")
    wrong = OURS | {"transitions": OURS["transitions"][:1]}
    invalid = refused(await ana.ask("PUT", path, json=wrong), 422, "workflow_not_valid")

    assert (problem["what"], problem["upgradeTo"]) == ("custom_workflows", "BASIC")
    assert invalid["problem"] == "no transitions lead to TEST"


async def test_a_status_that_the_project_lacks_is_refused_wherever_it_is_named(ana: Person) -> None:
    project = await ana.project()
    await ana.task(project)
    tasks = f"/project/{project['id']}/tasks"

    for answer in (
        await ana.post(tasks, {"title": "New", "status": "LIVE"}),
        await ana.patch("/task/ENG-1", {"status": "LIVE"}),
        await ana.post("/task/ENG-1/status", {"status": "LIVE"}),
        await ana.get(f"{tasks}?status=LIVE"),
    ):
        assert "TODO" in refused(answer, 422, "unknown_status")["statuses"]
    done(await ana.post(f"/project/{project['id']}/archive"), 200)
    path = f"/project/{project['id']}/workflow"
    refused(await ana.ask("PUT", path, json=FEWER), 409, "project_archived")
