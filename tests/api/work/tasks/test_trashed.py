"""Lists of the tasks in the trash: the same route, for those who may see them there."""

from datetime import datetime

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.keys import ask, create
from tests.api.stage import Json, Person, done, join, refused, sign_up


async def keys(person: Person, query: str = "", path: str = "/task") -> list[str]:
    """Return the keys of what is in the trash, in the order of the list."""
    page = done(await person.get(f"{path}?deleted=true{query}"), 200)
    return [task["key"] for task in page["items"]]


async def thrown_away(ana: Person, *others: Person) -> Json:
    """Let each person create a task in each of two projects, and Ana delete them all."""
    eng = await ana.project()
    await ana.project("OPS")
    for person in (ana, *others):
        for key in ("ENG", "OPS"):
            project = done(await person.get(f"/project/{key}"), 200)
            await person.task(project, assignees=[ana.id] if key == "ENG" else [])
    for number in range(len(others) + 1):
        for key in ("ENG", "OPS"):
            done(await ana.delete(f"/task/{key}-{number + 1}"), 204)
    return dict(eng)


async def test_they_are_shown_with_when_they_were_deleted_and_filtered_and_sorted(
    ana: Person,
) -> None:
    project = await thrown_away(ana)
    kept = await ana.task(project)
    await ana.task(project, parentId=kept["id"])
    here = done(await ana.get("/task?deleted=false&sort=key"), 200)["items"]
    assert [task["key"] for task in here] == ["ENG-2", "ENG-3"]

    found = done(await ana.get("/task?deleted=true&sort=key"), 200)["items"]

    assert [task["key"] for task in found] == ["ENG-1", "OPS-1"]
    assert all(datetime.fromisoformat(task["deletedAt"]) for task in found)
    assert kept["deletedAt"] is None
    assert await keys(ana, "&sort=-key") == ["OPS-1", "ENG-1"]
    assert await keys(ana, f"&assignee={ana.id}") == ["ENG-1"]
    assert await keys(ana, f"&creator={ana.id}&project=ops&sort=rank") == ["OPS-1"]
    assert await keys(ana, "", f"/project/{project['id']}/tasks") == ["ENG-1"]
    # What a deletion hides is restored with it: it is not in the trash by itself.
    done(await ana.delete(f"/task/{kept['key']}"), 204)
    assert await keys(ana, "&sort=key") == ["ENG-1", "ENG-2", "OPS-1"]
    done(await ana.post("/task/ENG-2/restore"), 200)
    done(await ana.delete("/project/OPS"), 204)
    assert await keys(ana) == ["ENG-1"]


async def test_what_is_purged_is_no_longer_in_the_trash(ana: Person) -> None:
    project = await thrown_away(ana)
    [task] = done(await ana.get(f"/project/{project['id']}/tasks?deleted=true"), 200)["items"]

    done(await ana.delete(f"/trash/task/{task['id']}"), 204)

    assert await keys(ana) == ["OPS-1"]


@pytest.mark.parametrize("sort", ["newest", "key", "field:size"])
async def test_members_see_their_own_and_leads_those_of_their_teams(
    ana: Person, app: Litestar, system: System, sort: str
) -> None:
    ben, cleo, dora = [await sign_up(app, organization=False) for _ in range(3)]
    for person, role in ((ben, Role.MANAGER), (cleo, Role.MEMBER), (dora, Role.MEMBER)):
        await join(system, person, ana.org_id, role)
    await thrown_away(ana, cleo, dora)
    team = done(await ana.post("/team", {"name": "Gears"}), 201)["id"]
    done(await ana.post(f"/team/{team}/members", {"userId": dora.id, "role": "LEAD"}), 200)
    done(await ana.patch("/project/OPS", {"teamId": team}), 200)
    every = [f"{key}-{number}" for key in ("ENG", "OPS") for number in (1, 2, 3)]
    order = f"&sort={sort}"

    assert sorted(await keys(ana, order)) == sorted(await keys(ben, order)) == every
    assert sorted(await keys(cleo, order)) == ["ENG-2", "OPS-2"]
    assert sorted(await keys(dora, order)) == ["ENG-3", "OPS-1", "OPS-2", "OPS-3"]
    assert sorted(await keys(dora, f"{order}&creator={ana.id}")) == ["OPS-1"]
    assert await keys(cleo, f"{order}&creator={ana.id}") == []
    assert await keys(cleo, f"{order}&creator={cleo.id}&project=ENG") == ["ENG-2"]
    for person in (ben, cleo, dora):
        await person.client.aclose()


async def test_a_private_project_shows_its_trash_to_nobody_else(
    ana: Person, app: Litestar, system: System
) -> None:
    ben = await sign_up(app, organization=False)
    await join(system, ben, ana.org_id, Role.MANAGER)
    project = await thrown_away(ana)
    done(await ana.patch("/project/OPS", {"visibility": "PRIVATE"}), 200)
    done(await ana.patch("/project/ENG", {"visibility": "PRIVATE"}), 200)

    assert await keys(ben) == []
    refused(await ben.get(f"/project/{project['id']}/tasks?deleted=true"), 404, "not_found")
    await ben.client.aclose()


async def test_a_key_needs_the_scope_of_the_trash(ana: Person) -> None:
    await thrown_away(ana)
    reading, emptying = [
        (await create(ana, scopes={"task": ["read"], **more}))["key"]
        for more in ({}, {"trash": ["read"]})
    ]

    refused(await ask(ana, reading, "GET", "/task?deleted=true"), 403, "scope_missing")
    assert done(await ask(ana, reading, "GET", "/task?deleted=false"), 200)["items"] == []
    found = done(await ask(ana, emptying, "GET", "/task?deleted=true"), 200)["items"]
    assert sorted(task["key"] for task in found) == ["ENG-1", "OPS-1"]
