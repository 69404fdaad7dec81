"""The identity provider of an organization, and where a login through it begins."""

from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from litestar import Litestar

from domain.base import OrgId
from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.identity.sso.stage import (
    DOMAIN,
    Browser,
    address,
    configure,
    done_or_moved,
    knows,
    subdomain_of,
)
from tests.api.stage import (
    Person,
    done,
    join,
    refused,
    sign_up,
)
from tests.identity_provider import CLIENT_SECRET, IdentityProvider

APP_URL = "http://localhost:5173"


class TestConfiguration:
    async def test_an_admin_configures_it_and_sees_all_but_the_secret(
        self, ana: Person, provider: IdentityProvider
    ) -> None:
        path = f"/org/{ana.org_id}/oidc"
        refused(await ana.get(path), 404, "not_found")

        shown = await configure(
            ana, provider, scopes=["groups"], roleClaim="groups", roles={"boss": "ADMIN"}
        )

        assert shown == {
            "issuer": provider.issuer,
            "clientId": provider.client_id,
            "scopes": ["openid", "email", "profile", "groups"],
            "domains": [DOMAIN],
            "roleClaim": "groups",
            "roles": {"boss": "ADMIN"},
            "defaultRole": "MEMBER",
            "redirectUri": "http://127.0.0.1:3000/api/auth/oidc/callback",
        }
        assert done(await ana.get(path), 200) == shown
        done(await ana.delete(path), 204)
        refused(await ana.get(path), 404, "not_found")

    async def test_the_secret_is_sealed_and_nowhere_to_be_read(
        self, ana: Person, provider: IdentityProvider, system: System
    ) -> None:
        await configure(ana, provider)

        org_id = OrgId(UUID(ana.org_id))
        stored = await system.log.secrets(org_id, org_id)
        assert CLIENT_SECRET.encode() not in b"".join(stored.values())
        for path in (f"/org/{org_id}/oidc", f"/org/{org_id}", "/audit?limit=100"):
            assert CLIENT_SECRET not in (await ana.get(path)).text

    async def test_the_secret_may_be_left_out_for_the_same_client_only(
        self, ana: Person, browser: Browser
    ) -> None:
        provider = browser.provider
        await configure(ana, provider, clientSecret=None, domains=[DOMAIN, "two.example"])
        knows(provider, "kim", address())
        await browser.enter("kim")

        body = {"issuer": "https://evil.example.com", "clientId": "us", "domains": [DOMAIN]}
        path = f"/org/{ana.org_id}/oidc"
        refused(await ana.ask("PUT", path, json=body), 422, "client_secret_needed")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("issuer", "http://id.example.com"),
            ("issuer", "https://10.0.0.1"),
            ("issuer", "https://id.example.com?x=1"),
            ("issuer", "https://id.example.com#x"),
            ("issuer", "https://intranet"),
            ("domains", []),
            ("domains", ["Example.com"]),
            ("domains", ["*.example.com"]),
            ("domains", ["@example.com"]),
            ("scopes", ["a b"]),
            ("clientId", ""),
            ("clientId", "Zürich"),
            ("roles", {"x": "OWNER"}),
            ("defaultRole", "GOD"),
            ("more", 1),
        ],
    )
    async def test_odd_values_are_refused(
        self, ana: Person, provider: IdentityProvider, field: str, value: Any
    ) -> None:
        body = {
            "issuer": provider.issuer,
            "clientId": "us",
            "clientSecret": "s",
            "domains": [DOMAIN],
            field: value,
        }
        refused(await ana.ask("PUT", f"/org/{ana.org_id}/oidc", json=body), 422, "invalid_request")

    async def test_members_and_strangers_neither_see_nor_change_it(
        self, ana: Person, dan: Person, app: Litestar, system: System, provider: IdentityProvider
    ) -> None:
        await configure(ana, provider)
        ben = await sign_up(app)
        await join(system, ben, ana.org_id, Role.MANAGER)
        path = f"/org/{ana.org_id}/oidc"

        for method in ("GET", "DELETE"):
            refused(await ben.ask(method, path), 403, "not_permitted")
            refused(await dan.ask(method, path), 404, "not_found")
        await ben.client.aclose()


class TestBegin:
    async def test_the_browser_is_sent_to_the_provider(self, browser: Browser) -> None:
        location = await browser.begin()

        parts = urlsplit(location)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert location.startswith(f"{browser.provider.issuer}/authorize?")
        assert asked["scope"] == "openid email profile"
        assert asked["redirect_uri"] == "http://127.0.0.1:3000/api/auth/oidc/callback"
        assert len(asked["code_challenge"]) == 43
        assert len(asked["state"]) == 32
        assert len(asked["nonce"]) == 43
        assert "max_age" not in asked

    async def test_the_cookie_is_for_this_host_and_comes_back_from_other_sites(
        self, browser: Browser
    ) -> None:
        answer = await browser.client.get(f"/api/auth/oidc/{browser.subdomain}")

        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-sso-")
        assert cookie.endswith("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure")
        assert len(cookie) < 4_096

    async def test_without_a_provider_there_is_nothing(
        self, ana: Person, browser: Browser, dan: Person
    ) -> None:
        theirs = await subdomain_of(dan)
        for subdomain in (theirs, "nobody-has-this", "UPPER", "a.b", "%00"):
            answer = await browser.client.get(f"/api/auth/oidc/{subdomain}")
            refused(answer, 404, "not_found")
        await ana.patch(f"/org/{ana.org_id}/settings", {"loginWays": ["password"]})
        mine = await browser.client.get(f"/api/auth/oidc/{browser.subdomain}")
        refused(mine, 404, "not_found")

    @pytest.mark.parametrize("target", [APP_URL, f"{APP_URL}/", f"{APP_URL}/task/ENG-1?x=1#y"])
    async def test_the_browser_returns_to_a_page_of_the_product(
        self, browser: Browser, target: str
    ) -> None:
        knows(browser.provider, "kim", address())

        answer = await browser.log_in("kim", returnTo=target)

        done_or_moved(answer, 303)
        assert answer.headers["location"] == target

    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.example",
            "//evil.example",
            "/task",
            "javascript:alert(1)",
            f"{APP_URL}.evil.example/",
            f"{APP_URL}@evil.example/",
            f"{APP_URL}:80/",
            f"{APP_URL}\\@evil.example/",
            f"{APP_URL}/\r\nset-cookie: a=b",
            f"{APP_URL}/ü",
            "http://LOCALHOST:5173/",
            "null",
        ],
    )
    async def test_it_returns_nowhere_else(self, browser: Browser, target: str) -> None:
        path = f"/api/auth/oidc/{browser.subdomain}"
        answer = await browser.client.get(path, params={"returnTo": target})
        refused(answer, 422, "invalid_request")
