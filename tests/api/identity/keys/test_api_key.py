"""API keys: created once, used instead of a token, rotated and revoked."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from litestar import Litestar

from domain.identity.organization.membership import (
    Role,
)
from runtime.system import System
from tests.api.keys import SCOPES, ask, change_plan, create
from tests.api.stage import (
    DEADLINE_S,
    MovableClock,
    Person,
    another_device,
    done,
    join,
    refused,
    sign_up,
    stored_events,
)


class TestCreating:
    async def test_a_key_is_shown_once_and_found_by_how_it_begins_and_ends(
        self, ana: Person
    ) -> None:
        made = await create(ana, networks=["192.0.2.0/24"])
        key = made.pop("key")
        made["lastUsedAt"] = None

        assert key.startswith(made["prefix"])
        assert key.endswith(made["last4"])
        assert made["createdBy"] == ana.id
        assert made["scopes"] == {"task": ["create", "edit", "read"], "project": ["create", "read"]}
        assert done(await ana.get("/apikey"), 200)["items"] == [made]
        assert done(await ana.get(f"/apikey/{made['id']}"), 200) == made

    async def test_a_key_lives_for_90_days_unless_something_else_is_asked(
        self, ana: Person, clock: MovableClock
    ) -> None:
        made = await create(ana)
        until = clock() + timedelta(days=365)
        longest = await create(ana, expiresAt=(until - timedelta(seconds=1)).isoformat())
        await change_plan(ana, "BASIC")

        assert made["expiresAt"] < longest["expiresAt"]
        for wrong in (until + timedelta(days=1), clock() - timedelta(seconds=1)):
            body = {"name": "CI", "scopes": SCOPES, "expiresAt": wrong.isoformat()}
            refused(await ana.post("/apikey", body), 422, "expiry_not_allowed")
        without_offset = {"name": "CI", "scopes": SCOPES, "expiresAt": "2030-01-01T00:00:00"}
        refused(await ana.post("/apikey", without_offset), 422, "invalid_request")

    @pytest.mark.parametrize(
        "scopes",
        [{"member": ["invite"]}, {"org": ["manage"]}, {"apikey": ["create"]}, {"task": ["fly"]}],
    )
    async def test_what_no_key_can_do_is_no_scope(self, ana: Person, scopes: Any) -> None:
        problem = refused(
            await ana.post("/apikey", {"name": "CI", "scopes": scopes}), 422, "invalid_request"
        )

        assert problem["errors"][0]["path"] == f"$.scopes.{next(iter(scopes))}"

    async def test_a_key_needs_a_scope(self, ana: Person) -> None:
        body = {"name": "CI", "scopes": {}}
        refused(await ana.post("/apikey", body), 403, "scope_not_allowed")

    @pytest.mark.parametrize("network", ["192.0.2.1/24", "everywhere", "", "::1/200"])
    async def test_what_is_no_network_is_refused(self, ana: Person, network: str) -> None:
        body = {"name": "CI", "scopes": SCOPES, "networks": [network]}
        refused(await ana.post("/apikey", body), 422, "invalid_request")


class TestUsing:
    async def test_a_key_works_as_bearer_token_and_in_a_header_of_its_own(
        self, ana: Person
    ) -> None:
        key = (await create(ana))["key"]
        project = done(
            await ask(ana, key, "POST", "/project", json={"key": "ENG", "name": "Engine"}), 201
        )
        async with another_device(ana) as program:
            headers = {"authorization": f"Bearer {key}"}
            shown = await program.get(f"/api/project/{project['id']}", headers=headers)

        assert done(shown, 200) == project

    async def test_the_log_names_the_key_and_its_creator(self, ana: Person) -> None:
        made = await create(ana)
        body = {"key": "ENG", "name": "Engine"}
        done(await ask(ana, made["key"], "POST", "/project", json=body), 201)

        [event] = done(await ana.get("/audit?type=project.created"), 200)["items"]
        assert event["actor"] == {"type": "api_key", "id": made["id"]}
        assert event["onBehalfOf"] == ana.id
        assert event["data"]["createdBy"] == ana.id
        assert event["ip"] == "192.0.2.7"
        for actor in (made["id"], ana.id):
            found = done(await ana.get(f"/audit?type=project.created&actor={actor}"), 200)
            assert found["items"] == [event]

    async def test_a_key_does_only_what_its_scopes_name(self, ana: Person) -> None:
        project = await ana.project()
        await ana.task(project)
        key = (await create(ana, scopes={"task": ["read"]}))["key"]

        done(await ask(ana, key, "GET", "/task/ENG-1"), 200)
        for method, path, body in (
            ("PATCH", "/task/ENG-1", {"title": "Other"}),
            ("DELETE", "/task/ENG-1", None),
            ("GET", f"/project/{project['id']}", None),
            ("GET", "/audit", None),
        ):
            refused(await ask(ana, key, method, path, json=body), 403, "scope_missing")

    async def test_a_scope_to_delete_own_tasks_deletes_no_others(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        ben = await sign_up(app, organization=False)
        await join(system, ben, ana.org_id, Role.MEMBER)
        project = await ana.project()
        await ben.task(project)
        await ana.task(project)
        key = (await create(ana, scopes={"task": ["delete_own"]}))["key"]

        refused(await ask(ana, key, "DELETE", "/task/ENG-1"), 403, "not_permitted")
        done(await ask(ana, key, "DELETE", "/task/ENG-2"), 204)

    async def test_what_is_left_to_people_is_refused_to_every_key(self, ana: Person) -> None:
        made = await create(ana)
        org = f"/org/{ana.org_id}"
        for method, path, body in (
            ("GET", "/apikey", None),
            ("POST", "/apikey", {"name": "More", "scopes": SCOPES}),
            ("POST", f"/apikey/{made['id']}/rotate", None),
            ("DELETE", f"/apikey/{made['id']}", None),
            ("GET", "/user/me", None),
            ("GET", "/auth/sessions", None),
            ("POST", "/auth/logout", None),
            ("POST", "/auth/change-password", {"currentPassword": "a", "newPassword": "b"}),
            ("POST", "/org", {"name": "New", "subdomain": "brand-new"}),
            ("PATCH", f"{org}/plan", {"plan": "PREMIUM"}),
            ("DELETE", org, None),
            ("DELETE", f"{org}/members/{ana.id}", None),
            ("PATCH", f"{org}/members/{ana.id}", {"role": "MEMBER"}),
            ("POST", f"{org}/invitations", {"email": "new@example.com", "role": "ADMIN"}),
            ("POST", "/auth/switch-organization", {"organizationId": ana.org_id}),
            ("POST", "/invitations/accept", {"token": "none", "name": "N", "password": "x"}),
        ):
            answer = await ask(ana, made["key"], method, path, json=body)
            assert answer.json()["code"] == "not_for_api_keys", (method, path, answer.text)
            assert answer.status_code == 403

    async def test_a_key_works_in_its_organization_wherever_its_creator_works(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        here = ana.org_id
        key = (await create(ana))["key"]
        other = await sign_up(app)
        project = await ana.project()
        await join(system, ana, other.org_id, Role.ADMIN)

        [shown] = done(await ask(ana, key, "GET", "/project"), 200)["items"]
        assert shown["id"] == project["id"]
        made = done(
            await ask(ana, key, "POST", "/project", json={"key": "OPS", "name": "Ops"}), 201
        )
        assert made["id"] in {
            each["id"] for each in done(await ask(ana, key, "GET", "/project"), 200)["items"]
        }
        assert here != ana.org_id

    async def test_an_idempotency_key_belongs_to_the_api_key(self, ana: Person) -> None:
        key = (await create(ana))["key"]
        body, headers = {"key": "ENG", "name": "Engine"}, {"idempotency-key": "once"}

        first = await ask(ana, key, "POST", "/project", json=body, headers=headers)
        again = await ask(ana, key, "POST", "/project", json=body, headers=headers)
        person = await ana.post("/project", body, headers=headers)

        assert done(again, 201) == done(first, 201)
        assert again.headers["idempotent-replayed"] == "true"
        refused(person, 409, "project_key_taken")

    async def test_when_a_key_was_last_used_is_shown_to_the_minute(
        self, system: System, ana: Person, clock: MovableClock
    ) -> None:
        made = await create(ana)
        before = len(await stored_events(system, made["id"]))
        done(await ask(ana, made["key"], "GET", "/project"), 200)
        minute = clock().replace(second=0, microsecond=0)

        at = None
        async with asyncio.timeout(DEADLINE_S):
            while at is None:
                at = done(await ana.get(f"/apikey/{made['id']}"), 200)["lastUsedAt"]

        assert minute - timedelta(minutes=1) <= datetime.fromisoformat(at) <= minute
        assert done(await ana.get("/apikey"), 200)["items"][0]["lastUsedAt"] == at
        assert len(await stored_events(system, made["id"])) == before


class TestRotating:
    async def test_both_keys_work_for_a_day(self, ana: Person, clock: MovableClock) -> None:
        made = await create(ana)
        rotated = done(await ana.post(f"/apikey/{made['id']}/rotate"), 200)

        assert rotated["id"] == made["id"]
        assert rotated["prefix"] == made["prefix"]
        assert rotated["key"] != made["key"]
        for key in (made["key"], rotated["key"]):
            done(await ask(ana, key, "GET", "/project"), 200)
        clock.ahead = timedelta(days=1)
        refused(await ask(ana, made["key"], "GET", "/project"), 401, "api_key_revoked")
        done(await ask(ana, rotated["key"], "GET", "/project"), 200)

    async def test_nobody_gets_the_key_of_somebody_else(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        ben = await sign_up(app, organization=False)
        await join(system, ben, ana.org_id, Role.MANAGER)
        bens, anas = await create(ben), await create(ana)

        refused(await ana.post(f"/apikey/{bens['id']}/rotate"), 403, "not_permitted")
        for method in ("GET", "DELETE"):
            refused(await ben.ask(method, f"/apikey/{anas['id']}"), 404, "not_found")
        refused(await ben.post(f"/apikey/{anas['id']}/rotate"), 404, "not_found")
        assert [k["id"] for k in done(await ben.get("/apikey"), 200)["items"]] == [bens["id"]]
        assert len(done(await ana.get("/apikey"), 200)["items"]) == 2
        done(await ana.delete(f"/apikey/{bens['id']}"), 204)


class TestLimits:
    async def test_a_plan_has_a_number_of_keys(self, ana: Person) -> None:
        keys = [await create(ana) for _ in range(2)]
        body = {"name": "CI", "scopes": SCOPES}
        problem = refused(await ana.post("/apikey", body), 402, "plan_limit")

        assert (problem["what"], problem["limit"], problem["used"]) == ("api_keys", 2, 2)
        done(await ana.delete(f"/apikey/{keys[0]['id']}"), 204)
        await create(ana)
