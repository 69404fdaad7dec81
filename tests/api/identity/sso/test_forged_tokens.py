"""ID tokens that are not for this login, this client or this provider start no session."""

import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from tests.api.identity.sso.stage import (
    Browser,
    address,
    knows,
    security_events,
)
from tests.api.stage import Person, refused
from tests.identity_provider import Claims, IdentityProvider, new_key


@pytest.fixture(autouse=True)
def kim(provider: IdentityProvider) -> None:
    """Let Kim have an account at the provider."""
    knows(provider, "kim", address())


def now() -> int:
    return int(time.time())


class TestIdToken:
    @pytest.mark.parametrize(
        ("lie", "reason"),
        [
            ({"nonce": "of another login"}, "invalid_claim"),
            ({"nonce": None}, "missing_claim"),
            ({"iss": "https://accounts.evil.example"}, "invalid_claim"),
            ({"aud": "another-client"}, "invalid_claim"),
            ({"aud": ["trackrecord", "another-client"]}, "missing_claim"),
            ({"exp": 1}, "expired_token"),
            ({"exp": "9999999999"}, "invalid_claim"),
            ({"sub": None}, "missing_claim"),
            ({"sub": ""}, "odd_subject"),
            ({"sub": "x" * 256}, "odd_subject"),
            ({"email": None}, "no_email"),
            ({"email": 5}, "no_email"),
            ({"email": "kim"}, "odd_email"),
            ({"email": "x" * 250 + "@corp.example"}, "odd_email"),
        ],
    )
    async def test_a_token_that_is_not_for_this_login_is_refused(
        self, ana: Person, browser: Browser, lie: Claims, reason: str
    ) -> None:
        browser.provider.lie = lambda claims: {
            name: value for name, value in (claims | lie).items() if value is not None
        }

        problem = refused(await browser.log_in("kim"), 403, "sso_refused")

        assert problem["reason"] == reason
        refused(await browser.client.post("/api/auth/refresh-token"), 401, "unauthorized")
        events = [e["data"] for e in await security_events(ana) if "sso_refused" in e["type"]]
        assert events == [{"userId": None, "reason": reason, "count": 1}]

    @pytest.mark.parametrize("verified", [False, None, "true", 1])
    async def test_an_unverified_address_is_refused(self, browser: Browser, verified: Any) -> None:
        browser.provider.people["kim"]["email_verified"] = verified

        refused(await browser.log_in("kim"), 403, "email_not_verified")

    @pytest.mark.parametrize("email", ["kim@corp.example.evil.example", "kim@evil.example"])
    async def test_a_foreign_domain_is_refused(self, browser: Browser, email: str) -> None:
        knows(browser.provider, "kim", email)

        refused(await browser.log_in("kim"), 403, "domain_not_accepted")

    @pytest.mark.parametrize("alg", ["none", "HS256"])
    async def test_a_token_without_a_key_pair_is_refused(self, browser: Browser, alg: str) -> None:
        provider = browser.provider

        def sign(claims: Claims) -> str:
            if alg == "none":
                header, payload, _ = provider.signed(claims).split(".")
                none = "eyJhbGciOiJub25lIiwia2lkIjoiZmlyc3QifQ"  # {"alg":"none","kid":"first"}
                assert header
                return f"{none}.{payload}."
            shared = OctKey.import_key(b"the client secret, long enough ....")
            return jwt.encode({"alg": alg, "kid": "first"}, claims, shared)

        provider.sign = sign

        refused(await browser.log_in("kim"), 403, "sso_refused")

    async def test_a_stranger_s_key_is_refused_also_under_a_known_name(
        self, browser: Browser
    ) -> None:
        stranger = new_key("first")
        browser.provider.sign = lambda claims: jwt.encode(
            {"alg": "ES256", "kid": "first"}, claims, stranger
        )

        problem = refused(await browser.log_in("kim"), 403, "sso_refused")
        assert problem["reason"] == "bad_signature"

    async def test_an_unknown_key_has_the_set_fetched_once_more_only(
        self, browser: Browser
    ) -> None:
        stranger = new_key("unknown")
        browser.provider.sign = lambda claims: jwt.encode(
            {"alg": "ES256", "kid": "unknown"}, claims, stranger
        )

        refused(await browser.log_in("kim"), 403, "sso_refused")
        assert browser.provider.asked.count("/jwks") == 2

    async def test_a_provider_that_was_to_ask_again_has_to_say_so(self, browser: Browser) -> None:
        browser.provider.lie = lambda claims: claims | {"auth_time": now() - 60}

        problem = refused(await browser.log_in("kim", fresh="true"), 403, "sso_refused")
        assert problem["reason"] == "not_asked_again"
