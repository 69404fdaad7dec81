"""Tasks created from templates over HTTP: who may, what is told, and how it is taken back."""

from typing import Any

import pytest
from litestar import Litestar
from msgspec.structs import replace

from domain.identity.organization.membership import Role
from domain.identity.plan import PLAN_LIMITS, Plan
from runtime.system import System
from tests.api.exchange.undo.undoing import NAME, undo
from tests.api.planning.templates import colleague, made, use
from tests.api.stage import Json, Person, done, refused, sign_up

PARTS = [{"title": "Find it"}, {"title": "Tell"}]


async def keys(person: Person, query: str = "") -> list[str]:
    return [each["key"] for each in done(await person.get(f"/task{query}"), 200)["items"]]


async def test_every_member_makes_and_uses_templates_and_nobody_else(
    app: Litestar, system: System, ana: Person
) -> None:
    await ana.project()
    for role in (Role.MANAGER, Role.MEMBER):
        person = await colleague(app, system, ana, role)
        template = await made(person, f"Of a {role}", task={"title": "A bug"})
        done(await use(person, template), 201)
        done(await person.patch(f"/template/{template['id']}", {"name": f"{role}"}), 200)
        done(await ana.delete(f"/template/{template['id']}"), 204)
    template = await made(ana, task={"title": "A bug"})
    dan = await sign_up(app)
    path = f"/template/{template['id']}"
    theirs = done(await dan.post("/project", {"key": "ENG", "name": "Theirs"}), 201)

    assert done(await dan.get("/template"), 200)["items"] == []
    refused(await use(dan, template), 404, "not_found")
    for answer in (
        await dan.get(path),
        await dan.patch(path, {"name": "X"}),
        await dan.delete(path),
        await dan.post(f"{path}/restore"),
        await ana.post("/template", {"name": "X", "projectId": theirs["id"]}),
        await ana.get(f"/template?projectId={theirs['id']}"),
    ):
        refused(answer, 404, "not_found")


async def test_a_template_of_a_private_project_is_not_there_for_others(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await colleague(app, system, ana, Role.MANAGER)
    hidden = {"key": "HID", "name": "Hidden", "visibility": "PRIVATE"}
    private = done(await ana.post("/project", hidden), 201)
    await ana.project()
    template = await made(ana, projectId=private["id"], task={"title": "Secret"})
    path = f"/template/{template['id']}"

    for answer in (
        await ben.get(path),
        await ben.patch(path, {"name": "X"}),
        await ben.delete(path),
        await ben.post(f"{path}/restore"),
        await use(ben, template),
        await use(ben, template, "HID"),
        await ben.get(f"/template?projectId={private['id']}"),
        await ben.post("/template", {"name": "X", "projectId": private["id"]}),
    ):
        refused(answer, 404, "not_found")
    refused(await use(ana, template), 404, "not_found")
    done(await ana.delete(path), 204)
    assert done(await ben.get("/trash?type=template"), 200)["items"] == []
    done(await ana.post(f"{path}/restore"), 200)
    done(await ana.post(f"/project/{private['id']}/members", {"userId": ben.id}), 204)
    assert done(await ben.get(path), 200)["task"]["title"] == "Secret"
    done(await use(ben, template, "HID"), 201)


async def test_people_get_no_task_of_a_project_that_they_do_not_see(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await colleague(app, system, ana, Role.MEMBER)
    hidden = {"key": "HID", "name": "Hidden", "visibility": "PRIVATE"}
    done(await ana.post("/project", hidden), 201)
    template = await made(ana, task={"title": "Secret", "assignees": [ana.id, ben.id]})

    task = done(await use(ana, template, "HID"), 201)

    assert (task["assignees"], task["watchers"]) == ([ana.id], [ana.id])
    assert task["templateLeftOut"] == [
        {"subtask": None, "field": "assignees", "value": ben.id, "code": "cannot_see_project"}
    ]
    assert done(await ben.get("/inbox"), 200)["items"] == []


async def test_an_inbox_tells_of_being_assigned_and_mentioned_and_of_nothing_else(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await colleague(app, system, ana, Role.MEMBER)
    cleo = await colleague(app, system, ana, Role.MEMBER)
    await ana.project()
    task: Json = {"title": "A bug", "priority": "HIGH", "estimate": 3, "assignees": [ben.id]}
    template = await made(ana, task=task, subtasks=[{"title": "Part", "assignees": [ben.id]}])

    done(await use(ana, template, description="You?", mentions=[cleo.id]), 201)

    for person, expected in (
        (ben, [("assigned", "ENG-2"), ("assigned", "ENG-1")]),
        (cleo, [("mentioned", "ENG-1")]),
        (ana, []),
    ):
        notices = done(await person.get("/inbox"), 200)["items"]
        assert [(each["kind"], each["task"]["key"]) for each in notices] == expected


async def test_a_dry_run_tells_what_would_happen_and_a_repeated_request_what_did(
    ana: Person,
) -> None:
    await ana.project()
    label = done(await ana.post("/label", {"name": "Bug", "color": "#ff0000"}), 201)
    template = await made(ana, task={"title": "A bug", "labels": [label["id"]]}, subtasks=PARTS)
    done(await ana.delete(f"/label/{label['id']}"), 204)
    body = {"templateId": template["id"]}
    named: Any = {"headers": {"idempotency-key": "once"}}

    would = done(await ana.post("/project/ENG/tasks?dry_run=true", body), 200)
    first = done(await ana.post("/project/ENG/tasks", body, **named), 201)
    done(await ana.delete(f"/template/{template['id']}"), 204)
    again = await ana.post("/project/ENG/tasks", body, **named)

    assert [each["type"] for each in would["events"]] == ["task.created", "task.templated"] * 3
    assert [each["code"] for each in would["templateLeftOut"]] == ["not_found"]
    assert again.headers["idempotent-replayed"] == "true"
    assert done(again, 201) == first
    assert [each["code"] for each in first["templateLeftOut"]] == ["not_found"]
    assert first["key"] == "ENG-1"
    assert await keys(ana) == ["ENG-3", "ENG-2", "ENG-1"]


async def test_an_undo_takes_back_the_task_with_its_subtasks(ana: Person) -> None:
    await ana.project()
    template = await made(ana, task={"title": "A bug", "dueIn": 3}, subtasks=PARTS)
    body = {"templateId": template["id"]}
    done(await ana.post("/project/ENG/tasks", body, headers=NAME), 201)
    assert await keys(ana) == ["ENG-3", "ENG-2", "ENG-1"]

    undone = await undo(ana)

    assert (undone["undone"], undone["conflicts"]) == (3, [])
    assert await keys(ana) == []
    redone = await undo(ana, undone["correlationId"])
    assert redone["conflicts"] == []
    assert await keys(ana) == ["ENG-3", "ENG-2", "ENG-1"]
    assert done(await ana.get("/task/ENG-1"), 200)["subtasks"] == {"done": 0, "all": 2}


async def test_what_the_plan_does_not_allow_creates_no_task_at_all(
    ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ana.project()
    template = await made(ana, task={"title": "A bug"}, subtasks=PARTS)
    few = replace(PLAN_LIMITS[Plan.FREE], tasks=2)
    monkeypatch.setitem(PLAN_LIMITS, Plan.FREE, few)

    problem = refused(await use(ana, template), 402, "plan_limit")

    assert problem["limit"] == 2
    assert await keys(ana) == []
    done(await ana.patch(f"/template/{template['id']}", {"subtasks": PARTS[:1]}), 200)
    done(await use(ana, template), 201)
    assert await keys(ana) == ["ENG-2", "ENG-1"]


async def test_fifty_subtasks_are_created_at_once(ana: Person) -> None:
    await ana.project()
    parts = [{"title": f"Part {n}", "dueIn": n} for n in range(50)]
    template = await made(ana, task={"title": "A release"}, subtasks=parts)

    task = done(await use(ana, template), 201)

    assert task["subtasks"] == {"done": 0, "all": 50}
    below = done(await ana.get("/task/ENG-1/subtasks?limit=100"), 200)["items"]
    assert [each["title"] for each in below] == [each["title"] for each in parts]
    assert [each["number"] for each in below] == [*range(2, 52)]


async def test_a_template_takes_over_a_task_with_its_subtasks(
    app: Litestar, system: System, ana: Person
) -> None:
    project = await ana.project()
    known = await ana.others(project)
    ben = await colleague(app, system, ana, Role.MEMBER)
    task = await ana.task(
        project,
        "Release",
        description="Steps:",
        priority="HIGH",
        estimate=3,
        labels=[known["label_id"]],
        assignees=[ana.id, ben.id],
        cycleId=known["cycle_id"],
        milestoneId=known["milestone_id"],
        fields={"size": "s"},
        startDate="2020-01-01",
    )
    first = await ana.task(project, "First", parentId=task["id"], assignees=[ben.id])
    await ana.task(project, "Second", parentId=task["id"], status="DONE", estimate=2)
    gone = await ana.task(project, "Gone", parentId=task["id"])
    done(await ana.delete(f"/task/{gone['id']}"), 204)
    await ana.task(project, "Below", parentId=first["id"])
    done(await ana.delete(f"/org/{ana.org_id}/members/{ben.id}"), 204)

    copy = await made(ana, projectId=project["id"], fromTaskId=task["id"])
    everywhere = await made(ana, "Everywhere", fromTaskId=task["id"])

    told = {name: value for name, value in copy["task"].items() if value not in (None, [], {})}
    assert told == {
        "title": "Release",
        "description": "Steps:",
        "priority": "HIGH",
        "estimate": 3,
        "labels": [known["label_id"]],
        "assignees": [ana.id],
        "cycleId": known["cycle_id"],
        "milestoneId": known["milestone_id"],
        "fields": {"size": "s"},
    }
    parts = [(each["title"], each["assignees"], each["estimate"]) for each in copy["subtasks"]]
    assert parts == [("First", [], None), ("Second", [], 2)]
    assert everywhere["task"] == copy["task"] | {"cycleId": None, "milestoneId": None, "fields": {}}


async def test_days_of_a_task_are_taken_over_from_the_day_of_its_creation(ana: Person) -> None:
    project = await ana.project()
    dated = await ana.task(project)
    created = dated["createdAt"][:10]
    done(await ana.patch(f"/task/{dated['id']}", {"startDate": created, "dueDate": created}), 200)
    timed = await ana.task(project, dueAt=f"{created}T23:59:00Z", startDate=created)
    never = await ana.task(project, startDate="2019-01-01", dueDate="2020-01-01")

    none = (None, None)
    for task, days in ((dated, (0, 0)), (timed, (0, 0)), (never, none)):
        copy = (await made(ana, task["key"], fromTaskId=task["id"]))["task"]
        assert (copy["startIn"], copy["dueIn"]) == days


async def test_only_a_task_that_one_sees_is_taken_over(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await colleague(app, system, ana, Role.MANAGER)
    hidden = {"key": "HID", "name": "Hidden", "visibility": "PRIVATE"}
    secret = await ana.task(done(await ana.post("/project", hidden), 201))
    gone = await ana.task(await ana.project())
    done(await ana.delete(f"/task/{gone['id']}"), 204)
    dan = await sign_up(app)

    for person, task in ((ben, secret), (dan, secret), (ana, gone)):
        body = {"name": "Copy", "fromTaskId": task["id"]}
        refused(await person.post("/template", body), 404, "not_found")
    body = {"name": "Copy", "fromTaskId": secret["id"], "subtasks": PARTS}
    refused(await ana.post("/template", body), 422, "invalid_request")


async def test_a_task_with_too_many_subtasks_is_not_taken_over(ana: Person) -> None:
    project = await ana.project()
    task = await ana.task(project)
    for number in range(51):
        await ana.task(project, f"Part {number}", parentId=task["id"])

    body = {"name": "Copy", "fromTaskId": task["id"]}
    refused(await ana.post("/template", body), 409, "template_too_large")
