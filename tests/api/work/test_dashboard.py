"""The dashboard shows in one call what matters to the caller now."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.keys import change_plan
from tests.api.stage import Json, Person, done, join, sign_up

NONE = {"TODO": 0, "IN_PROGRESS": 0, "IN_REVIEW": 0, "DONE": 0, "CANCELLED": 0}
EMPTY: Json = {"projects": 0, "open": 0, "byStatus": NONE, "dueSoon": [], "recent": [], "mine": []}
FIELDS = ("dueSoon", "recent", "mine")


async def dashboard(person: Person, after: httpx.Response | None = None) -> Any:
    """Return the dashboard of *person* that tells of everything until the response *after*."""
    headers = {} if after is None else {"x-min-position": after.headers["x-position"]}
    return done(await person.get("/dashboard", headers=headers), 200)


def keys(shown: Any) -> dict[str, list[str]]:
    return {name: [task["key"] for task in shown[name]] for name in FIELDS}


async def everything(person: Person, key: str, **fields: Any) -> Any:
    """Create a project with a task that belongs to every part of the dashboard of *person*."""
    project = done(await person.post("/project", {"key": key, "name": key, **fields}), 201)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    task = await person.task(project, f"{key} task", dueDate=str(tomorrow), assignees=[person.id])
    return project, task


async def test_a_new_organization_has_an_empty_one(ana: Person) -> None:
    assert await dashboard(ana) == EMPTY


async def test_it_counts_and_lists_tasks_of_all_projects(ana: Person) -> None:
    await everything(ana, "ENG")
    project, _ = await everything(ana, "HR")
    await ana.task(project)
    done(await ana.post("/task/HR-2/status", {"status": "IN_PROGRESS"}), 200)
    await ana.task(project, "Dropped", status="CANCELLED", assignees=[ana.id])

    shown = await dashboard(ana)

    assert (shown["projects"], shown["open"]) == (2, 3)
    assert shown["byStatus"] == NONE | {"TODO": 2, "IN_PROGRESS": 1, "CANCELLED": 1}
    assert keys(shown) == {
        "dueSoon": ["ENG-1", "HR-1"],
        "recent": ["HR-3", "HR-2", "HR-1", "ENG-1"],
        "mine": ["HR-1", "ENG-1"],
    }
    assert shown["mine"][1] == done(await ana.get("/task/ENG-1"), 200)


async def test_it_shows_at_most_ten_tasks_of_each_kind(ana: Person) -> None:
    project, _ = await everything(ana, "ENG")
    due = str((datetime.now(UTC) + timedelta(days=2)).date())
    for n in range(11):
        await ana.task(project, f"Task {n}", dueDate=due, assignees=[ana.id])

    shown = await dashboard(ana)

    assert shown["open"] == 12
    assert [len(shown[name]) for name in FIELDS] == [10, 10, 10]
    assert (shown["dueSoon"][0]["key"], shown["recent"][0]["key"]) == ("ENG-1", "ENG-12")


async def test_soon_ends_with_the_seventh_day_in_the_time_zone_of_the_organization(
    ana: Person,
) -> None:
    zone = ZoneInfo("Pacific/Kiritimati")  # 14 hours ahead of UTC
    done(await ana.patch(f"/org/{ana.org_id}/settings", {"timeZone": zone.key}), 200)
    project = await ana.project()
    now = datetime.now(zone)
    today = now.date()
    last = datetime.combine(today + timedelta(days=7), datetime.max.time(), zone)
    for title, fields in {
        "today": {"dueDate": str(today)},
        "overdue": {"dueDate": str(today - timedelta(days=1))},
        "an hour ago": {"dueAt": (now - timedelta(hours=1)).isoformat()},
        "last day": {"dueDate": str(today + timedelta(days=7))},
        "too late": {"dueDate": str(today + timedelta(days=8))},
        "last minute": {"dueAt": (last - timedelta(minutes=1)).isoformat()},
        "a minute too late": {"dueAt": (last + timedelta(minutes=1)).isoformat()},
        "finished": {"dueDate": str(today), "status": "DONE"},
        "never": {},
    }.items():
        await ana.task(project, title, **fields)

    shown = await dashboard(ana)

    titles = [task["title"] for task in shown["dueSoon"]]
    assert titles == ["today", "last minute", "last day"]


async def test_tasks_have_the_keys_and_statuses_that_their_projects_give_them_now(
    ana: Person,
) -> None:
    project, _ = await everything(ana, "ENG")
    done(await ana.patch("/project/ENG", {"key": "GEAR"}), 200)
    await change_plan(ana, "BASIC")
    statuses = [
        {"key": "NEXT", "name": "Next", "group": "IN_PROGRESS"},
        {"key": "OPEN", "name": "Open", "group": "TODO"},
        {"key": "OUT", "name": "Out", "group": "DONE"},
    ]
    steps = [{"from": "OPEN", "to": "NEXT"}, {"from": "NEXT", "to": "OUT"}]
    gone = {"TODO": "NEXT", "IN_PROGRESS": "NEXT", "IN_REVIEW": "NEXT"}
    body = {
        "statuses": statuses,
        "transitions": steps,
        "moved": gone | {"DONE": "OUT", "CANCELLED": "OUT"},
    }
    workflow = f"/project/{project['id']}/workflow"
    changed = await ana.ask("PUT", workflow, json=body)
    assert changed.status_code == 200, changed.text

    shown = await dashboard(ana)

    assert shown["byStatus"] == NONE | {"IN_PROGRESS": 1}
    for name in FIELDS:
        [task] = shown[name]
        assert (task["key"], task["status"], task["group"]) == ("GEAR-1", "NEXT", "IN_PROGRESS")


async def test_archived_and_deleted_projects_are_left_out(ana: Person) -> None:
    for key in ("OLD", "BIN", "ENG"):
        await everything(ana, key)
    done(await ana.post("/project/OLD/archive"), 200)
    done(await ana.delete("/project/BIN"), 204)
    done(await ana.post("/project/ENG/hold"), 200)

    shown = await dashboard(ana)

    assert (shown["projects"], shown["open"]) == (1, 1)
    assert keys(shown) == {name: ["ENG-1"] for name in FIELDS}


async def test_nothing_tells_a_spy_of_a_private_project_or_of_another_organization(
    app: Litestar, system: System, ana: Person, dan: Person
) -> None:
    spy = await sign_up(app, organization=False)
    await join(system, spy, ana.org_id, Role.MANAGER)
    _, seen = await everything(ana, "ENG")
    last = await ana.patch(f"/task/{seen['id']}", {"title": "Seen"})
    before = await dashboard(spy, last)
    assert (before["projects"], keys(before)["recent"]) == (1, ["ENG-1"])
    assert before["mine"] == []

    hidden, task = await everything(ana, "HID", visibility="PRIVATE")
    last = await ana.post(f"/task/{task['id']}/status", {"status": "IN_PROGRESS"})
    theirs, _ = await everything(dan, "ENG")

    assert await dashboard(spy, last) == before
    assert (await dashboard(ana))["projects"] == 2
    shown = await dashboard(dan)
    assert (shown["projects"], shown["open"]) == (1, 1)
    assert {one["projectId"] for name in FIELDS for one in shown[name]} == {theirs["id"]}

    done(await ana.post(f"/project/{hidden['id']}/members", {"userId": spy.id}), 204)
    assert keys(await dashboard(spy))["dueSoon"] == ["ENG-1", "HID-1"]
