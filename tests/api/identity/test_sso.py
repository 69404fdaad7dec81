"""Logins through the identity provider of an organization (S3, S9, S12 of SECURITY.md)."""

from collections.abc import AsyncIterator

import pytest
from litestar import Litestar

from tests.api.identity.single_sign_on import (
    DOMAIN,
    Browser,
    configure,
    knows,
    subdomain_of,
)
from tests.api.stage import Person, done, unique
from tests.identity_provider import IdentityProvider


@pytest.fixture
async def provider() -> AsyncIterator[IdentityProvider]:
    """Yield an identity provider."""
    async with IdentityProvider() as listening:
        yield listening


@pytest.fixture
async def browser(app: Litestar, ana: Person, provider: IdentityProvider) -> AsyncIterator[Browser]:
    """Yield a browser in front of Ana's organization, which has a provider."""
    await configure(ana, provider)
    opened = Browser(app, await subdomain_of(ana), provider)
    yield opened
    await opened.client.aclose()


def address() -> str:
    return f"{unique('k')}@{DOMAIN}"


class TestLogin:
    async def test_whom_the_provider_vouches_for_becomes_a_member(
        self, ana: Person, browser: Browser
    ) -> None:
        email = address()
        knows(browser.provider, "kim", email)

        profile = await browser.enter("kim")

        assert (profile["email"], profile["name"], profile["role"]) == (email, "Kim", "MEMBER")
        assert profile["organizationId"] == ana.org_id
        assert not profile["emailConfirmed"]
        done(await browser.ask("GET", "/project"), 200)
