"""Task templates over HTTP, and the tasks that are created from them."""

from datetime import UTC, datetime, timedelta

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.planning.templates import EMPTY, colleague, made, use
from tests.api.stage import Json, Person, done, refused


async def test_a_template_is_created_changed_deleted_and_restored(ana: Person) -> None:
    project = await ana.project()
    task = {"title": "A bug", "description": "Steps:", "priority": "HIGH", "dueIn": 3}
    body = {
        "name": "Bug",
        "description": "For bugs",
        "projectId": project["id"],
        "task": task,
        "subtasks": [{"title": "Find it"}, {"title": "Fix it", "estimate": 3}],
    }
    answer = await ana.post("/template", body)
    template = done(answer, 201)
    path = f"/template/{template['id']}"

    assert answer.headers["location"] == f"/api{path}"
    assert (template["name"], template["createdBy"]) == ("Bug", ana.id)
    assert template["task"] == EMPTY | task
    assert [each["title"] for each in template["subtasks"]] == ["Find it", "Fix it"]
    assert done(await ana.get(path), 200) == template
    change = {"name": "Defect", "task": {"dueIn": None, "estimate": 5}, "subtasks": []}
    changed = done(await ana.patch(path, change), 200)
    assert changed["task"] == EMPTY | task | {"dueIn": None, "estimate": 5}
    assert (changed["name"], changed["subtasks"]) == ("Defect", [])
    listed = done(await ana.get(f"/template?projectId={project['id']}"), 200)
    assert listed["items"] == [changed]
    assert done(await ana.get("/template"), 200)["items"] == []
    done(await ana.delete(path), 204)
    refused(await ana.get(path), 404, "not_found")
    assert done(await ana.get("/trash?type=template"), 200)["items"][0]["name"] == "Defect"
    done(await ana.post(f"{path}/restore"), 200)
    assert done(await ana.get(path), 200)["name"] == "Defect"


async def test_a_task_gets_what_its_template_has_and_its_subtasks(ana: Person) -> None:
    await ana.project()
    bug = done(await ana.post("/label", {"name": "Bug", "color": "#ff0000"}), 201)
    task = {
        "title": "A bug",
        "description": "Steps:",
        "priority": "HIGH",
        "estimate": 5,
        "labels": [bug["id"]],
        "assignees": [ana.id],
        "startIn": 0,
        "dueIn": 7,
    }
    subtasks = [{"title": "Find it", "assignees": [ana.id]}, {"title": "Tell", "status": "DONE"}]
    template = await made(ana, task=task, subtasks=subtasks)

    made_of = done(await use(ana, template), 201)

    today = datetime.now(UTC).date()
    assert made_of["key"] == "ENG-1"
    assert made_of["title"] == "A bug"
    assert (made_of["description"], made_of["priority"]) == ("Steps:", "HIGH")
    assert (made_of["estimate"], made_of["labels"]) == (5, [bug["id"]])
    assert made_of["assignees"] == [ana.id]
    assert made_of["startDate"] == str(today)
    assert made_of["dueDate"] == str(today + timedelta(7))
    assert made_of["subtasks"] == {"done": 1, "all": 2}
    assert made_of["templateLeftOut"] == []
    shown = done(await ana.get("/task/ENG-1"), 200)
    assert shown | {"templateLeftOut": []} == made_of
    below = done(await ana.get("/task/ENG-1/subtasks"), 200)["items"]
    assert [(each["key"], each["title"], each["status"]) for each in below] == [
        ("ENG-2", "Find it", "TODO"),
        ("ENG-3", "Tell", "DONE"),
    ]
    assert below[0]["assignees"] == [ana.id]
    history = done(await ana.get("/task/ENG-1/activity"), 200)["items"]
    told = [each["data"] for each in history if each["type"] == "task.templated"]
    assert told == [{"templateId": template["id"]}]


async def test_what_the_request_gives_wins_over_the_template(ana: Person) -> None:
    await ana.project()
    task = {"title": "A bug", "description": "Steps:", "priority": "HIGH", "startIn": 3, "dueIn": 7}
    template = await made(ana, task=task)
    today = datetime.now(UTC).date()

    about: Json = {"title": "Own", "description": None, "priority": "MEDIUM", "dueDate": str(today)}
    own = done(await use(ana, template, **about), 201)

    assert (own["title"], own["description"], own["priority"]) == ("Own", None, "MEDIUM")
    assert (own["startDate"], own["dueDate"]) == (None, str(today))
    assert own["templateLeftOut"] == [
        {"subtask": None, "field": "startIn", "value": 3, "code": "starts_after_due"}
    ]


async def test_what_no_longer_holds_is_left_out(app: Litestar, system: System, ana: Person) -> None:
    ben = await colleague(app, system, ana, Role.MEMBER)
    project = await ana.project()
    known = await ana.others(project)
    names = ("label", "cycle", "milestone", "field")
    label, cycle, milestone = (known[f"{name}_id"] for name in names[:3])
    task = {
        "title": "A bug",
        "labels": [label],
        "assignees": [ana.id, ben.id],
        "cycleId": cycle,
        "milestoneId": milestone,
        "fields": {"size": "s"},
    }
    subtasks = [{"title": "Find it", "labels": [label], "assignees": [ben.id, ana.id]}]
    template = await made(ana, projectId=project["id"], task=task, subtasks=subtasks)
    for name in names:
        done(await ana.delete(f"/{name}/{known[f'{name}_id']}"), 204)
    done(await ana.delete(f"/org/{ana.org_id}/members/{ben.id}"), 204)

    made_of = done(await use(ana, template), 201)

    assert made_of["assignees"] == [ana.id]
    assert (made_of["labels"], made_of["cycleId"], made_of["milestoneId"]) == ([], None, None)
    assert made_of["fields"] == {}
    told = {(each["subtask"], each["field"], each["value"]) for each in made_of["templateLeftOut"]}
    assert told == {
        (None, "labels", label),
        (None, "assignees", ben.id),
        (None, "cycleId", cycle),
        (None, "milestoneId", milestone),
        (None, "fields.size", "s"),
        (0, "labels", label),
        (0, "assignees", ben.id),
    }
    codes = {each["field"]: each["code"] for each in made_of["templateLeftOut"]}
    assert (codes["labels"], codes["fields.size"]) == ("not_found", "field_not_in_use")
    [below] = done(await ana.get(f"/task/{made_of['key']}/subtasks"), 200)["items"]
    assert (below["labels"], below["assignees"]) == ([], [ana.id])


async def test_a_task_needs_a_title_of_its_own_or_of_its_template(ana: Person) -> None:
    await ana.project()
    template = await made(ana)

    refused(await use(ana, template), 422, "title_missing")
    refused(await ana.post("/project/ENG/tasks", {}), 422, "invalid_request")
    done(await use(ana, template, title="Own"), 201)


async def test_a_name_that_is_taken_meanwhile_stops_a_change_and_a_restore(ana: Person) -> None:
    gone = await made(ana)
    done(await ana.delete(f"/template/{gone['id']}"), 204)
    await made(ana, "bug")
    other = await made(ana, "Chore")

    refused(await ana.post("/template", {"name": "BUG"}), 409, "template_name_taken")
    refused(await ana.post(f"/template/{gone['id']}/restore"), 409, "template_name_taken")
    refused(
        await ana.patch(f"/template/{other['id']}", {"name": "BUG"}), 409, "template_name_taken"
    )


async def test_what_a_template_cannot_have_is_refused(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await colleague(app, system, ana, Role.MEMBER)
    project = await ana.project()
    known = await ana.others(project)
    size = {"key": "kind", "name": "Kind", "type": "select", "options": [{"key": "a", "name": "A"}]}
    kind = done(await ana.post("/project/ENG/fields", size), 201)
    done(await ana.delete(f"/field/{kind['id']}"), 204)
    hidden = {"key": "HID", "name": "Hidden", "visibility": "PRIVATE"}
    private = done(await ana.post("/project", hidden), 201)
    here, there = {"projectId": project["id"]}, {"projectId": private["id"]}

    for task, where, status, code in (
        ({"status": "TRIAGE"}, here, 422, "unknown_status"),
        ({"labels": [ben.id]}, here, 404, "not_found"),
        ({"cycleId": known["cycle_id"]}, {}, 404, "not_found"),
        ({"cycleId": known["cycle_id"]}, there, 404, "not_found"),
        ({"assignees": [ben.id]}, there, 409, "cannot_see_project"),
        ({"fields": {"none": "s"}}, here, 422, "unknown_field"),
        ({"fields": {"size": "s"}}, {}, 422, "unknown_field"),
        ({"fields": {"size": 3}}, here, 422, "field_value_not_valid"),
        ({"fields": {"kind": "a"}}, here, 409, "field_not_in_use"),
        ({"startIn": 2, "dueIn": 1}, here, 409, "starts_after_due"),
        ({"dueIn": -1}, here, 422, "invalid_request"),
        ({"dueIn": 3_651}, here, 422, "invalid_request"),
    ):
        body = {"name": "Refused", "task": task, **where}
        assert (await ana.post("/template", body)).status_code == status, task
        refused(await ana.post("/template", body), status, code)
    many = [{"title": "One"}] * 51
    refused(await ana.post("/template", {"name": "X", "subtasks": many}), 422, "invalid_request")


async def test_the_same_change_of_a_template_by_two_is_refused_to_the_second(ana: Person) -> None:
    template = await made(ana, task={"priority": "LOW", "estimate": 1})
    path = f"/template/{template['id']}"
    seen = {"headers": {"if-match": f'"{template["version"]}"'}}
    done(await ana.patch(path, {"task": {"priority": "HIGH"}}), 200)

    refused(await ana.patch(path, {"task": {"priority": "URGENT"}}, **seen), 412, "changed_since")
    both = done(await ana.patch(path, {"task": {"estimate": 5}}, **seen), 200)
    assert (both["task"]["priority"], both["task"]["estimate"]) == ("HIGH", 5)


async def test_a_change_is_refused_for_what_a_new_template_is_refused_for(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await colleague(app, system, ana, Role.MEMBER)
    hidden = {"key": "HID", "name": "Hidden", "visibility": "PRIVATE"}
    private = done(await ana.post("/project", hidden), 201)
    for key in ("size", "gone"):
        field = {"key": key, "name": key, "type": "text"}
        made_field = done(await ana.post("/project/HID/fields", field), 201)
    done(await ana.delete(f"/field/{made_field['id']}"), 204)
    template = await made(ana, projectId=private["id"], task={"startIn": 2})
    path = f"/template/{template['id']}"

    for task, status, code in (
        ({"status": "TRIAGE"}, 422, "unknown_status"),
        ({"labels": [ben.id]}, 404, "not_found"),
        ({"assignees": [ben.id]}, 409, "cannot_see_project"),
        ({"fields": {"none": "s"}}, 422, "unknown_field"),
        ({"fields": {"size": 3}}, 422, "field_value_not_valid"),
        ({"fields": {"gone": "s"}}, 409, "field_not_in_use"),
        ({"dueIn": 1}, 409, "starts_after_due"),
    ):
        assert (await ana.patch(path, {"task": task})).status_code == status, task
        refused(await ana.patch(path, {"task": task}), status, code)
    done(await ana.post(f"/project/{private['id']}/archive"), 200)
    body = {"name": "New", "projectId": private["id"]}
    for answer in (
        await ana.post("/template", body),
        await ana.patch(path, {"name": "X"}),
        await ana.delete(path),
        await ana.post(f"{path}/restore"),
    ):
        refused(answer, 409, "project_archived")
