"""Projects for tests of files of tasks, and how they are exported and imported."""

import asyncio
import json

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.exchange.streams import member
from tests.api.stage import Json, Person, done


async def exported(person: Person, project: Json) -> list[Json]:
    response = await person.get(f"/project/{project['id']}/export")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/jsonl"
    assert (
        response.headers["content-disposition"] == f'attachment; filename="{project["key"]}.jsonl"'
    )
    return [json.loads(line) for line in response.text.removesuffix("\n").split("\n")]


def in_lines(*tasks: Json) -> bytes:
    return "".join(json.dumps(task) + "\n" for task in tasks).encode()


async def imported(
    person: Person, project: Json, body: bytes, query: str = ""
) -> tuple[dict[str, Json], Json]:
    """Import a file; return the tasks that it became, by their external ids, and the import."""
    path = f"/project/{project['id']}/import{query}"
    response = await person.ask("POST", path, content=body)
    assert response.status_code == 202, response.text
    import_id = response.json()["importId"]
    assert response.headers["location"] == f"/api/import/{import_id}"
    return await origins(person, project), await until_ended(person, import_id)


async def until_ended(person: Person, import_id: str) -> Json:
    """Return an import that has ended, at the latest 30 s from now."""
    async with asyncio.timeout(30):
        while True:
            progress: Json = done(await person.get(f"/import/{import_id}"), 200)
            if progress["state"] != "RUNNING":
                return progress
            await asyncio.sleep(0.02)


async def origins(person: Person, project: Json) -> dict[str, Json]:
    """Return the imported tasks of a project by their external ids."""
    found: dict[str, Json] = {}
    cursor = ""
    while True:
        path = f"/project/{project['id']}/tasks?limit=100{cursor}"
        page = done(await person.get(path), 200)
        for task in page["items"]:
            if task["imported"] is not None:
                found[task["imported"]["externalId"]] = task
        if page["nextCursor"] is None:
            return found
        cursor = f"&cursor={page['nextCursor']}"


async def rehearsed(
    person: Person, project: Json, body: bytes, query: str = ""
) -> tuple[list[Json], Json]:
    """Return what would become of each line of a file, and the summary."""
    joint = "&" if query else "?"
    path = f"/project/{project['id']}/import{query}{joint}dry_run=true"
    response = await person.ask("POST", path, content=body)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/jsonl"
    *items, last = (json.loads(line) for line in response.text.removesuffix("\n").split("\n"))
    return items, last


async def head_of(person: Person) -> int:
    return int(done(await person.get("/audit?limit=1"), 200)["items"][0]["seq"])


async def full_project(app: Litestar, system: System, ana: Person) -> tuple[Json, Person]:
    """Return a project whose tasks have everything that a task can have, and who is assigned."""
    done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "BASIC"}), 200)
    project = await ana.project()
    ben = await member(app, system, ana, Role.MEMBER)
    label = done(await ana.post("/label", {"name": "Bug", "color": "#ff0000"}), 201)["id"]
    own = {"name": "Engine, only", "color": "#00ff00", "projectId": project["id"]}
    local = done(await ana.post("/label", own), 201)["id"]
    plan = await fields_in(ana, project)
    text = "Line 1\r\nLine 2, \"quoted\"; 'x'"
    parent = await ana.task(project, "Engine", description=text, mentions=[ben.id, ana.id])
    await ana.task(
        project,
        "=1+1",
        parentId=parent["id"],
        status="IN_PROGRESS",
        priority="URGENT",
        startDate="2027-01-01",
        dueDate="2027-01-31",
        estimate=5,
        assignees=[ben.id, ana.id],
        labels=[label, local],
        **plan,
        fields={"size": "L", "cost": 2.5, "kinds": ["a", "b"], "when": "2027-05-01", "who": ben.id},
    )
    await ana.task(project, "'=2", dueAt="2027-02-01T12:00:00Z", status="DONE", fields={"cost": 7})
    last = await ana.task(project, "Ünïcode 🚂")
    weekly, later = {"rrule": "FREQ=WEEKLY;COUNT=9"}, {"rrule": "FREQ=DAILY", "after": "completion"}
    for each, rule in ((parent, weekly), (last, later)):
        done(await ana.ask("PUT", f"/task/{each['id']}/recurrence", json=rule), 200)
    await _talk_about(ana, ben, parent, last)
    done(await ana.post(f"/task/{last['id']}/rank", {"before": parent["id"]}), 200)
    return project, ben


async def _talk_about(ana: Person, ben: Person, one: Json, other: Json) -> None:
    """Let two people comment on tasks, and say how these are related."""
    comments = f"/task/{one['id']}/comments"
    first = done(await ana.post(comments, {"body": "Done?\n=1+1", "mentions": [ben.id]}), 201)
    done(await ben.post(comments, {"body": "Söon 🚂", "parentId": first["id"]}), 201)
    done(await ben.post(f"/task/{other['id']}/comments", {"body": "Me too"}), 201)
    for task, kind, to in ((one, "blocks", other), (other, "relates", one)):
        body = {"kind": kind, "taskId": to["id"]}
        done(await ana.post(f"/task/{task['id']}/relations", body), 201)


async def fields_in(ana: Person, project: Json) -> Json:
    """Plan custom fields, a cycle and a milestone for a project; return the ids of both."""
    options = [{"key": "a", "name": "A"}, {"key": "b", "name": "B"}]
    for key, kind, more in (
        ("size", "text", {}),
        ("cost", "number", {}),
        ("kinds", "multi_select", {"options": options}),
        ("when", "date", {}),
        ("who", "user", {}),
    ):
        body = {"key": key, "name": key, "type": kind, **more}
        done(await ana.post(f"/project/{project['id']}/fields", body), 201)
    days = {"name": "Sprint, 1", "startsOn": "2027-01-01", "endsOn": "2027-01-14"}
    cycle = done(await ana.post(f"/project/{project['id']}/cycles", days), 201)
    beta = done(await ana.post(f"/project/{project['id']}/milestones", {"name": "Beta"}), 201)
    return {"cycleId": cycle["id"], "milestoneId": beta["id"]}


def without_keys(lines: list[Json]) -> list[Json]:
    return [{name: value for name, value in line.items() if name != "key"} for line in lines]
