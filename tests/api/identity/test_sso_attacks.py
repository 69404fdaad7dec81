"""Attacks on single sign-on: forged, replayed and mixed-up logins end without a session."""

import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from litestar import Litestar

from domain.base import OrgId, UserId
from domain.identity.organization.membership import LeaveCause, MemberDeactivated, MemberLeft
from runtime.rate_limit import parse_rate_limits
from runtime.system import System
from security.sso_attempt import ATTEMPT_LIFETIME
from tests.api.conftest import Make
from tests.api.identity.single_sign_on import (
    Browser,
    address,
    configure,
    done_or_moved,
    knows,
    members_of,
    security_events,
    subdomain_of,
)
from tests.api.stage import MovableClock, Person, at_once, client_of, done, refused
from tests.deliveries.receiver import Reply
from tests.identity_provider import Claims, IdentityProvider, new_key
from tests.spec import on, record


def with_query(callback: str, **changes: str | None) -> str:
    """Return *callback* with other parameters; None leaves one out."""
    parts = urlsplit(callback)
    known = {name: values[0] for name, values in parse_qs(parts.query).items()}
    query = {name: value for name, value in (known | changes).items() if value is not None}
    return parts._replace(query=urlencode(query)).geturl()


async def callback_of(browser: Browser) -> str:
    """Return where the provider sends the browser after an honest login."""
    return browser.provider.log_in(await browser.begin(), "kim")


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


class TestCallback:
    async def test_a_callback_works_once(self, ana: Person, browser: Browser) -> None:
        callback = await callback_of(browser)
        kept = dict(browser.client.cookies)
        done_or_moved(await browser.come_back(callback), 303)

        refused(await browser.come_back(callback), 409, "sso_login_is_over")
        browser.client.cookies.update(kept)  # the attacker kept the cookie of the attempt
        refused(await browser.come_back(callback), 403, "sso_refused")
        assert await members_of(ana) == 2

    async def test_a_state_starts_one_session_even_with_another_code(
        self, browser: Browser
    ) -> None:
        location = await browser.begin()
        kept = dict(browser.client.cookies)
        done_or_moved(await browser.come_back(browser.provider.log_in(location, "kim")), 303)

        browser.client.cookies.update(kept)
        again = await browser.come_back(browser.provider.log_in(location, "kim"))

        refused(again, 409, "sso_login_is_over")

    async def test_a_state_starts_one_session_even_at_the_same_moment(
        self, browser: Browser
    ) -> None:
        location = await browser.begin()
        answers = await at_once(
            *(browser.come_back(browser.provider.log_in(location, "kim")) for _ in range(8))
        )

        assert sorted(answer.status_code for answer in answers) == [303, *[409] * 7]

    async def test_a_callback_belongs_to_the_browser_that_began(
        self, app: Litestar, browser: Browser
    ) -> None:
        callback = await callback_of(browser)
        async with client_of(app) as victim:
            parts = urlsplit(callback)
            answer = await victim.get(f"{parts.path}?{parts.query}")

        refused(answer, 409, "sso_login_is_over")

    async def test_the_code_of_another_login_is_refused(self, browser: Browser) -> None:
        """A stolen code is of no use: its challenge is that of another login (RFC 7636)."""
        stolen = parse_qs(urlsplit(await callback_of(browser)).query)["code"][0]
        own = await callback_of(browser)

        problem = refused(await browser.come_back(with_query(own, code=stolen)), 403, "sso_refused")
        assert problem["reason"] == "code_refused"

    @pytest.mark.parametrize(
        ("changes", "status", "code"),
        [
            ({"state": "x" * 32}, 409, "sso_login_is_over"),
            ({"state": None}, 422, "invalid_request"),
            ({"state": ""}, 422, "invalid_request"),
            ({"code": None}, 403, "sso_refused"),
            ({"code": "wrong"}, 403, "sso_refused"),
            ({"iss": "https://accounts.evil.example"}, 403, "sso_refused"),
            ({"iss": None}, 403, "sso_refused"),
        ],
    )
    async def test_a_changed_callback_is_refused(
        self, browser: Browser, changes: dict[str, str | None], status: int, code: str
    ) -> None:
        callback = with_query(await callback_of(browser), **changes)

        refused(await browser.come_back(callback), status, code)

    async def test_a_provider_need_not_name_itself_unless_it_said_so(
        self, browser: Browser
    ) -> None:
        browser.provider.sends_iss = False
        done_or_moved(await browser.log_in("kim"), 303)
        wrong = with_query(await callback_of(browser), iss="https://accounts.evil.example")

        problem = refused(await browser.come_back(wrong), 403, "sso_refused")
        assert problem["reason"] == "wrong_iss"

    @pytest.mark.parametrize(
        ("error", "reason"),
        [("access_denied", "access_denied"), ("<script>", "provider_error")],
    )
    async def test_what_a_provider_reports_is_told_in_known_words(
        self, browser: Browser, error: str, reason: str
    ) -> None:
        callback = with_query(await callback_of(browser), code=None, error=error)

        problem = refused(await browser.come_back(callback), 403, "sso_refused")
        assert problem["reason"] == reason

    async def test_a_forged_cookie_is_none(self, browser: Browser) -> None:
        callback = await callback_of(browser)
        for name, value in dict(browser.client.cookies).items():
            browser.client.cookies.set(name, value[:-2] + "AA", domain="api.example.org")

        refused(await browser.come_back(callback), 409, "sso_login_is_over")

    async def test_a_login_that_took_too_long_is_over(
        self, browser: Browser, clock: MovableClock
    ) -> None:
        callback = await callback_of(browser)
        clock.ahead += ATTEMPT_LIFETIME

        refused(await browser.come_back(callback), 409, "sso_login_is_over")


class TestChangesMeanwhile:
    async def test_a_login_is_over_when_the_provider_is_removed(
        self, ana: Person, browser: Browser
    ) -> None:
        callback = await callback_of(browser)
        done(await ana.delete(f"/org/{ana.org_id}/oidc"), 204)

        refused(await browser.come_back(callback), 409, "sso_login_is_over")
        await configure(ana, browser.provider)
        refused(await browser.come_back(callback), 409, "sso_login_is_over")
        assert "/token" not in browser.provider.asked

    async def test_a_login_is_over_when_the_organization_is_deleted(
        self, ana: Person, browser: Browser
    ) -> None:
        callback = await callback_of(browser)
        done(await ana.delete(f"/org/{ana.org_id}"), 204)

        refused(await browser.come_back(callback), 404, "not_found")

    async def test_sessions_have_no_access_once_the_provider_is_removed(
        self, ana: Person, browser: Browser
    ) -> None:
        await browser.enter("kim")
        done(await browser.ask("GET", "/project"), 200)
        done(await ana.delete(f"/org/{ana.org_id}/oidc"), 204)

        refused(await browser.ask("GET", "/project"), 403, "login_way_not_accepted")
        body = {"key": "NEW", "name": "New"}
        answer = await browser.ask("POST", "/project", json=body)
        refused(answer, 403, "login_way_not_accepted")
        assert (await browser.ask("GET", "/auth/profile")).json()["role"] is None

    async def test_whoever_was_removed_comes_back_by_invitation_only(
        self, ana: Person, browser: Browser, system: System
    ) -> None:
        kim = await browser.enter("kim")
        org_id, user_id = OrgId(UUID(ana.org_id)), UserId(UUID(kim["id"]))
        left = MemberLeft(user_id=user_id, cause=LeaveCause.REMOVED)
        await record(system.log, on(org_id, left, org_id=org_id))

        refused(await browser.ask("GET", "/project"), 409, "no_organization")
        refused(await browser.log_in("kim"), 403, "membership_ended")
        inviting = f"/org/{ana.org_id}/invitations"
        done(await ana.post(inviting, {"email": kim["email"], "role": "MEMBER"}), 201)
        assert (await browser.enter("kim"))["role"] == "MEMBER"

    async def test_whoever_is_suspended_stays_out(
        self, ana: Person, browser: Browser, system: System
    ) -> None:
        kim = await browser.enter("kim")
        org_id, user_id = OrgId(UUID(ana.org_id)), UserId(UUID(kim["id"]))
        await record(system.log, on(org_id, MemberDeactivated(user_id=user_id), org_id=org_id))

        refused(await browser.ask("GET", "/project"), 403, "membership_suspended")
        refused(await browser.log_in("kim"), 403, "membership_suspended")


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
        monkeypatch.setattr("api.login.sso.login.STEP_DEADLINE_S", 0.2)
        browser.provider.replies["/token"] = Reply(delay_s=30)

        problem = refused(await browser.log_in("kim"), 502, "provider_failed")
        assert problem["reason"] == "provider_timeout"

    async def test_a_wrong_client_secret_is_told(self, ana: Person, browser: Browser) -> None:
        await configure(ana, browser.provider, clientSecret="wrong")

        problem = refused(await browser.log_in("kim"), 403, "sso_refused")
        assert problem["reason"] == "code_refused"


class TestMixUp:
    async def test_the_code_of_one_provider_is_not_sent_to_another(
        self, dan: Person, app: Litestar, browser: Browser
    ) -> None:
        """A malicious provider sends the browser on to an honest one (RFC 9207)."""
        honest = browser.provider
        async with IdentityProvider() as malicious:
            await configure(dan, malicious)
            theirs = Browser(app, await subdomain_of(dan), malicious)
            location = await theirs.begin()
            callback = honest.log_in(location, "kim")  # it names the honest provider

            refused(await theirs.come_back(callback), 403, "sso_refused")
            assert "/token" not in malicious.asked
            await theirs.client.aclose()

    async def test_a_login_of_one_organization_is_of_no_use_in_another(
        self, dan: Person, app: Litestar, browser: Browser
    ) -> None:
        async with IdentityProvider() as other:
            await configure(dan, other)
            theirs = Browser(app, await subdomain_of(dan), other)
            theirs.client = browser.client
            here, there = await callback_of(browser), await theirs.begin()
            code = parse_qs(urlsplit(here).query)["code"][0]
            knows(other, "kim", address())
            crossed = with_query(other.log_in(there, "kim"), code=code)

            refused(await theirs.come_back(crossed), 403, "sso_refused")


class TestLimits:
    async def test_logins_from_one_network_are_limited(
        self, make_app: Make, browser: Browser
    ) -> None:
        limited = Browser(
            make_app(rate_limits=parse_rate_limits("sso=2/60")), browser.subdomain, browser.provider
        )
        done_or_moved(await limited.log_in("kim"), 303)

        answer = await limited.client.get(f"/api/auth/oidc/{browser.subdomain}")
        refused(answer, 429, "rate_limited")
        await limited.client.aclose()
