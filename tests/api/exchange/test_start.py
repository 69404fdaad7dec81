"""What a client learns in one call when it starts."""

from litestar import Litestar

from domain.identity.organization.membership import Role
from domain.permission import ROLE_PERMISSIONS
from runtime.system import System
from tests.api.exchange.streams import member
from tests.api.stage import Person, done, refused, sign_up


async def test_one_call_returns_what_several_others_do(ana: Person) -> None:
    project = await ana.project()
    done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "BASIC"}), 200)
    workflow = {
        "statuses": [
            {"key": "NEW", "name": "New", "group": "TODO"},
            {"key": "OVER", "name": "Over", "group": "DONE"},
        ],
        "transitions": [{"from": "NEW", "to": "OVER"}],
    }
    done(await ana.ask("PUT", f"/project/{project['id']}/workflow", json=workflow), 200)

    start = done(await ana.get("/start?project=eng"), 200)

    assert start["me"] == done(await ana.get("/user/me"), 200)
    assert start["settings"] == done(await ana.get(f"/org/{ana.org_id}/settings"), 200)
    assert start["workflow"] == done(await ana.get("/project/ENG/workflow"), 200)
    assert start["enums"] == done(await ana.get("/meta/enums"), 200)
    assert start["permissions"] == [p for p in start["enums"]["Permission"] if p in _admin()]
    by_id = done(await ana.get(f"/start?project={project['id']}"), 200)
    assert by_id["workflow"] == start["workflow"]


def _admin() -> set[str]:
    return {each.value for each in ROLE_PERMISSIONS[Role.ADMIN]}


async def test_members_get_their_own_permissions_and_no_contacts(
    app: Litestar, system: System, ana: Person
) -> None:
    change = {"securityContacts": ["security@example.com"]}
    done(await ana.patch(f"/org/{ana.org_id}/settings", change), 200)
    ben = await member(app, system, ana, Role.MEMBER)

    of_ana, of_ben = [done(await each.get("/start"), 200) for each in (ana, ben)]

    assert of_ana["settings"]["securityContacts"] == ["security@example.com"]
    assert of_ben["settings"]["securityContacts"] is None
    assert "org:manage" in of_ana["permissions"]
    assert set(of_ben["permissions"]) == {p.value for p in ROLE_PERMISSIONS[Role.MEMBER]}
    assert of_ben["workflow"]["preset"] == "standard"


async def test_a_project_that_the_caller_does_not_see_is_not_there(
    app: Litestar, system: System, ana: Person, dan: Person
) -> None:
    project = await ana.project()
    done(await ana.patch("/project/ENG", {"visibility": "PRIVATE"}), 200)
    ben = await member(app, system, ana, Role.MANAGER)

    for person in (ben, dan):
        for named in ("ENG", project["id"], "NONE"):
            refused(await person.get(f"/start?project={named}"), 404, "not_found")


async def test_whoever_works_in_no_organization_gets_what_there_is(app: Litestar) -> None:
    eva = await sign_up(app, organization=False)

    start = done(await eva.get("/start"), 200)

    assert (start["settings"], start["permissions"], start["me"]["plan"]) == (None, [], None)
    refused(await eva.get("/start?project=ENG"), 409, "no_organization")
    await eva.client.aclose()
