"""A fork shows nobody what the original does not show them now."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import UUID

import pytest
from litestar import Litestar

from commands.lint.walk import lint_log
from domain.base import OrgId
from domain.identity.organization.membership import Role
from files.open import open_files
from projections.engine.progress import Progress
from runtime.system import System
from tests.api.exchange.streams import member
from tests.api.fork.forks import begun, end, enter, make
from tests.api.stage import Json, Person, done, refused
from workers.consequences.leaving import Leaving
from workers.consequences.losing_sight import LosingSight
from workers.consequences.purging import Purging


class _Cast(NamedTuple):
    """Ana, who is ADMIN, and people of other roles."""

    ana: Person
    ben: Person
    kim: Person
    eva: Person


@pytest.fixture
async def cast(system: System, app: Litestar, ana: Person) -> AsyncIterator[_Cast]:
    """Return the people, and look for what breaks a rule of the log once they are done."""
    ben = await member(app, system, ana, Role.MANAGER)
    kim = await member(app, system, ana, Role.MEMBER)
    yield _Cast(ana, ben, kim, await member(app, system, ana, Role.MEMBER))
    assert [str(each) async for each in lint_log(system.log)] == []


async def _private(cast: _Cast, *people: Person, key: str = "SEC") -> Json:
    asked = {"key": key, "name": "Secret", "visibility": "PRIVATE"}
    project: Json = done(await cast.ana.post("/project", asked), 201)
    for each in people:
        await _add(cast.ana, project, each)
    return project


async def _add(ana: Person, project: Json, person: Person) -> None:
    done(await ana.post(f"/project/{project['id']}/members", {"userId": person.id}), 204)


async def _remove(ana: Person, project: Json, person: Person) -> None:
    done(await ana.delete(f"/project/{project['id']}/members/{person.id}"), 204)


async def _head(system: System, ana: Person) -> str:
    return str(await system.log.organization_head(OrgId(UUID(ana.org_id))))


async def _keys(person: Person) -> list[str]:
    """Return the projects that somebody sees, in the order of their keys."""
    return [each["key"] for each in done(await person.get("/project"), 200)["items"]]


async def _titles(person: Person) -> set[str]:
    """Return the tasks that somebody sees."""
    return {each["title"] for each in done(await person.get("/task?limit=100"), 200)["items"]}


async def test_whoever_was_removed_from_a_private_project_does_not_see_it(
    system: System, cast: _Cast
) -> None:
    ana, ben, kim, eva = cast
    project = await _private(cast, ben, kim, eva)
    await ana.task(project, "Hidden")
    seq = await _head(system, ana)
    for each in (ben, kim):
        await _remove(ana, project, each)

    fork = await make(system, ana, seq)

    path = f"/project/{fork.ids.of(UUID(project['id']))}"
    for each in cast:
        await enter(each, fork)
    for each in (ben, kim):
        assert (await _keys(each), await _titles(each)) == ([], set())
        refused(await each.get(path), 404, "not_found")
        assert done(await each.get("/search?q=Hidden"), 200)["items"] == []
    for each in (ana, eva):
        assert (await _keys(each), await _titles(each)) == (["SEC"], {"Hidden"})


async def test_what_is_private_since_is_private(system: System, cast: _Cast) -> None:
    ana, ben, kim, eva = cast
    project = await ana.project()
    await ana.task(project, "Hidden")
    seq = await _head(system, ana)
    path = f"/project/{project['id']}"
    done(await ana.patch(path, {"visibility": "PRIVATE"}), 200)
    await _add(ana, project, kim)
    done(await ana.patch(path, {"leadId": ben.id}), 200)
    done(await ana.post(f"{path}/archive"), 200)

    fork = await make(system, ana, seq)

    for each in cast:
        await enter(each, fork)
    assert [await _keys(each) for each in cast] == [["ENG"], ["ENG"], ["ENG"], []]
    project_of_fork = done(await ana.get("/project/ENG"), 200)
    assert project_of_fork["visibility"] == "PRIVATE"
    assert project_of_fork["leadId"] is None
    refused(await eva.get("/project/ENG"), 404, "not_found")


async def test_whoever_left_the_team_of_a_private_project_does_not_see_it(
    system: System, cast: _Cast
) -> None:
    ana, ben, kim, eva = cast
    team = done(await ana.post("/team", {"name": "Crew"}), 201)
    for each in (ben, kim, eva):
        done(await ana.post(f"/team/{team['id']}/members", {"userId": each.id}), 200)
    project = await _private(cast)
    done(await ana.patch(f"/project/{project['id']}", {"teamId": team["id"]}), 200)
    await ana.task(project, "Hidden")
    assert await _keys(kim) == ["SEC"]
    seq = await _head(system, ana)
    done(await ana.delete(f"/team/{team['id']}/members/{kim.id}"), 200)
    done(await ana.delete(f"/org/{ana.org_id}/members/{eva.id}"), 204)

    fork = await make(system, ana, seq)

    for each in (ana, ben, kim):
        await enter(each, fork)
    assert [await _keys(each) for each in (ana, ben, kim)] == [["SEC"], ["SEC"], []]
    refused(
        await eva.post("/auth/switch-organization", {"organizationId": ana.org_id}),
        404,
        "not_found",
    )


async def test_whoever_led_a_team_may_do_no_more_by_that_than_now(
    system: System, cast: _Cast
) -> None:
    ana, ben, kim, eva = cast
    team = done(await ana.post("/team", {"name": "Crew"}), 201)
    members = f"/team/{team['id']}/members"
    for each in (kim, eva, ben):
        done(await ana.post(members, {"userId": each.id, "role": "LEAD"}), 200)
    project = await ana.project()
    done(await ana.patch(f"/project/{project['id']}", {"teamId": team["id"]}), 200)
    one, other = await ana.task(project), await ana.task(project)
    seq = await _head(system, ana)
    done(await ana.delete(f"{members}/{kim.id}"), 200)
    done(await ana.post(members, {"userId": eva.id, "role": "MEMBER"}), 200)
    for each in (kim, eva):
        refused(await each.delete(f"/task/{one['id']}"), 403, "not_permitted")

    fork = await make(system, ana, seq)

    for each in cast:
        await enter(each, fork)
    for each in (kim, eva):
        task = fork.ids.of(UUID(other["id"]))
        refused(await each.delete(f"/task/{task}"), 403, "not_permitted")
    shown = done(await ana.get(f"/team/{fork.ids.of(UUID(team['id']))}"), 200)
    roles = {each["userId"]: each["role"] for each in shown["members"]}
    assert (roles[ben.id], roles[eva.id], kim.id in roles) == ("LEAD", "MEMBER", False)


async def test_a_former_lead_of_a_private_project_does_not_see_it(
    system: System, cast: _Cast
) -> None:
    ana, ben, kim, eva = cast
    project = await _private(cast, kim)
    path = f"/project/{project['id']}"
    done(await ana.patch(path, {"leadId": ben.id}), 200)
    seq = await _head(system, ana)
    done(await ana.patch(path, {"leadId": eva.id}), 200)

    fork = await make(system, ana, seq)

    for each in cast:
        await enter(each, fork)
    assert [await _keys(each) for each in cast] == [["SEC"], [], ["SEC"], []]


async def test_where_a_task_was_before_it_became_private_is_seen_by_those_who_see_it_now(
    system: System, cast: _Cast
) -> None:
    ana, _, kim, _ = cast
    project, private = await ana.project(), await _private(cast, kim)
    task = await ana.task(project, "Hidden")
    seq = await _head(system, ana)
    asked = {"projectId": private["id"]}
    assert (await ana.post(f"/task/{task['id']}/move", asked)).is_success

    fork = await make(system, ana, seq)

    for each in cast:
        await enter(each, fork)
    assert [await _titles(each) for each in cast] == [{"Hidden"}, set(), {"Hidden"}, set()]


async def test_a_view_that_is_private_since_is_private(system: System, cast: _Cast) -> None:
    ana, ben, kim, _ = cast
    shared = {"name": "Mine", "shared": True}
    view = done(await ben.post("/view", shared), 201)
    other = done(await ben.post("/view", {"name": "Other", "shared": True}), 201)
    taken = done(await ben.post("/view", {"name": "other"}), 201)
    seq = await _head(system, ana)
    done(await ben.patch(f"/view/{view['id']}", {"shared": False}), 200)
    done(await ben.patch(f"/view/{taken['id']}", {"name": "Renamed"}), 200)
    done(await ben.patch(f"/view/{other['id']}", {"shared": False}), 200)

    fork = await make(system, ana, seq)

    for each in cast:
        await enter(each, fork)
    shown = [done(await each.get("/view"), 200)["items"] for each in (ben, kim, ana)]
    names = [{one["name"] for one in each} for each in shown]
    assert names == [{"Mine", "other"}, set(), set()]
    [gone] = done(await ben.get("/trash?type=view"), 200)["items"]
    assert gone["id"] == str(fork.ids.of(UUID(other["id"])))
    assert done(await kim.get("/trash?type=view"), 200)["items"] == []


async def test_what_everybody_sees_now_or_what_they_saw_stays(system: System, cast: _Cast) -> None:
    ana, _, kim, _ = cast
    project = await _private(cast, kim)
    await ana.project()
    seq = await _head(system, ana)
    done(await ana.patch(f"/project/{project['id']}", {"visibility": "ORGANIZATION"}), 200)

    fork = await make(system, ana, seq)

    for each in cast:
        await enter(each, fork)
    both = ["ENG", "SEC"]
    assert [await _keys(each) for each in cast] == [both, ["ENG"], both, ["ENG"]]


async def test_whoever_does_not_see_a_project_in_the_fork_is_let_go_of_its_tasks(
    system: System, cast: _Cast, read_side: Progress
) -> None:
    ana, ben, kim, eva = cast
    files = open_files(system.settings)
    project = await _private(cast, ben, kim, eva)
    task = await ana.task(project, "Shared", assignees=[ben.id, kim.id, eva.id])
    seq = await _head(system, ana)
    await _remove(ana, project, kim)
    done(await ana.delete(f"/org/{ana.org_id}/members/{eva.id}"), 204)
    followers = (
        LosingSight(system, read_side),
        Leaving(system, read_side),
        Purging(system, files, read_side),
    )
    for each in followers:
        await each.act()
    fork = begun(system, ana)
    await fork.begin(seq)
    await fork.copy(lambda *_: None)
    await fork.narrow()
    for each in followers:
        await each.act()

    await end(fork)

    await enter(ana, fork)
    path, left = f"/task/{fork.ids.of(UUID(task['id']))}", [ben.id, kim.id]
    async with asyncio.timeout(20):  # what is recorded in several appends may be read in parts
        while left != [ben.id]:
            for each in followers:
                await each.act()
            left = done(await ana.get(path), 200)["assignees"]


async def test_a_fork_that_goes_on_is_narrowed_once(system: System, cast: _Cast) -> None:
    ana, ben, kim, eva = cast
    project = await _private(cast, ben, kim, eva)
    seq = await _head(system, ana)
    await _remove(ana, project, kim)
    killed = begun(system, ana)
    await killed.begin(seq)
    await killed.copy(lambda *_: None)
    await killed.narrow()
    await _remove(ana, project, ben)

    again = begun(system, ana)
    again.subdomain = killed.subdomain
    await again.begin("")
    await end(again)

    for each in cast:
        await enter(each, again)
    assert [await _keys(each) for each in cast] == [["SEC"], [], [], ["SEC"]]
