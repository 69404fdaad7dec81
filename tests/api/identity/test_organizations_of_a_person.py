"""The organizations of one person: each session works in one of them."""

import asyncio

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.conftest import Make
from tests.api.stage import (
    DEADLINE_S,
    Json,
    Person,
    another_device,
    client_of,
    done,
    join,
    log_in,
    refused,
    sign_up,
)

SWITCH, LIST = "/auth/switch-organization", "/user/me/organizations"


async def second_session(person: Person) -> Person:
    """Log the same person in on another device."""
    device = another_device(person)
    token = await log_in(device, person.email)
    return Person(device, person.email, {"id": person.id, "organizationId": None}, token)


async def works_in(person: Person) -> str | None:
    """Return the organization that the person's session works in."""
    profile: Json = done(await person.get("/auth/profile"), 200)
    found: str | None = profile["organizationId"]
    return found


async def switch(person: Person, org_id: str) -> None:
    """Switch the person's session to another organization."""
    answer = done(await person.post(SWITCH, {"organizationId": org_id}), 200)
    person.token = answer["accessToken"]


async def listed(person: Person) -> dict[str, Json]:
    """Return the person's organizations by id."""
    items = done(await person.get(LIST), 200)["items"]
    return {item["id"]: item for item in items}


async def until_listed(person: Person, *org_ids: str) -> dict[str, Json]:
    """Return the person's organizations once these are among them.

    The tests record memberships like another process, whose writes are read a moment later.
    """
    async with asyncio.timeout(DEADLINE_S):
        while not set(org_ids) <= (seen := await listed(person)).keys():  # noqa: ASYNC110 - polls the API
            await asyncio.sleep(0.01)
    return seen


async def test_a_switch_changes_this_session_only(
    system: System, make_app: Make, ana: Person, dan: Person
) -> None:
    own, theirs = dan.org_id, ana.org_id
    await join(system, dan, theirs, Role.MEMBER)
    phone = await second_session(dan)
    assert await works_in(phone) == theirs

    await switch(phone, own)

    assert (await works_in(phone), await works_in(dan)) == (own, theirs)
    done(await phone.post("/project", {"key": "OWN", "name": "Mine"}), 201)
    refused(await dan.post("/project", {"key": "OWN", "name": "Not mine"}), 403, "not_permitted")
    async with client_of(make_app()) as elsewhere:  # another process knows, too
        for session, org_id in ((phone, own), (dan, theirs)):
            headers = {"authorization": f"Bearer {session.token}"}
            profile = done(await elsewhere.get("/api/auth/profile", headers=headers), 200)
            assert profile["organizationId"] == org_id
    assert await works_in(await second_session(dan)) == own, "where the person chose to be last"


async def test_tokens_name_the_organization_of_their_session(
    system: System, ana: Person, dan: Person
) -> None:
    own = dan.org_id
    await join(system, dan, ana.org_id, Role.MEMBER)

    await switch(dan, own)
    refreshed = done(await dan.client.post("/api/auth/refresh-token"), 200)["accessToken"]

    for token in (dan.token, refreshed):
        assert str(system.keys.tokens.verify(token, system.clock()).org) == own


async def test_a_person_lists_their_organizations_and_sees_which_one_is_active(
    system: System, ana: Person, dan: Person
) -> None:
    own, theirs = dan.org_id, ana.org_id
    await join(system, dan, theirs, Role.MANAGER)
    phone = await second_session(dan)
    await switch(phone, own)

    await until_listed(dan, theirs)
    on_laptop, on_phone = await listed(dan), await listed(phone)

    assert set(on_laptop) == set(on_phone) == {own, theirs}
    roles = {org_id: item["role"] for org_id, item in on_laptop.items()}
    assert roles == {own: "ADMIN", theirs: "MANAGER"}
    assert [i for i, item in on_laptop.items() if item["active"]] == [theirs]
    assert [i for i, item in on_phone.items() if item["active"]] == [own]
    assert set(await listed(ana)) == {theirs}, "those of others are nobody's business"


async def test_organizations_are_listed_page_by_page(system: System, app: Litestar) -> None:
    person = await sign_up(app)
    made = [person.org_id]
    for other in [await sign_up(app) for _ in range(3)]:
        await join(system, person, other.org_id, Role.MEMBER)
        made.append(other.org_id)

    await until_listed(person, *made)
    found: list[str] = []
    page = done(await person.get(f"{LIST}?limit=2"), 200)
    found += [item["id"] for item in page["items"]]
    page = done(await person.get(f"{LIST}?limit=2&cursor={page['nextCursor']}"), 200)
    found += [item["id"] for item in page["items"]]

    assert found == sorted(made)
    assert page["nextCursor"] is None


async def test_whoever_is_suspended_or_removed_can_work_elsewhere(
    system: System, ana: Person, dan: Person
) -> None:
    own, theirs = dan.org_id, ana.org_id
    await join(system, dan, theirs, Role.MEMBER)
    membership = f"/org/{theirs}/members/{dan.id}"
    done(await ana.patch(membership, {"active": False}), 200)

    refused(await dan.get("/project"), 403, "membership_suspended")
    refused(await dan.post("/project", {"key": "X", "name": "X"}), 403, "membership_suspended")
    assert await works_in(dan) is None
    seen = await until_listed(dan, theirs)
    assert (seen[theirs]["suspended"], seen[own]["suspended"]) == (True, False)
    refused(await dan.post(SWITCH, {"organizationId": theirs}), 404, "not_found")
    await switch(dan, own)
    done(await dan.get("/project"), 200)

    done(await ana.patch(membership, {"active": True}), 200)
    await switch(dan, theirs)
    done(await ana.delete(membership), 204)
    refused(await dan.get("/project"), 409, "no_organization")
    assert set(await listed(dan)) == {own}
    await switch(dan, own)
    assert await works_in(dan) == own
