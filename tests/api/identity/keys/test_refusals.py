"""API keys are refused when they are wrong, over or used from elsewhere, or do too much."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar

from api.http.policy import POLICY, Open, handlers_of, scope_of
from domain.base import OrgId
from domain.identity.api_key.events import ApiKeyRevoked
from domain.identity.organization.settings import SettingsChanged
from domain.permission import KEY_PERMISSIONS
from runtime.system import System
from tests.api.keys import ask, create
from tests.api.stage import (
    ENDING,
    MovableClock,
    Person,
    another_device,
    done,
    log_in,
    refused,
)
from tests.spec import on, record


class TestNetworks:
    async def test_a_key_works_only_from_its_networks(self, ana: Person) -> None:
        here = await create(ana, networks=["192.0.2.7"])
        there = await create(ana, networks=["2001:db8::/32", "192.0.2.8/32"])

        assert here["networks"] == ["192.0.2.7/32"]
        done(await ask(ana, here["key"], "GET", "/project"), 200)
        for method, body in (("GET", None), ("POST", {"key": "ENG", "name": "E"})):
            answer = await ask(ana, there["key"], method, "/project", json=body)
            assert refused(answer, 403, "network_not_allowed")["ip"] == "192.0.2.7"
        done(await ana.patch(f"/apikey/{there['id']}", {"networks": []}), 200)
        done(await ask(ana, there["key"], "GET", "/project"), 200)


class TestSecondFactor:
    async def test_a_key_needs_the_second_factor_of_its_creator_where_all_need_one(
        self, system: System, ana: Person
    ) -> None:
        key = (await create(ana))["key"]
        org = OrgId(UUID(ana.org_id))
        await record(system.log, on(org, SettingsChanged(require_totp=True), org_id=org))

        answer = await ask(ana, key, "GET", "/project")

        refused(answer, 401, "api_key_without_second_factor")


class TestRefusedKeys:
    async def test_a_key_that_is_none_looks_like_no_credential_at_all(self, ana: Person) -> None:
        key = (await create(ana))["key"]
        other = "0" if key[30] != "0" else "1"
        wrong = [key[:30] + other + key[31:], key[:-1], "tr_live_", "", key.replace("l", "L")]
        nothing = await another_device(ana).get("/api/project")

        for text in wrong:
            answer = await ask(ana, text, "GET", "/project")
            problem = refused(answer, 401, "unauthorized")
            assert problem | {"requestId": ""} == nothing.json() | {"requestId": ""}

    async def test_a_mistyped_key_is_refused_without_a_look_at_the_log(
        self, system: System, ana: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = (await create(ana))["key"]

        def touched(*_: Any) -> Any:
            raise AssertionError("the log was asked")

        for read in ("holder", "heads", "history"):  # not those of the projector
            monkeypatch.setattr(system.log, read, touched)
        for place in range(len(key)):
            wrong = key[:place] + ("x" if key[place] != "x" else "y") + key[place + 1 :]
            refused(await ask(ana, wrong, "GET", "/project"), 401, "unauthorized")

    async def test_a_made_up_key_of_the_right_form_is_unknown(
        self, system: System, ana: Person
    ) -> None:
        made = await create(ana)
        forged = system.keys.api_keys.new(made["prefix"].removeprefix("tr_live_")).text

        for text in (system.keys.api_keys.new().text, forged):
            refused(await ask(ana, text, "GET", "/project"), 401, "unauthorized")

    async def test_two_credentials_in_one_request_are_refused(self, ana: Person) -> None:
        key = (await create(ana))["key"]
        answer = await ana.get("/project", headers={"x-api-key": key})

        refused(answer, 400, "malformed_request")

    async def test_a_key_in_the_address_is_never_accepted(self, ana: Person) -> None:
        key = (await create(ana))["key"]
        async with another_device(ana) as program:
            for name in ("api_key", "apiKey", "key", "access_token", "x-api-key"):
                answer = await program.get(f"/api/project?{name}={key}")
                refused(answer, 401, "unauthorized")

    async def test_a_revoked_key_stops_working_at_once_and_says_so(self, ana: Person) -> None:
        made = await create(ana)
        done(await ask(ana, made["key"], "GET", "/project"), 200)
        done(await ana.delete(f"/apikey/{made['id']}"), 204)

        for method, body in (("GET", None), ("POST", {"key": "ENG", "name": "E"})):
            answer = await ask(ana, made["key"], method, "/project", json=body)
            refused(answer, 401, "api_key_revoked")
            assert answer.headers["www-authenticate"] == "Bearer"
        assert done(await ana.get("/apikey"), 200)["items"] == []
        refused(await ana.delete(f"/apikey/{made['id']}"), 404, "not_found")

    async def test_an_expired_key_stops_working_and_cannot_be_changed(
        self, ana: Person, clock: MovableClock
    ) -> None:
        made = await create(ana)
        clock.ahead = timedelta(days=90)
        ana.token = await log_in(ana.client, ana.email)

        refused(await ask(ana, made["key"], "GET", "/project"), 401, "api_key_expired")
        path = f"/apikey/{made['id']}"
        refused(await ana.patch(path, {"name": "Late"}), 409, "api_key_is_over")
        refused(await ana.post(f"{path}/rotate"), 409, "api_key_is_over")
        done(await ana.delete(path), 204)


class TestRoutes:
    async def test_a_key_uses_exactly_the_routes_that_have_a_scope_for_it(
        self, app: Litestar, ana: Person
    ) -> None:
        everything: dict[str, list[str]] = {}
        for permission in sorted(KEY_PERMISSIONS):
            resource, _, action = permission.partition(":")
            everything.setdefault(resource, []).append(action)
        key = (await create(ana, scopes=everything))["key"]

        for path, method, handler in handlers_of(app):
            if handler.opt[POLICY] is Open.PUBLIC:
                continue
            filled = path.removeprefix("/api").replace("{seq}", "1")
            filled = re.sub(r"\{\w+\}", str(UUID(int=1)), filled)
            answer = await ask(ana, key, method, filled + ENDING.get(path, ""))
            code = answer.json().get("code") if answer.content and answer.is_error else ""
            refused_here = code == "not_for_api_keys"
            assert refused_here is (scope_of(handler) is None), (method, path, answer.text)

    async def test_a_key_that_was_revoked_elsewhere_is_told_so_on_every_route(
        self, system: System, ana: Person
    ) -> None:
        made = await create(ana)
        done(await ask(ana, made["key"], "GET", "/project"), 200)
        org = OrgId(UUID(ana.org_id))
        await record(system.log, on(UUID(made["id"]), ApiKeyRevoked(), org_id=org))

        for method, path in (("POST", "/auth/logout"), ("GET", "/user/me"), ("GET", "/project")):
            refused(await ask(ana, made["key"], method, path), 401, "api_key_revoked")
