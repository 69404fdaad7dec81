"""Whoever leaves an organization loses its open tasks and their sessions in it, no others."""

import asyncio
from collections import Counter
from typing import Any

from litestar import Litestar

from commands.lint.walk import lint_log
from domain.identity.organization.membership import Role
from projections.engine.progress import Progress
from runtime.system import System
from tests.api.stage import (
    DEADLINE_S,
    Person,
    another_device,
    done,
    join,
    log_in,
    refused,
    sign_up,
)
from workers.consequences.leaving import Leaving


async def assigned(ana: Person, project: Any, ben: Person, title: str) -> Any:
    """Create a task that is assigned to *ben*."""
    task = await ana.task(project, title)
    await done_after(ana.post(f"/task/{task['id']}/assignees", {"userId": ben.id}))
    return task


async def switch(person: Person, org_id: str) -> None:
    """Let *person* work in another organization in this session."""
    switched = await person.post("/auth/switch-organization", {"organizationId": org_id})
    person.token = done(switched, 200)["accessToken"]


async def done_after(asked: Any) -> Any:
    response = await asked
    assert response.is_success, response.text
    return response


async def test_open_tasks_lose_whoever_left_and_say_why(
    system: System, app: Litestar, read_side: Progress, ana: Person
) -> None:
    ben, cleo = await sign_up(app), await sign_up(app, organization=False)
    own_organization, own = ben.org_id, await ben.task(await ben.project("OWN"), "His own")
    await done_after(ben.post(f"/task/{own['id']}/assignees", {"userId": ben.id}))
    for person in (ben, cleo):
        await join(system, person, ana.org_id, Role.MEMBER)
    project, other = await ana.project("ONE"), await ana.project("TWO")
    open_tasks = [await assigned(ana, project, ben, "Open"), await assigned(ana, other, ben, "Too")]
    finished = await assigned(ana, project, ben, "Finished")
    await done_after(ana.post(f"/task/{finished['id']}/status?path=auto", {"status": "DONE"}))
    of_cleo = await assigned(ana, project, cleo, "Of Cleo")
    done(await ana.delete(f"/org/{ana.org_id}/members/{ben.id}"), 204)

    await asyncio.gather(*(Leaving(system, read_side).act() for _ in range(3)))

    for task in open_tasks:
        assert done(await ana.get(f"/task/{task['id']}"), 200)["assignees"] == []
    assert done(await ana.get(f"/task/{finished['id']}"), 200)["assignees"] == [ben.id]
    assert done(await ana.get(f"/task/{of_cleo['id']}"), 200)["assignees"] == [cleo.id]
    ben.token = await log_in(ben.client, ben.email)
    await switch(ben, own_organization)
    assert done(await ben.get(f"/task/{own['id']}"), 200)["assignees"] == [ben.id]
    events = done(await ana.get("/audit?limit=100"), 200)["items"]
    [left] = [event for event in events if event["type"] == "member.left"]
    unassigned = [event for event in events if event["type"] == "task.unassigned"]
    assert Counter(event["stream"]["id"] for event in unassigned) == Counter(
        task["id"] for task in open_tasks
    )
    assert {event["causationId"] for event in unassigned} == {left["id"]}
    assert {event["actor"]["type"] for event in unassigned} == {"system"}


async def test_what_comes_back_from_the_trash_later_names_nobody_who_left(
    system: System, app: Litestar, read_side: Progress, ana: Person
) -> None:
    ben = await sign_up(app, organization=False)
    await join(system, ben, ana.org_id, Role.MEMBER)
    here, there = await ana.project("ONE"), await ana.project("TWO")
    lone = await assigned(ana, here, ben, "In the trash")
    above = await assigned(ana, here, ben, "Above")
    below = await ana.task(here, "Below", parentId=above["id"], assignees=[ben.id])
    inside = await assigned(ana, there, ben, "In a project there")
    deep = await assigned(ana, there, ben, "In the trash of one")
    for path in (f"/task/{lone['id']}", f"/task/{above['id']}", f"/task/{deep['id']}"):
        done(await ana.delete(path), 204)
    done(await ana.delete("/project/TWO"), 204)
    done(await ana.delete(f"/org/{ana.org_id}/members/{ben.id}"), 204)

    await asyncio.gather(*(Leaving(system, read_side).act() for _ in range(2)))

    done(await ana.post("/project/TWO/restore"), 200)
    for task in (lone, above, deep):
        back = done(await ana.post(f"/task/{task['id']}/restore"), 200)
        assert back["assignees"] == []
    for task in (lone, above, below, inside, deep):
        assert done(await ana.get(f"/task/{task['id']}"), 200)["assignees"] == []
    found = done(await ana.get(f"/task?assignee={ben.id}"), 200)["items"]
    assert found == []
    assert [str(each) async for each in lint_log(system.log)] == []


async def test_sessions_in_the_organization_end_and_those_elsewhere_go_on(
    system: System, app: Litestar, read_side: Progress, ana: Person
) -> None:
    ben = await sign_up(app)
    own_organization = ben.org_id
    await join(system, ben, ana.org_id, Role.MEMBER)
    client = another_device(ben)
    elsewhere = Person(client, ben.email, done(await ben.get("/auth/profile"), 200), "")
    elsewhere.token = await log_in(client, ben.email)
    await switch(elsewhere, own_organization)
    done(await ana.delete(f"/org/{ana.org_id}/members/{ben.id}"), 204)

    await Leaving(system, read_side).act()

    refused(await ben.get("/auth/profile"), 401, "unauthorized")
    done(await elsewhere.get("/auth/profile"), 200)
    await client.aclose()


async def test_an_admin_sees_and_ends_the_sessions_of_a_member_in_the_organization(
    system: System, ana: Person, dan: Person
) -> None:
    elsewhere = await log_in(another := another_device(dan), dan.email)
    await join(system, dan, ana.org_id, Role.MEMBER)
    path = f"/org/{ana.org_id}/members/{dan.id}/sessions"
    async with asyncio.timeout(DEADLINE_S):
        while not (sessions := done(await ana.get(path), 200)["items"]):  # noqa: ASYNC110 - his switch is his own; polls the API
            await asyncio.sleep(0.01)
    [session] = sessions
    assert session["organizationId"] == ana.org_id
    assert session["ip"] == "192.0.2.7"
    refused(await dan.get(path), 403, "not_permitted")
    refused(await dan.delete(path), 403, "not_permitted")

    done(await ana.delete(path), 204)

    refused(await dan.get("/auth/profile"), 401, "unauthorized")
    assert done(await ana.get(path), 200)["items"] == []
    headers = {"authorization": f"Bearer {elsewhere}"}
    done(await another.get("/api/auth/profile", headers=headers), 200)
    await another.aclose()
