"""A running system on three servers, for every test that leaves it as healthy as it was."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.acceptance.customers import CLIENTS
from tests.acceptance.deployment import Deployment, deployment


@pytest.fixture(scope="session")
def servers() -> Iterator[Deployment]:
    with deployment() as deployed:
        yield deployed


@pytest.fixture(autouse=True)
async def closed_clients() -> AsyncIterator[None]:
    """Close what a failed test leaves open, or a later test fails for it."""
    yield
    while CLIENTS:
        await CLIENTS.pop().aclose()
