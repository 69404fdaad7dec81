"""A private project does not exist for those who do not see it: no id, count, event or webhook."""

import json
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from api.http.policy import handlers_of
from domain.identity.organization.membership import Role
from projections.engine.progress import Progress
from runtime.system import System
from tests.api.stage import ENDING, Person, delivered, done, join, refused, sign_up
from workers.consequences.leaving import Leaving
from workers.consequences.losing_sight import LosingSight

SECRET = "Quicksilver"
OPEN = ("/task/ENG-1", "/task/ENG-1/relations", "/project/ENG")
"""What the spy sees, beside what is hidden."""


class Hidden:
    """A private project of Ana's with something of every kind in it, and what names it."""

    def __init__(self, project: Any, task: Any, ids: dict[str, str]) -> None:
        self.project, self.task, self.ids = project, task, ids

    @property
    def traces(self) -> list[str]:
        """What no response may contain."""
        return [*self.ids.values(), SECRET, "HID-1", '"HID"']


async def made_private(ana: Person) -> Hidden:
    """Make a private project, with something of every kind in it."""
    body = {"key": "HID", "name": SECRET, "description": SECRET, "visibility": "PRIVATE"}
    project = done(await ana.post("/project", body), 201)
    task = await ana.task(project, f"{SECRET} task")
    subtask = await ana.task(project, f"{SECRET} part", parentId=task["id"])
    comment = done(await ana.post(f"/task/{task['id']}/comments", {"body": SECRET}), 201)
    spent = {"minutes": 30, "date": "2026-11-02", "note": SECRET}
    worklog = done(await ana.post(f"/task/{task['id']}/worklogs", spent), 201)
    ids = {
        "project_id": project["id"],
        "project": project["id"],
        "task": task["id"],
        "subtask": subtask["id"],
        "comment_id": comment["id"],
        "worklog_id": worklog["id"],
        **await planned(ana, project["id"]),
    }
    return Hidden(project, task, ids)


async def planned(ana: Person, project_id: str) -> dict[str, str]:
    """Make a label, a custom field, a cycle, a milestone, a shared view and a template."""
    path, days = f"/project/{project_id}", {"startsOn": "2026-05-04", "endsOn": "2026-05-15"}
    field = {"key": "secret", "name": SECRET, "type": "text"}
    named = {"name": SECRET, "projectId": project_id}
    return {
        "field_id": done(await ana.post(f"{path}/fields", field), 201)["id"],
        "cycle_id": done(await ana.post(f"{path}/cycles", {"name": SECRET, **days}), 201)["id"],
        "milestone_id": done(await ana.post(f"{path}/milestones", {"name": SECRET}), 201)["id"],
        "view_id": done(await ana.post("/view", {**named, "shared": True}), 201)["id"],
        "template_id": done(await ana.post("/template", named), 201)["id"],
        "label_id": done(await ana.post("/label", {**named, "color": "#ff0000"}), 201)["id"],
    }


async def spy(app: Litestar, system: System, ana: Person, role: Role) -> Person:
    """Return a member who has no tie to any project."""
    person = await sign_up(app, organization=False)
    await join(system, person, ana.org_id, role)
    return person


def paths_of(app: Litestar, known: dict[str, str]) -> list[str]:
    """Return the path of every GET route of the API, with what is hidden wherever it fits."""
    found = [path for path, method, _ in handlers_of(app) if method == "GET"]
    return [
        path.format_map(known).removeprefix("/api") + ENDING.get(path, "")
        for path in found
        if path.startswith("/api/")
    ]


@pytest.mark.parametrize("role", [Role.MANAGER, Role.MEMBER])
async def test_no_get_route_shows_a_trace_of_it(
    app: Litestar, system: System, ana: Person, role: Role
) -> None:
    ben = await spy(app, system, ana, role)
    webhook = {"url": "https://example.com/hook", "events": ["*"], "privateProjects": True}
    hook = done(await ana.post("/webhook", webhook), 201)
    team = done(await ana.post("/team", {"name": "Gears"}), 201)
    hidden = await made_private(ana)
    shown = await ana.task(await ana.project("ENG"))
    related = {"kind": "relates", "taskId": hidden.task["id"]}
    done(await ana.post(f"/task/{shown['id']}/relations", related), 201)
    sent = await delivered(system, ana, hook["id"])
    known = {
        **hidden.ids,
        "organization_id": ana.org_id,
        "user_id": ben.id,
        "webhook_id": hook["id"],
        "delivery_id": sent.id,
        "team_id": team["id"],
        "task_id": hidden.task["id"],
        "concern": "watched",
    }
    paths = paths_of(app, _Known(known))
    assert len(paths) > 30

    for path in [*paths, "/task/HID-1", "/project/HID", "/project?status=ACTIVE", *OPEN]:
        seen = await ben.get(path, headers={"last-event-id": "0"})
        shown = seen.text + json.dumps(dict(seen.headers))
        own = path  # an error may repeat the path
        traces = [*hidden.traces, sent.event_id]
        assert not [trace for trace in traces if trace in shown.replace(own, "")], path

    assert sent.id in (await ana.get(f"/webhook/{hook['id']}/deliveries")).text


async def test_no_count_tells_of_it(app: Litestar, system: System, ana: Person) -> None:
    ben = await spy(app, system, ana, Role.MANAGER)
    paths = (f"/org/{ana.org_id}/usage", "/user/me")
    before = {path: done(await ben.get(path), 200) for path in paths}

    await made_private(ana)

    for path, counted in before.items():
        assert done(await ben.get(path), 200) == counted


class _Known(dict[str, str]):
    """Ids for the parameters of paths; whatever has none gets one that does not exist."""

    def __missing__(self, name: str) -> str:
        return str(UUID(int=1))


async def test_it_answers_as_what_does_not_exist(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await spy(app, system, ana, Role.MANAGER)
    hidden = await made_private(ana)
    ids, nowhere = hidden.ids, str(UUID(int=7))
    asked = [
        ("GET", "/project/{}", ids["project"], None),
        ("PATCH", "/project/{}", ids["project"], {"name": "Mine"}),
        ("DELETE", "/project/{}", ids["project"], None),
        ("POST", "/project/{}/archive?dry_run=true", ids["project"], None),
        ("POST", "/project/{}/members", ids["project"], {"userId": ben.id}),
        ("POST", "/project/{}/tasks", ids["project"], {"title": "Mine"}),
        ("GET", "/project/{}/tasks", ids["project"], None),
        ("GET", "/task/{}", ids["task"], None),
        ("PATCH", "/task/{}?dry_run=true", ids["task"], {"title": "Mine"}),
        ("POST", "/task/{}/status", ids["task"], {"status": "DONE", "force": True}),
        ("DELETE", "/task/{}", ids["task"], None),
        ("POST", "/task/{}/comments", ids["task"], {"body": "Mine"}),
        ("DELETE", "/label/{}", ids["label_id"], None),
        ("GET", "/task/{}", "HID-1", None),
    ]

    for method, path, name, body in asked:
        told = await ben.ask(method, path.format(name), json=body)
        missing = "XYZ-1" if name == "HID-1" else nowhere
        other = await ben.ask(method, path.format(missing), json=body)
        assert _told(told) == _told(other), (method, path)


def _told(response: httpx.Response) -> Any:
    problem = refused(response, 404, "not_found")
    return {name: value for name, value in problem.items() if name != "requestId"}


async def test_whoever_loses_sight_gets_no_stored_reply(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await spy(app, system, ana, Role.MEMBER)
    hidden = await made_private(ana)
    members = f"/project/{hidden.project['id']}/members"
    done(await ana.post(members, {"userId": ben.id}), 204)
    path, key = f"/task/{hidden.task['id']}", {"idempotency-key": "again"}
    done(await ben.ask("PATCH", path, json={"title": "Mine"}, headers=key), 200)
    assert [one["key"] for one in done(await ben.get("/project"), 200)["items"]] == ["HID"]

    done(await ana.delete(f"{members}/{ben.id}"), 204)

    again = await ben.ask("PATCH", path, json={"title": "Mine"}, headers=key)
    refused(again, 404, "not_found")
    assert done(await ben.get("/project"), 200)["items"] == []


async def test_open_tasks_lose_whoever_lost_sight_and_say_why(
    app: Litestar, system: System, read_side: Progress, ana: Person
) -> None:
    ben, cleo = [await spy(app, system, ana, Role.MEMBER) for _ in range(2)]
    project = await ana.project("ENG")
    task = await ana.task(project)
    for person in (ben, cleo):
        done(await ana.post(f"/task/{task['id']}/assignees", {"userId": person.id}), 200)
    done(await ana.post("/project/ENG/members", {"userId": cleo.id}), 204)
    done(await ana.patch("/project/ENG", {"visibility": "PRIVATE"}), 200)

    for _ in range(2):
        await LosingSight(system, read_side).act()

    assert done(await ana.get("/task/ENG-1"), 200)["assignees"] == [cleo.id]
    events = done(await ana.get("/audit?limit=100"), 200)["items"]
    [cause] = [event for event in events if event["type"] == "project.visibility_changed"]
    [gone] = [event for event in events if event["type"] == "task.unassigned"]
    assert gone["causationId"] == cause["id"]
    refused(
        await ana.post(f"/task/{task['id']}/assignees", {"userId": ben.id}),
        409,
        "cannot_see_project",
    )


async def assigned_through_a_team(ana: Person, ben: Person) -> str:
    """Assign ENG-1, of a private project, to somebody who sees it through a team; return that."""
    team = done(await ana.post("/team", {"name": "Gears"}), 201)
    done(await ana.post(f"/team/{team['id']}/members", {"userId": ben.id}), 200)
    body = {"key": "ENG", "name": "E", "teamId": team["id"], "visibility": "PRIVATE"}
    task = await ana.task(done(await ana.post("/project", body), 201))
    done(await ana.post(f"/task/{task['id']}/assignees", {"userId": ben.id}), 200)
    return str(team["id"])


async def test_whoever_leaves_the_team_loses_the_tasks_of_its_private_projects(
    app: Litestar, system: System, read_side: Progress, ana: Person
) -> None:
    ben = await spy(app, system, ana, Role.MEMBER)
    team = await assigned_through_a_team(ana, ben)
    done(await ben.delete(f"/team/{team}/members/{ben.id}"), 200)

    await LosingSight(system, read_side).act()

    assert done(await ana.get("/task/ENG-1"), 200)["assignees"] == []


@pytest.mark.parametrize("trashed", ["/project/ENG", "/task/ENG-1"])
async def test_whoever_lost_sight_of_what_is_in_the_trash_does_not_get_it_back(
    app: Litestar, system: System, read_side: Progress, ana: Person, trashed: str
) -> None:
    ben = await spy(app, system, ana, Role.MEMBER)
    team = await assigned_through_a_team(ana, ben)
    done(await ana.delete(trashed), 204)
    done(await ben.delete(f"/team/{team}/members/{ben.id}"), 200)
    await LosingSight(system, read_side).act()
    done(await ana.post(f"{trashed}/restore"), 200)

    await LosingSight(system, read_side).act()

    shown = done(await ana.get("/task/ENG-1"), 200)
    assert (shown["assignees"], shown["watchers"]) == ([], [ana.id])


async def test_whoever_leaves_the_organization_leaves_its_teams_and_projects(
    app: Litestar, system: System, read_side: Progress, ana: Person
) -> None:
    ben = await spy(app, system, ana, Role.MEMBER)
    team = done(await ana.post("/team", {"name": "Gears"}), 201)
    done(await ana.post(f"/team/{team['id']}/members", {"userId": ben.id}), 200)
    body = {"key": "ENG", "name": "E", "leadId": ben.id}
    done(await ana.post("/project", body), 201)
    done(await ana.post("/project/ENG/members", {"userId": ben.id}), 204)
    done(await ana.delete(f"/org/{ana.org_id}/members/{ben.id}"), 204)

    await Leaving(system, read_side).act()

    assert done(await ana.get(f"/team/{team['id']}"), 200)["members"] == []
    assert done(await ana.get("/project/ENG"), 200)["leadId"] is None
    members = done(await ana.get("/project/ENG/members"), 200)["items"]
    assert [member["userId"] for member in members] == [ana.id]
