"""What a session of an organization's provider can reach: that organization, and nothing else.

The administrators of an organization choose its provider, and could begin a session for any person
who is linked. It must neither show nor change anything of that person elsewhere.
"""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from api.http.policy import CONFINED, POLICY, Open, handlers_of
from domain.identity.organization.membership import Role
from domain.identity.user.events import EmailConfirmed
from runtime.system import System
from tests.api.identity.sso.stage import (
    Browser,
    address,
    configure,
    done_or_moved,
    knows,
    members_of,
    subdomain_of,
)
from tests.api.identity.test_totp import Authenticator, set_up
from tests.api.stage import (
    PASSWORD,
    MovableClock,
    Person,
    client_of,
    done,
    join,
    log_in,
    refused,
    sign_up,
)
from tests.identity_provider import IdentityProvider
from tests.spec import on, record

ALLOWED = {
    ("POST", "/api/auth/logout"),
    ("GET", "/api/auth/profile"),
    ("GET", "/api/start"),
    ("GET", "/api/user/me"),
    ("GET", "/api/org/{organization_id}"),
}


async def confirm(system: System, person: Person) -> None:
    """Confirm the address of an account."""
    await record(system.log, on(UUID(person.id), EmailConfirmed()))


@pytest.fixture
async def victim(app: Litestar, system: System) -> AsyncIterator[Person]:
    """Sign up somebody with a confirmed address, and an organization of their own."""
    person = await sign_up(app, email=address())
    await confirm(system, person)
    yield person
    await person.client.aclose()


@pytest.fixture
async def impostor(browser: Browser, victim: Person) -> Browser:
    """Have the provider of another organization say that somebody is the victim."""
    knows(browser.provider, "whoever", victim.email)
    profile = await browser.enter("whoever")
    assert profile["id"] == victim.id
    return browser


def test_routes_of_the_account_are_closed_unless_listed(app: Litestar) -> None:
    found = {
        (method, path)
        for path, method, handler in handlers_of(app)
        if handler.opt[POLICY] is Open.ACCOUNT and handler.opt.get(CONFINED)
    }

    assert found == ALLOWED


async def test_every_other_route_of_the_account_refuses(
    app: Litestar, ana: Person, impostor: Browser
) -> None:
    for path, method, handler in handlers_of(app):
        if handler.opt[POLICY] is not Open.ACCOUNT or handler.opt.get(CONFINED):
            continue
        filled = path.replace("{organization_id}", ana.org_id)
        filled = filled.replace("{session_id}", ana.org_id)
        answer = await impostor.ask(method, filled.removeprefix("/api"))
        refused(answer, 403, "session_confined")


async def test_it_shows_one_organization_only(
    ana: Person, victim: Person, impostor: Browser
) -> None:
    shown = done(await impostor.ask("GET", "/user/me"), 200)

    assert shown["organizationId"] == ana.org_id
    assert victim.org_id not in str(shown)
    refused(await impostor.ask("GET", f"/org/{victim.org_id}"), 404, "not_found")
    refused(await impostor.ask("GET", "/user/me/organizations"), 403, "session_confined")


async def test_it_never_works_elsewhere(
    ana: Person, dan: Person, victim: Person, impostor: Browser
) -> None:
    body = {"organizationId": victim.org_id}
    answer = await impostor.ask("POST", "/auth/switch-organization", json=body)
    refused(answer, 403, "session_confined")
    inviting = f"/org/{dan.org_id}/invitations"
    invited = done(await dan.post(inviting, {"email": victim.email, "role": "MEMBER"}), 201)
    token = invited["link"].partition("#")[2]
    answer = await impostor.ask("POST", "/invitations/accept", json={"token": token})
    refused(answer, 403, "session_confined")
    assert await members_of(dan) == 2  # the invitation has a place, and nobody joined
    assert done(await impostor.ask("GET", "/auth/profile"), 200)["organizationId"] == ana.org_id


async def test_a_refreshed_token_stays_confined(ana: Person, impostor: Browser) -> None:
    tokens = done(await impostor.client.post("/api/auth/refresh-token"), 200)
    impostor.token = tokens["accessToken"]

    refused(await impostor.ask("GET", "/auth/sessions"), 403, "session_confined")
    assert done(await impostor.ask("GET", "/auth/profile"), 200)["organizationId"] == ana.org_id


async def test_the_victim_goes_on_as_before(
    app: Litestar, victim: Person, impostor: Browser
) -> None:
    for _ in range(25):  # more than a person can have sessions
        done_or_moved(await impostor.log_in("whoever"), 303)

    assert done(await victim.get("/auth/profile"), 200)["organizationId"] == victim.org_id
    async with client_of(app) as client:
        again = Person(
            client,
            victim.email,
            {"id": victim.id, "organizationId": victim.org_id},
            await log_in(client, victim.email),
        )
        assert done(await again.get("/auth/profile"), 200)["organizationId"] == victim.org_id


async def test_the_victim_sees_and_ends_such_sessions(victim: Person, impostor: Browser) -> None:
    sessions = done(await victim.get("/auth/sessions"), 200)["items"]
    assert len(sessions) == 2

    done(await victim.delete("/auth/sessions"), 204)

    refused(await impostor.ask("GET", "/auth/profile"), 401, "unauthorized")
    done(await victim.get("/auth/profile"), 200)


async def test_a_new_password_ends_such_sessions(victim: Person, impostor: Browser) -> None:
    body = {"currentPassword": PASSWORD, "newPassword": "quiet-harbour-77-lamp"}
    done(await victim.post("/auth/change-password", body), 200)

    refused(await impostor.ask("GET", "/auth/profile"), 401, "unauthorized")
    refused(await impostor.client.post("/api/auth/refresh-token"), 401, "unauthorized")


async def test_a_key_that_it_creates_works_there_only(
    ana: Person, victim: Person, browser: Browser
) -> None:
    await configure(ana, browser.provider, defaultRole="ADMIN")
    knows(browser.provider, "whoever", victim.email)
    await browser.enter("whoever", fresh="true")
    body = {"name": "CI", "scopes": {"project": ["read"]}}
    key = done(await browser.ask("POST", "/apikey", json=body), 201)["key"]

    async with client_of_key(browser, key) as client:
        found = await client.get(f"/api/org/{victim.org_id}")
        assert found.status_code in (403, 404)


def client_of_key(browser: Browser, key: str) -> Any:
    transport = browser.client._transport  # pyright: ignore[reportPrivateUsage]  # the test looks inside
    return httpx.AsyncClient(
        transport=transport, base_url=browser.client.base_url, headers={"x-api-key": key}
    )


class TestLoginWays:
    @pytest.fixture
    async def phone(self, ana: Person, clock: MovableClock, browser: Browser) -> Authenticator:
        """Have Ana demand the provider of everybody, for which she needs a second factor."""
        path = f"/org/{ana.org_id}/settings"
        refused(await ana.patch(path, {"loginWays": ["oidc"]}), 403, "totp_required")
        made = await set_up(ana, clock)
        done(await ana.patch(path, {"loginWays": ["oidc"]}), 200)
        return made

    async def test_passwords_no_longer_let_members_in(
        self, app: Litestar, system: System, ana: Person, browser: Browser, phone: Authenticator
    ) -> None:
        ben = await sign_up(app)
        await join(system, ben, ana.org_id, Role.MANAGER)

        refused(await ben.get("/project"), 403, "login_way_not_accepted")
        body = {"key": "NEW", "name": "New"}
        refused(await ben.post("/project", body), 403, "login_way_not_accepted")
        assert done(await ben.get("/auth/profile"), 200)["role"] is None
        answer = await ben.post("/auth/switch-organization", {"organizationId": ana.org_id})
        refused(answer, 403, "login_way_not_accepted")
        knows(browser.provider, "kim", address())
        await browser.enter("kim")
        done(await browser.ask("GET", "/project"), 200)
        await ben.client.aclose()

    async def test_the_last_admin_enters_with_a_second_factor(
        self, ana: Person, phone: Authenticator
    ) -> None:
        refused(await ana.get("/project"), 403, "login_way_not_accepted")
        login = {"email": ana.email, "password": PASSWORD}
        challenged = await ana.client.post("/api/auth/login", json=login)
        challenge = refused(challenged, 401, "totp_required")["challenge"]
        body = {"challenge": challenge, "code": phone.code()}
        done_login = done(await ana.client.post("/api/auth/login/totp", json=body), 200)
        ana.token = done_login["accessToken"]

        assert done_login["user"]["role"] == "ADMIN"
        done(await ana.get("/project"), 200)
        problem = await ana.delete(f"/org/{ana.org_id}/oidc")
        refused(problem, 409, "sso_still_demanded")
        path = f"/org/{ana.org_id}/settings"
        done(await ana.patch(path, {"loginWays": ["password", "oidc"]}), 200)

    async def test_the_provider_makes_up_for_a_second_factor(
        self, ana: Person, clock: MovableClock, browser: Browser
    ) -> None:
        await set_up(ana, clock)
        done(await ana.patch(f"/org/{ana.org_id}/settings", {"requireTotp": True}), 200)
        knows(browser.provider, "kim", address())

        assert (await browser.enter("kim"))["role"] == "MEMBER"
        done(await browser.ask("GET", "/project"), 200)

    async def test_keys_of_those_who_use_the_provider_need_no_second_factor(
        self, ana: Person, clock: MovableClock, browser: Browser
    ) -> None:
        await configure(ana, browser.provider, defaultRole="MANAGER")
        knows(browser.provider, "kim", address())
        await browser.enter("kim", fresh="true")
        body = {"name": "CI", "scopes": {"project": ["read", "create"]}}
        key = done(await browser.ask("POST", "/apikey", json=body), 201)["key"]
        await set_up(ana, clock)
        done(await ana.patch(f"/org/{ana.org_id}/settings", {"requireTotp": True}), 200)

        async with client_of_key(browser, key) as client:
            done(await client.get("/api/project"), 200)
            made = await client.post("/api/project", json={"key": "NEW", "name": "New"})
            done(made, 201)

    async def test_a_provider_is_needed_first(self, dan: Person, clock: MovableClock) -> None:
        await set_up(dan, clock)
        path = f"/org/{dan.org_id}/settings"
        refused(await dan.patch(path, {"loginWays": ["oidc"]}), 409, "sso_not_configured")


async def test_a_session_by_password_is_confined_to_nothing(
    ana: Person, provider: IdentityProvider
) -> None:
    await configure(ana, provider)

    assert await subdomain_of(ana)
    done(await ana.get("/auth/sessions"), 200)
