"""An organization with an identity provider, for the tests of single sign-on."""

from collections.abc import AsyncIterator

import pytest
from litestar import Litestar

from tests.api.identity.sso.stage import Browser, configure, subdomain_of
from tests.api.stage import Person
from tests.identity_provider import IdentityProvider
from tests.name_server import Names


@pytest.fixture
async def provider(names: Names) -> AsyncIterator[IdentityProvider]:
    """Yield an identity provider, for whose people the DNS can be written."""
    async with IdentityProvider(texts=names.texts) as listening:
        yield listening
    names.texts.clear()
    names.fails = False


@pytest.fixture
async def browser(app: Litestar, ana: Person, provider: IdentityProvider) -> AsyncIterator[Browser]:
    """Yield a browser in front of Ana's organization, which has the provider."""
    await configure(ana, provider)
    opened = Browser(app, await subdomain_of(ana), provider)
    yield opened
    await opened.client.aclose()
