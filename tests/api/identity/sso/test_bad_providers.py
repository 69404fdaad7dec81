"""Providers that are broken or malicious cost a login, and nothing else."""

import pytest

from tests.api.identity.sso.stage import (
    Browser,
    address,
    configure,
    knows,
    security_events,
)
from tests.api.stage import Person, refused
from tests.deliveries.receiver import Reply
from tests.identity_provider import Claims, IdentityProvider


@pytest.fixture(autouse=True)
def kim(provider: IdentityProvider) -> None:
    """Let Kim have an account at the provider."""
    knows(provider, "kim", address())


class TestProvider:
    @pytest.mark.parametrize(
        ("metadata", "reason"),
        [
            ({"issuer": "https://accounts.evil.example"}, "provider_is_another"),
            ({"token_endpoint": None}, "provider_malformed"),
            ({"jwks_uri": 5}, "provider_malformed"),
        ],
    )
    async def test_odd_metadata_is_refused(
        self, browser: Browser, metadata: Claims, reason: str
    ) -> None:
        browser.provider.metadata = metadata

        answer = await browser.client.get(f"/api/auth/oidc/{browser.subdomain}")

        assert refused(answer, 502, "provider_failed")["reason"] == reason

    @pytest.mark.parametrize("endpoint", ["token_endpoint", "jwks_uri"])
    @pytest.mark.parametrize(
        "url", ["http://169.254.169.254/latest", "http://10.0.0.1/", "file:///etc/passwd"]
    )
    async def test_a_provider_cannot_send_us_inside(
        self, browser: Browser, endpoint: str, url: str
    ) -> None:
        browser.provider.metadata = {endpoint: url}

        problem = refused(await browser.log_in("kim"), 502, "provider_failed")
        assert problem["reason"] == "provider_url_refused"

    @pytest.mark.parametrize("path", ["/token", "/jwks"])
    async def test_a_provider_cannot_redirect_us(self, browser: Browser, path: str) -> None:
        elsewhere = f"{browser.provider.issuer}/inside"
        browser.provider.replies[path] = Reply(status=307, headers={"Location": elsewhere})

        problem = refused(await browser.log_in("kim"), 502, "provider_failed")
        assert problem["reason"] == "provider_redirects"
        assert "/inside" not in browser.provider.asked

    @pytest.mark.parametrize("path", ["/token", "/jwks"])
    @pytest.mark.parametrize(
        ("reply", "reason"),
        [
            (Reply(endless=True), "provider_answer_too_large"),
            (Reply(hang_up=True), "provider_protocol"),
        ],
        ids=["endless", "hangs up"],
    )
    async def test_a_broken_provider_costs_one_login(
        self, ana: Person, browser: Browser, path: str, reply: Reply, reason: str
    ) -> None:
        browser.provider.replies[path] = reply
        problem = refused(await browser.log_in("kim"), 502, "provider_failed")
        assert problem["reason"] == reason

        browser.provider.replies.clear()
        await browser.enter("kim")
        events = [e["data"] for e in await security_events(ana) if "sso_refused" in e["type"]]
        assert events == [{"userId": None, "reason": reason, "count": 1}]

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"id_token":5}', b"[" * 100_000])
    async def test_a_malformed_answer_is_refused(self, browser: Browser, body: bytes) -> None:
        browser.provider.replies["/token"] = Reply(body=body)

        problem = refused(await browser.log_in("kim"), 502, "provider_failed")
        assert problem["reason"] == "provider_malformed"

    async def test_a_login_without_an_id_token_is_refused(self, browser: Browser) -> None:
        browser.provider.replies["/token"] = Reply(body=b'{"access_token":"a"}')

        problem = refused(await browser.log_in("kim"), 403, "sso_refused")
        assert problem["reason"] == "no_id_token"

    async def test_a_hanging_provider_is_given_up(
        self, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("api.login.sso.steps.STEP_DEADLINE_S", 0.2)
        browser.provider.replies["/token"] = Reply(delay_s=30)

        problem = refused(await browser.log_in("kim"), 502, "provider_failed")
        assert problem["reason"] == "provider_timeout"

    async def test_a_wrong_client_secret_is_told(self, ana: Person, browser: Browser) -> None:
        await configure(ana, browser.provider, clientSecret="wrong")

        problem = refused(await browser.log_in("kim"), 403, "sso_refused")
        assert problem["reason"] == "code_refused"
