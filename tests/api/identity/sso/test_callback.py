"""Replayed, stolen and mixed-up callbacks start no session."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from litestar import Litestar

from runtime.rate_limit import parse_rate_limits
from runtime.system import System
from security.oidc.attempt import ATTEMPT_LIFETIME
from tests.api.conftest import Make
from tests.api.identity.sso.stage import (
    Browser,
    address,
    configure,
    done_or_moved,
    knows,
    members_of,
    subdomain_of,
)
from tests.api.stage import MovableClock, Person, at_once, client_of, refused
from tests.identity_provider import IdentityProvider


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


class TestBrowser:
    """A browser asks for HTML, and is sent back to the product instead of shown JSON."""

    async def come_back(self, browser: Browser, callback: str) -> str:
        parts = urlsplit(callback)
        path = f"{parts.path}?{parts.query}"
        answer = await browser.client.get(path, headers={"accept": "text/html"})
        done_or_moved(answer, 303)
        assert "rt=" not in answer.headers.get("set-cookie", "")
        return str(answer.headers["location"])

    async def test_a_refusal_of_the_provider_is_told_in_the_address_of_the_page(
        self, browser: Browser
    ) -> None:
        page = "http://localhost:5173/login?from=mail"
        location = await browser.begin(returnTo=page)
        denied = with_query(
            browser.provider.log_in(location, "kim"), code=None, error="access_denied"
        )

        assert await self.come_back(browser, denied) == f"{page}&error=sso_refused"

    async def test_a_rule_that_refuses_is_told_too(
        self, provider: IdentityProvider, browser: Browser
    ) -> None:
        knows(provider, "kim", "kim@elsewhere.example")

        location = await self.come_back(browser, await callback_of(browser))
        assert location.endswith("?error=domain_not_accepted")

    async def test_who_never_began_is_sent_to_the_product_and_nowhere_else(
        self, system: System, browser: Browser
    ) -> None:
        callback = await callback_of(browser)
        browser.client.cookies.clear()

        location = await self.come_back(browser, callback)
        assert location == f"{system.settings.app_url}?error=sso_login_is_over"


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


class TestMixUp:
    async def test_the_code_of_one_provider_is_not_sent_to_another(
        self, dan: Person, app: Litestar, browser: Browser
    ) -> None:
        """A malicious provider sends the browser on to an honest one (RFC 9207)."""
        honest = browser.provider
        async with IdentityProvider(texts=browser.provider.texts) as malicious:
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
        async with IdentityProvider(texts=browser.provider.texts) as other:
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
