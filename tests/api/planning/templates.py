"""Templates over HTTP, for the tests that create, copy and use them."""

from typing import Any

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Json, Person, done, join, sign_up

EMPTY: Json = {
    "title": None,
    "description": None,
    "status": None,
    "priority": None,
    "estimate": None,
    "labels": [],
    "assignees": [],
    "startIn": None,
    "dueIn": None,
    "cycleId": None,
    "milestoneId": None,
    "fields": {},
}


async def colleague(app: Litestar, system: System, ana: Person, role: Role) -> Person:
    """Let another person join the organization of Ana."""
    person = await sign_up(app, organization=False)
    await join(system, person, ana.org_id, role)
    return person


async def made(person: Person, name: str = "Bug", **about: Any) -> Json:
    """Create a template."""
    found: Json = done(await person.post("/template", {"name": name, **about}), 201)
    return found


async def use(person: Person, template: Json, key: str = "ENG", **about: Any) -> Any:
    """Create a task from a template."""
    return await person.post(f"/project/{key}/tasks", {"templateId": template["id"], **about})
