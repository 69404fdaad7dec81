"""One's own account: name and time zone."""

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Person, done, join, refused, sign_up


async def test_name_and_time_zone_change_and_are_shown_as_in_a_later_read(ana: Person) -> None:
    changed = done(await ana.patch("/user/me", {"name": "Ana B", "timeZone": "Europe/Berlin"}), 200)

    assert (changed["name"], changed["timeZone"]) == ("Ana B", "Europe/Berlin")
    assert done(await ana.get("/user/me"), 200) == changed
    assert done(await ana.get("/auth/profile"), 200)["name"] == "Ana B"
    given_up = done(await ana.patch("/user/me", {"timeZone": None}), 200)
    assert (given_up["name"], given_up["timeZone"]) == ("Ana B", None)


async def test_what_is_no_name_or_time_zone_is_refused(ana: Person) -> None:
    refused(await ana.patch("/user/me", {"timeZone": "Mars/Olympus"}), 422, "unknown_time_zone")
    refused(await ana.patch("/user/me", {"name": " "}), 422, "invalid_request")
    refused(await ana.patch("/user/me", {"email": "new@example.com"}), 422, "invalid_request")


async def test_colleagues_see_the_new_name(ana: Person) -> None:
    done(await ana.patch("/user/me", {"name": "Ana C"}), 200)

    member = done(await ana.get(f"/org/{ana.org_id}/members/{ana.id}"), 200)
    assert member["user"]["name"] == "Ana C"


async def test_a_suspended_member_is_told_so_by_every_read_of_the_organization(
    system: System, app: Litestar, ana: Person
) -> None:
    ben = await sign_up(app, organization=False)
    await join(system, ben, ana.org_id, Role.MEMBER)
    done(await ana.patch(f"/org/{ana.org_id}/members/{ben.id}", {"active": False}), 200)

    for path in ("", "/members", "/usage", "/settings"):
        found = await ben.get(f"/org/{ana.org_id}{path}")
        refused(found, 403, "membership_suspended")


async def test_the_account_says_the_same_as_the_profile_and_more_about_the_organization(
    ana: Person,
) -> None:
    profile = done(await ana.get("/auth/profile"), 200)
    me = done(await ana.get("/user/me"), 200)

    assert {name: me[name] for name in profile} == profile
    assert me["organization"]["id"] == profile["organizationId"] == ana.org_id
    assert (me["plan"], me["role"]) == ("FREE", "ADMIN")
    assert me["limits"]["members"] > me["usage"]["members"] == 1
