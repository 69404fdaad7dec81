"""Logins through the identity provider of an organization."""

from datetime import timedelta

from litestar import Litestar

from tests.api.identity.sso.stage import (
    Browser,
    address,
    configure,
    done_or_moved,
    knows,
    members_of,
    security_events,
    subdomain_of,
)
from tests.api.stage import (
    MovableClock,
    Person,
    done,
    refused,
    sign_up,
    unique,
)
from tests.identity_provider import IdentityProvider, new_key

APP_URL = "http://localhost:5173"


class TestLogin:
    async def test_whom_the_provider_vouches_for_becomes_a_member(
        self, ana: Person, browser: Browser
    ) -> None:
        email = address()
        knows(browser.provider, "kim", email.upper())

        profile = await browser.enter("kim")

        assert (profile["email"], profile["name"], profile["role"]) == (email, "Kim", "MEMBER")
        assert profile["organizationId"] == ana.org_id
        assert not profile["emailConfirmed"], "the provider's word counts in one place only"
        done(await browser.ask("GET", "/project"), 200)

    async def test_the_answer_sets_the_refresh_cookie_of_every_session(
        self, browser: Browser
    ) -> None:
        knows(browser.provider, "kim", address())

        answer = await browser.log_in("kim")

        assert answer.headers["location"] == f"{APP_URL}/"
        refresh, attempt = answer.headers.get_list("set-cookie")
        assert refresh.startswith("__Host-rt=rt1.")
        assert "SameSite=Strict" in refresh
        assert "Max-Age=0" in attempt
        assert answer.content == b""

    async def test_the_same_person_comes_back_as_the_same_member(
        self, ana: Person, browser: Browser
    ) -> None:
        knows(browser.provider, "kim", address())
        first = await browser.enter("kim")
        knows(browser.provider, "kim", address(), name="Kim Married")

        again = await browser.enter("kim")

        assert again == first
        assert await members_of(ana) == 2

    async def test_a_role_is_mapped_at_each_login_and_the_last_admin_keeps_theirs(
        self, ana: Person, browser: Browser
    ) -> None:
        provider = browser.provider
        await configure(ana, provider, roleClaim="groups", roles={"leads": "MANAGER"})
        email = address()
        knows(provider, "kim", email, groups=["all", "leads"])
        assert (await browser.enter("kim"))["role"] == "MANAGER"
        knows(provider, "kim", email, groups="all")
        assert (await browser.enter("kim"))["role"] == "MEMBER"

        changed = [e for e in await security_events(ana) if e["type"] == "member.role_changed"]
        assert changed[0]["data"]["to"] == "MEMBER"
        assert changed[0]["command"] == "LogInBySso"

    async def test_an_invitation_is_accepted(self, ana: Person, browser: Browser) -> None:
        email = address()
        inviting = f"/org/{ana.org_id}/invitations"
        done(await ana.post(inviting, {"email": email, "role": "MANAGER"}), 201)
        knows(browser.provider, "kim", email)

        assert (await browser.enter("kim"))["role"] == "MANAGER"
        assert await members_of(ana) == 2  # an open invitation would have a place of its own

    async def test_the_plan_limits_members(self, ana: Person, browser: Browser) -> None:
        for _ in range(9):
            inviting = f"/org/{ana.org_id}/invitations"
            done(await ana.post(inviting, {"email": address()}), 201)
        knows(browser.provider, "kim", address())

        problem = refused(await browser.log_in("kim"), 402, "plan_limit")

        assert (problem["limit"], problem["used"]) == (10, 10)

    async def test_an_unconfirmed_account_is_not_taken_over(
        self, app: Litestar, browser: Browser
    ) -> None:
        squatter = await sign_up(app, email=address())
        knows(browser.provider, "kim", squatter.email)

        refused(await browser.log_in("kim"), 403, "account_unconfirmed")
        await squatter.client.aclose()

    async def test_the_login_is_a_proof_only_if_the_provider_says_when(
        self, ana: Person, browser: Browser, clock: MovableClock
    ) -> None:
        await configure(ana, browser.provider, defaultRole="ADMIN")
        knows(browser.provider, "kim", address())
        plan = f"/org/{ana.org_id}/plan"
        await browser.enter("kim")
        sensitive = await browser.ask("PATCH", plan, json={"plan": "BASIC"})
        refused(sensitive, 403, "reauthentication_required")

        await browser.enter("kim", fresh="true")

        done(await browser.ask("PATCH", plan, json={"plan": "BASIC"}), 200)
        clock.ahead += timedelta(minutes=11)
        late = await browser.ask("PATCH", plan, json={"plan": "FREE"})
        refused(late, 403, "reauthentication_required")

    async def test_keys_that_the_provider_exchanges_are_fetched_again(
        self, browser: Browser
    ) -> None:
        provider = browser.provider
        knows(provider, "kim", address())
        await browser.enter("kim")
        provider.keys = [new_key("second")]

        await browser.enter("kim")
        await browser.enter("kim")

        assert provider.asked.count("/jwks") == 2
        assert provider.asked.count("/.well-known/openid-configuration") == 1

    async def test_metadata_is_fetched_again_after_a_while(
        self, browser: Browser, clock: MovableClock
    ) -> None:
        await browser.begin()
        await browser.begin()
        clock.ahead += timedelta(minutes=10)
        await browser.begin()

        assert browser.provider.asked.count("/.well-known/openid-configuration") == 2

    async def test_a_client_may_have_to_send_its_secret_in_the_form(self, browser: Browser) -> None:
        provider = browser.provider
        provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
        knows(provider, "kim", address())

        await browser.enter("kim")

        (asked,) = [r for r in provider.requests if r.path.endswith("/token")]
        assert b"client_secret=s3cret" in asked.body
        assert "authorization" not in asked.headers

    async def test_two_organizations_have_providers_of_their_own(
        self, ana: Person, dan: Person, app: Litestar, browser: Browser
    ) -> None:
        email = address()
        knows(browser.provider, "kim", email)
        async with IdentityProvider(texts=browser.provider.texts) as other:
            await configure(dan, other)
            theirs = Browser(app, await subdomain_of(dan), other)
            theirs.client = browser.client  # the same browser, with both logins open at once
            knows(other, "kim", address())
            here, there = await browser.begin(), await theirs.begin()

            done_or_moved(await theirs.come_back(other.log_in(there, "kim")), 303)
            done_or_moved(await browser.come_back(browser.provider.log_in(here, "kim")), 303)

        assert [await members_of(ana), await members_of(dan)] == [2, 2]


class TestSecurityEvents:
    async def test_administrators_read_what_was_configured_and_who_came(
        self, ana: Person, browser: Browser
    ) -> None:
        knows(browser.provider, "kim", address())
        kim = await browser.enter("kim")

        newest_first = await security_events(ana)
        events = {event["type"]: event for event in reversed(newest_first)}

        assert events["organization.sso_configured"]["actor"]["id"] == ana.id
        assert events["member.joined"]["actor"]["id"] == kim["id"]
        linked = events["member.linked"]["data"]
        assert linked == {"userId": kim["id"], "issuer": browser.provider.issuer, "subject": "kim"}
        assert events["access.logged_in"]["data"]["userId"] == kim["id"]

    async def test_failures_are_recorded_once_a_minute(
        self, ana: Person, browser: Browser, clock: MovableClock
    ) -> None:
        provider = browser.provider
        knows(provider, "kim", f"{unique()}@elsewhere.example")
        for _ in range(3):
            refused(await browser.log_in("kim"), 403, "domain_not_accepted")
        clock.ahead += timedelta(minutes=1)
        refused(await browser.log_in("kim"), 403, "domain_not_accepted")

        events = [e for e in await security_events(ana) if e["type"] == "access.sso_refused"]

        assert [e["data"]["count"] for e in events] == [3, 1]
        assert events[0]["data"]["reason"] == "domain_not_accepted"
        assert events[0]["data"]["userId"] is None

    async def test_a_refused_account_is_named(
        self, ana: Person, app: Litestar, browser: Browser
    ) -> None:
        squatter = await sign_up(app, email=address())
        knows(browser.provider, "kim", squatter.email)
        refused(await browser.log_in("kim"), 403, "account_unconfirmed")

        events = [e for e in await security_events(ana) if e["type"] == "access.sso_refused"]

        assert events[0]["data"]["userId"] == squatter.id
        await squatter.client.aclose()
