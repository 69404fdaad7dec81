"""Providers whose ID tokens say little tell the rest at their userinfo endpoint."""

import json

import pytest

from tests.api.identity.sso.stage import Browser, address, configure, knows, security_events
from tests.api.stage import Person, refused
from tests.deliveries.receiver import Reply

LITTLE = {"email", "email_verified", "name"}


@pytest.fixture
def email(browser: Browser) -> str:
    """Let Kim have an account at a provider whose ID tokens name nobody; return the address."""
    email = address()
    knows(browser.provider, "kim", email)
    browser.provider.has_userinfo, browser.provider.only_userinfo = True, LITTLE
    return email


async def test_what_the_id_token_lacks_is_asked_for(browser: Browser, email: str) -> None:
    profile = await browser.enter("kim")

    assert (profile["email"], profile["name"]) == (email, "Kim")
    assert browser.provider.asked[-1] == "/userinfo"


async def test_the_role_may_be_told_there_alone(ana: Person, browser: Browser, email: str) -> None:
    await configure(ana, browser.provider, roleClaim="groups", roles={"leads": "MANAGER"})
    knows(browser.provider, "kim", email, groups=["leads"])
    browser.provider.only_userinfo = {"groups"}

    assert (await browser.enter("kim"))["role"] == "MANAGER"


async def test_nobody_is_asked_if_the_id_token_says_enough(browser: Browser, email: str) -> None:
    browser.provider.only_userinfo = set()

    assert (await browser.enter("kim"))["email"] == email
    assert "/userinfo" not in browser.provider.asked


async def test_what_the_id_token_says_counts_more(browser: Browser, email: str) -> None:
    browser.provider.only_userinfo = {"email_verified"}
    told = {"sub": "kim", "email": "boss@corp.example", "email_verified": True}
    browser.provider.replies["/userinfo"] = Reply(body=json.dumps(told).encode())

    assert (await browser.enter("kim"))["email"] == email


@pytest.mark.parametrize("subject", [{"sub": "ben"}, {"sub": None}, {}])
async def test_an_answer_about_somebody_else_is_refused(
    ana: Person, browser: Browser, email: str, subject: dict[str, str]
) -> None:
    told = {"email": email, "email_verified": True, **subject}
    browser.provider.replies["/userinfo"] = Reply(body=json.dumps(told).encode())

    problem = refused(await browser.log_in("kim"), 403, "sso_refused")

    assert problem["reason"] == "userinfo_of_another"
    assert [e["data"]["reason"] for e in await security_events(ana) if "sso_refused" in e["type"]][
        :1
    ] == ["userinfo_of_another"]


async def test_an_address_that_is_not_verified_there_is_refused(
    browser: Browser, email: str
) -> None:
    knows(browser.provider, "kim", email, email_verified=False)

    refused(await browser.log_in("kim"), 403, "email_not_verified")


async def test_a_provider_without_that_endpoint_has_to_say_it_in_the_token(
    browser: Browser, email: str
) -> None:
    browser.provider.has_userinfo = False

    problem = refused(await browser.log_in("kim"), 403, "sso_refused")

    assert problem["reason"] == "no_email"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(status=401), "provider_error"),
        (Reply(status=307, headers={"Location": "http://127.0.0.1/"}), "provider_redirects"),
        (Reply(body=b"a.signed.answer"), "provider_malformed"),
        (Reply(body=b"[]"), "provider_malformed"),
        (Reply(endless=True), "provider_answer_too_large"),
    ],
    ids=["refuses us", "redirects", "signed", "a list", "endless"],
)
async def test_an_endpoint_that_fails_costs_one_login(
    browser: Browser, email: str, reply: Reply, reason: str
) -> None:
    browser.provider.replies["/userinfo"] = reply

    problem = refused(await browser.log_in("kim"), 502, "provider_failed")

    assert problem["reason"] == reason
    browser.provider.replies.clear()
    assert (await browser.enter("kim"))["email"] == email


async def test_that_endpoint_cannot_send_us_inside(browser: Browser, email: str) -> None:
    browser.provider.metadata = {"userinfo_endpoint": "http://169.254.169.254/latest"}

    problem = refused(await browser.log_in("kim"), 502, "provider_failed")

    assert problem["reason"] == "provider_url_refused"
