"""Who may undo what: their own changes or those of others, as far as they may do the opposite."""

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.exchange.streams import member
from tests.api.exchange.undo.undoing import named, shown, told, undo
from tests.api.keys import ask, create
from tests.api.stage import Person, done, refused, sign_up

TITLE = {"title": "New"}


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MANAGER, Role.MEMBER])
async def test_everybody_undoes_what_they_did(
    app: Litestar, system: System, ana: Person, role: Role
) -> None:
    ben = await member(app, system, ana, role)
    task = await ana.task(await ana.project(), "Old")
    await named(ben, "PATCH", f"/task/{task['id']}", TITLE)

    assert told(await undo(ben)) == (1, 0, [])


@pytest.mark.parametrize(
    ("role", "may"), [(Role.ADMIN, True), (Role.MANAGER, True), (Role.MEMBER, False)]
)
async def test_only_some_undo_what_others_did(
    app: Litestar, system: System, ana: Person, role: Role, may: bool
) -> None:
    ben = await member(app, system, ana, role)
    task = await ana.task(await ana.project(), "Old")
    await named(ana, "PATCH", f"/task/{task['id']}", TITLE)

    if may:
        assert told(await undo(ben)) == (1, 0, [])
    else:
        problem = refused(await ben.post("/undo/spring-cleaning"), 403, "not_permitted")
        assert problem["needs"] == "change:undo_others"
    found = await shown(ana, f"/task/{task['id']}")
    assert found["title"] == ("Old" if may else "New")


async def test_a_member_undoes_their_own_part_of_what_several_did(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await member(app, system, ana, Role.MEMBER)
    task = await ana.task(await ana.project(), "Old")
    await named(ana, "PATCH", f"/task/{task['id']}", TITLE)
    await named(ben, "PATCH", f"/task/{task['id']}", {"priority": "HIGH"})

    undone = await undo(ben)

    assert told(undone) == (1, 0, ["title: not_permitted"])


async def test_the_opposite_needs_the_permission_that_it_needs_alone(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await member(app, system, ana, Role.MANAGER)
    project = await ana.project()
    await named(ben, "POST", f"/project/{project['id']}/archive")
    done(await ana.patch(f"/org/{ana.org_id}/members/{ben.id}", {"role": "MEMBER"}), 200)

    assert told(await undo(ben)) == (0, 0, ["status: not_permitted"])
    assert told(await undo(ana)) == (1, 0, [])


async def test_what_is_in_a_private_project_is_not_there_for_others(
    app: Litestar, system: System, ana: Person
) -> None:
    ben = await member(app, system, ana, Role.MANAGER)
    project, other = await ana.project(), await ana.project("OPS")
    hidden, seen = await ana.task(project, "Old"), await ana.task(other, "Old")
    await named(ana, "PATCH", f"/task/{hidden['id']}", TITLE)
    done(await ana.patch("/project/ENG", {"visibility": "PRIVATE"}), 200)

    unknown = refused(await ben.post("/undo/never-sent"), 404, "not_found")
    nothing = refused(await ben.post("/undo/spring-cleaning"), 404, "not_found")
    await named(ana, "PATCH", f"/task/{seen['id']}", TITLE)
    part = await undo(ben)

    assert {**nothing, "requestId": ""} == {**unknown, "requestId": ""}
    assert told(part) == (1, 0, [])
    assert (await shown(ana, f"/task/{hidden['id']}"))["title"] == "New"
    assert told(await undo(ana)) == (1, 1, [])


async def test_what_another_organization_did_is_not_there(app: Litestar, ana: Person) -> None:
    dan = await sign_up(app)
    task = await ana.task(await ana.project(), "Old")
    theirs = await dan.task(await dan.project(), "Old")
    await named(ana, "PATCH", f"/task/{task['id']}", TITLE)
    refused(await dan.post("/undo/spring-cleaning"), 404, "not_found")
    await named(dan, "PATCH", f"/task/{theirs['id']}", TITLE)

    assert told(await undo(dan)) == (1, 0, [])

    assert (await shown(ana, f"/task/{task['id']}"))["title"] == "New"


async def test_a_key_undoes_as_far_as_its_scopes_go(ana: Person) -> None:
    task = await ana.task(await ana.project(), "Old")
    await named(ana, "PATCH", f"/task/{task['id']}", TITLE)
    comment = await named(ana, "POST", f"/task/{task['id']}/comments", {"body": "Look"})
    scopes = {"task": ["read", "edit"], "change": ["undo"]}
    key = (await create(ana, scopes=scopes))["key"]
    without = (await create(ana, name="CD", scopes={"task": ["read", "edit"]}))["key"]

    refused(await ask(ana, without, "POST", "/undo/spring-cleaning"), 403, "scope_missing")
    undone = done(await ask(ana, key, "POST", "/undo/spring-cleaning"), 200)

    assert told(undone) == (1, 0, ["None: scope_missing"])
    assert undone["conflicts"][0]["ref"] == {"type": "comment", "id": comment["id"]}
