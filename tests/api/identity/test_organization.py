"""Organizations and their members over HTTP."""

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Person, done, join, refused, sign_up, unique


class TestOrganization:
    async def test_a_user_can_create_an_organization_later_and_becomes_its_admin(
        self, app: Litestar
    ) -> None:
        person = await sign_up(app, organization=False)
        body = {"name": "Late Ltd", "subdomain": unique("l")[:30]}
        reserved = await person.post("/org", body | {"subdomain": "www"})
        refused(reserved, 422, "subdomain_not_allowed")

        response = await person.post("/org", body)

        organization = done(response, 201)
        assert response.headers["location"] == f"/api/org/{organization['id']}"
        me = done(await person.get("/user/me"), 200)
        assert (me["role"], me["organizationId"]) == ("ADMIN", organization["id"])
        assert me["organization"]["name"] == "Late Ltd"
        assert me["limits"]["projects"] == 5
        shown = await person.get(f"/org/{organization['id']}")
        assert shown.content == response.content

    async def test_nobody_else_can_take_a_subdomain_that_was_just_given_up(
        self, ana: Person, dan: Person
    ) -> None:
        path = f"/org/{ana.org_id}"
        old = done(await ana.get(path), 200)["subdomain"]
        new = unique("n")[:30]

        changed = done(await ana.patch(path, {"name": "Acme & Co", "subdomain": new}), 200)

        assert (changed["name"], changed["subdomain"]) == ("Acme & Co", new)
        assert done(await ana.get(path), 200) == changed
        taken = await dan.patch(f"/org/{dan.org_id}", {"subdomain": new})
        refused(taken, 409, "subdomain_taken")
        kept = await dan.patch(f"/org/{dan.org_id}", {"subdomain": old})
        refused(kept, 409, "subdomain_taken")
        done(await ana.patch(path, {"subdomain": old}), 200)

    @pytest.mark.parametrize("subdomain", ["-a", "a--bc", "A_b", "a" * 64, "www", "api", "ab"])
    async def test_a_malformed_or_reserved_subdomain_is_refused(
        self, ana: Person, subdomain: str
    ) -> None:
        response = await ana.patch(f"/org/{ana.org_id}", {"subdomain": subdomain})

        assert response.status_code == 422

    async def test_an_organization_can_change_its_plan(self, ana: Person) -> None:
        changed = done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "BASIC"}), 200)

        assert changed["plan"] == "BASIC"
        assert done(await ana.get("/user/me"), 200)["limits"]["members"] == 100
        refused(
            await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "GOLD"}), 422, "invalid_request"
        )

    async def test_a_deleted_organization_is_restored_with_everything_it_owns(
        self, ana: Person
    ) -> None:
        task = await ana.task(await ana.project())
        done(await ana.delete(f"/org/{ana.org_id}"), 204)

        assert done(await ana.get("/auth/profile"), 200)["organizationId"] is None
        refused(await ana.get(f"/org/{ana.org_id}"), 404, "not_found")
        refused(await ana.get("/task/ENG-1"), 409, "no_organization")

        restored = done(await ana.post(f"/org/{ana.org_id}/restore"), 200)
        assert restored["id"] == ana.org_id
        assert done(await ana.get("/task/ENG-1"), 200).items() >= task.items()

    async def test_restoring_an_organization_that_is_there_leads_back_into_it(
        self, ana: Person
    ) -> None:
        other = done(await ana.post("/org", {"name": "Late", "subdomain": unique()[:30]}), 201)
        assert done(await ana.get("/auth/profile"), 200)["organizationId"] == other["id"]

        restored = done(await ana.post(f"/org/{ana.org_id}/restore"), 200)

        assert restored["id"] == ana.org_id
        assert done(await ana.get("/auth/profile"), 200)["organizationId"] == ana.org_id

    async def test_a_change_of_nothing_needs_a_member_as_well(self, ana: Person) -> None:
        path = f"/org/{ana.org_id}/members/00000000-0000-0000-0000-000000000001"

        refused(await ana.patch(path, {}), 404, "not_found")

    async def test_only_its_admins_can_restore_an_organization(
        self, ana: Person, dan: Person
    ) -> None:
        done(await ana.delete(f"/org/{ana.org_id}"), 204)

        refused(await dan.post(f"/org/{ana.org_id}/restore"), 404, "not_found")


class TestMembers:
    async def test_members_are_listed_with_name_and_address(
        self, system: System, app: Litestar, ana: Person
    ) -> None:
        ben = await sign_up(app, organization=False)
        await join(system, ben, ana.org_id, Role.MEMBER)
        done(await ana.patch(f"/org/{ana.org_id}", {"name": "Acme II"}), 200)

        page = done(await ana.get(f"/org/{ana.org_id}/members"), 200)

        seen = {item["userId"]: item for item in page["items"]}
        assert seen[ana.id]["role"] == "ADMIN"
        assert seen[ben.id]["user"]["email"] == ben.email
        assert page["nextCursor"] is None
        one = done(await ana.get(f"/org/{ana.org_id}/members/{ben.id}"), 200)
        assert one == seen[ben.id]

    async def test_members_are_found_by_role_access_name_and_address(
        self, system: System, app: Litestar, ana: Person
    ) -> None:
        ben, cleo = [await sign_up(app, organization=False) for _ in range(2)]
        for person in (ben, cleo):
            await join(system, person, ana.org_id, Role.MEMBER)
        path = f"/org/{ana.org_id}/members"
        done(await ana.patch(f"{path}/{cleo.id}", {"active": False}), 200)

        async def found(query: str) -> set[str]:
            page = done(await ana.get(f"{path}?{query}"), 200)
            return {item["userId"] for item in page["items"]}

        assert await found("role=ADMIN") == {ana.id}
        assert await found("role=MEMBER") == {ben.id, cleo.id}
        assert await found("active=false") == {cleo.id}
        assert await found("role=MEMBER&active=true") == {ben.id}
        assert await found(f"q={ben.email.upper().replace('@', '%40')}") == {ben.id}
        assert await found(f"q={ben.email[:-8]}&active=false") == set()
        for query in ("role=OWNER", "active=perhaps", "q=", f"q={'x' * 101}"):
            refused(await ana.get(f"{path}?{query}"), 422, "invalid_request")

    async def test_the_cursor_of_a_filtered_list_of_members_leads_on_in_it(
        self, system: System, app: Litestar, ana: Person
    ) -> None:
        people = [await sign_up(app, organization=False) for _ in range(3)]
        for person in people:
            await join(system, person, ana.org_id, Role.MEMBER)
        path, seen = f"/org/{ana.org_id}/members?role=MEMBER&active=true&q=example&limit=2", []

        first = await ana.get(path)
        link = first.headers["link"].partition(">")[0].removeprefix("</api")
        for page in (first, await ana.get(link)):
            seen += [item["userId"] for item in done(page, 200)["items"]]
        cursor = done(first, 200)["nextCursor"]

        assert sorted(seen) == sorted(person.id for person in people)
        refused(
            await ana.get(f"/org/{ana.org_id}/members?cursor={cursor}"), 400, "malformed_request"
        )

    async def test_a_member_can_get_another_role(
        self, system: System, app: Litestar, ana: Person
    ) -> None:
        ben = await sign_up(app, organization=False)
        await join(system, ben, ana.org_id, Role.MEMBER)
        path = f"/org/{ana.org_id}/members/{ben.id}"

        refused(await ben.patch(path, {"role": "ADMIN"}), 403, "not_permitted")
        changed = done(await ana.patch(path, {"role": "MANAGER"}), 200)

        assert changed["role"] == "MANAGER"
        assert done(await ana.get(path), 200)["role"] == "MANAGER"
        assert done(await ben.get("/auth/profile"), 200)["role"] == "MANAGER"

    async def test_the_last_admin_cannot_leave_or_be_demoted(self, ana: Person) -> None:
        path = f"/org/{ana.org_id}/members/{ana.id}"

        for refusal in (
            await ana.patch(path, {"role": "MEMBER"}),
            await ana.patch(path, {"active": False}),
            await ana.delete(path),
        ):
            refused(refusal, 409, "last_admin")

    async def test_members_can_leave_and_be_removed(
        self, system: System, app: Litestar, ana: Person
    ) -> None:
        leaving = await sign_up(app, organization=False)
        removed = await sign_up(app, organization=False)
        for person in (leaving, removed):
            await join(system, person, ana.org_id, Role.MEMBER)

        done(await leaving.delete(f"/org/{ana.org_id}/members/{leaving.id}"), 204)
        refused(await removed.delete(f"/org/{ana.org_id}/members/{ana.id}"), 403, "not_permitted")
        done(await ana.delete(f"/org/{ana.org_id}/members/{removed.id}"), 204)

        page = done(await ana.get(f"/org/{ana.org_id}/members"), 200)
        assert [item["userId"] for item in page["items"]] == [ana.id]
        assert done(await removed.get("/auth/profile"), 200)["organizationId"] is None
