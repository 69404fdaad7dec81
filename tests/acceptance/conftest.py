"""A running system on three servers, for every test that leaves it as healthy as it was."""

from collections.abc import Iterator

import pytest

from tests.acceptance.deployment import Deployment, deployment


@pytest.fixture(scope="session")
def servers() -> Iterator[Deployment]:
    with deployment() as deployed:
        yield deployed
