"""Colleagues of Ana, in her organization."""

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Person, join, sign_up


@pytest.fixture
async def ben(ana: Person, app: Litestar, system: System) -> Person:
    """Sign up a MEMBER of Ana's organization."""
    person = await sign_up(app)
    await join(system, person, ana.org_id, Role.MEMBER)
    return person


@pytest.fixture
async def mia(ana: Person, app: Litestar, system: System) -> Person:
    """Sign up a MANAGER of Ana's organization."""
    person = await sign_up(app)
    await join(system, person, ana.org_id, Role.MANAGER)
    return person
