"""Teams over HTTP."""

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Person, done, join, refused, sign_up


async def test_a_team_is_created_shown_and_listed_by_name(ana: Person) -> None:
    response = await ana.post("/team", {"name": "Wheels"})
    team = done(response, 201)
    gears = done(await ana.post("/team", {"name": "Gears"}), 201)

    shown = await ana.get(f"/team/{team['id']}")

    assert shown.content == response.content
    assert response.headers["location"] == f"/api/team/{team['id']}"
    first = done(await ana.get("/team?limit=1"), 200)
    rest = done(await ana.get(f"/team?limit=1&cursor={first['nextCursor']}"), 200)
    assert [*first["items"], *rest["items"]] == [gears, team]
    refused(await ana.post("/team", {"name": "GEARS"}), 409, "team_name_taken")
    refused(await ana.post("/team", {"name": "Shafts"}), 402, "plan_limit")


async def test_people_are_added_made_leads_and_removed(
    system: System, app: Litestar, ana: Person
) -> None:
    ben, cleo = await sign_up(app), await sign_up(app)
    for person in (ben, cleo):
        await join(system, person, ana.org_id, Role.MEMBER)
    team = done(await ana.post("/team", {"name": "Gears"}), 201)
    path = f"/team/{team['id']}"

    added = done(await ana.post(f"{path}/members", {"userId": ben.id}), 200)
    assert added["members"] == [{"userId": ben.id, "role": "MEMBER"}]
    refused(await ben.patch(path, {"name": "Shafts"}), 403, "not_permitted")
    done(await ana.patch(f"{path}/members/{ben.id}", {"role": "LEAD"}), 200)
    done(await ben.patch(path, {"name": "Shafts"}), 200)
    body = {"userId": cleo.id, "role": "MEMBER"}
    both = done(await ben.post(f"{path}/members", body), 200)
    assert sorted(m["userId"] for m in both["members"]) == sorted([ben.id, cleo.id])
    left = done(await cleo.delete(f"{path}/members/{cleo.id}"), 200)
    assert left["members"] == [{"userId": ben.id, "role": "LEAD"}]
    assert done(await cleo.get("/team"), 200)["items"] == [left]


async def test_a_deleted_team_is_hidden_and_can_be_restored(ana: Person) -> None:
    team = done(await ana.post("/team", {"name": "Gears"}), 201)
    path = f"/team/{team['id']}"
    done(await ana.delete(path), 204)

    refused(await ana.get(path), 404, "not_found")
    assert done(await ana.get("/team"), 200)["items"] == []
    usage = done(await ana.get(f"/org/{ana.org_id}/usage"), 200)
    assert (usage["used"]["teams"], usage["limits"]["teams"]) == (0, 2)

    restored = done(await ana.post(f"{path}/restore"), 200)
    same = {**team, "version": restored["version"], "updatedAt": restored["updatedAt"]}
    assert restored == same


async def test_another_organization_finds_no_team_of_ours(ana: Person, dan: Person) -> None:
    team = done(await ana.post("/team", {"name": "Gears"}), 201)
    path = f"/team/{team['id']}"

    refused(await dan.get(path), 404, "not_found")
    refused(await dan.patch(path, {"name": "Ours"}), 404, "not_found")
    refused(await dan.post(f"{path}/members", {"userId": dan.id}), 404, "not_found")
    assert done(await dan.get("/team"), 200)["items"] == []
