"""What the tests of logged time begin with: people, a task, and time on it."""

from typing import Any

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Person, done, join, sign_up

LOGS = "/task/ENG-1/worklogs"


@pytest.fixture
async def task(ana: Person) -> Any:
    return await ana.task(await ana.project())


async def member(app: Litestar, system: System, ana: Person, role: Role = Role.MEMBER) -> Person:
    person = await sign_up(app, organization=False)
    await join(system, person, ana.org_id, role)
    return person


@pytest.fixture
async def ben(app: Litestar, system: System, ana: Person) -> Person:
    return await member(app, system, ana)


@pytest.fixture
async def mia(app: Litestar, system: System, ana: Person) -> Person:
    return await member(app, system, ana, Role.MANAGER)


async def log(person: Person, minutes: int = 30, **about: Any) -> Any:
    return done(await person.post(LOGS, {"minutes": minutes, **about}), 201)


async def spent(person: Person) -> int:
    """Return the time spent on a task as it shows it, and as a list does."""
    shown: int = done(await person.get("/task/ENG-1"), 200)["timeSpentMinutes"]
    project = done(await person.get("/project"), 200)["items"][0]["id"]
    [listed] = done(await person.get(f"/project/{project}/tasks"), 200)["items"]
    assert listed["timeSpentMinutes"] == shown
    return shown
