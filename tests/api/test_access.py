"""What an organization's administrators see of who came, who failed to and who was refused."""

from typing import Any

from litestar import Litestar

from domain.identity.organization.membership import Role
from eventstore.mode import LogMode
from runtime.system import System
from tests.api.stage import Person, done, join, refused, sign_up
from workers.errands import do_errands


async def accesses(admin: Person) -> list[dict[str, Any]]:
    """Return the accesses of others that an administrator sees, oldest first."""
    found = done(await admin.get("/audit?category=access&limit=100"), 200)["items"]
    return [event for event in reversed(found) if event["actor"]["id"] != admin.id]


async def test_refusals_of_a_minute_are_one_event_for_each_permission(
    system: System, app: Litestar, ana: Person
) -> None:
    ben = await sign_up(app, organization=False)
    await join(system, ben, ana.org_id, Role.MEMBER)
    project = {"key": "SEC", "name": "Secret"}
    await ana.project()

    for _ in range(3):
        refused(await ben.get("/audit"), 403, "not_permitted")
        refused(await ben.post("/project", project), 403, "not_permitted")

    denied = [event for event in await accesses(ana) if event["type"] == "access.denied"]
    assert sorted(event["data"]["needs"] for event in denied) == ["audit:read", "project:create"]
    assert {event["data"]["userId"] for event in denied} == {
        event["actor"]["id"] for event in denied
    }
    assert {event["data"]["count"] for event in denied} == {1}
    assert {event["ip"] for event in denied} == {"192.0.2.7"}


async def test_logins_and_failures_are_seen_by_the_organization_and_by_no_other(
    system: System, app: Litestar, ana: Person
) -> None:
    other = await sign_up(app)
    ben = await sign_up(app, organization=False)
    await join(system, ben, ana.org_id, Role.MEMBER)
    done(await ben.post("/auth/switch-organization", {"organizationId": ana.org_id}), 200)

    for password in ("wrong horse battery", "wrong mare battery"):
        login = {"email": ben.email, "password": password}
        response = await ben.client.post("/api/auth/login", json=login)
        assert response.status_code == 401

    await do_errands(system)
    found = await accesses(ana)
    assert [event["type"] for event in found] == ["access.login_failed"]
    assert await accesses(other) == []


async def test_the_audit_log_can_be_read_while_nothing_can_be_recorded(
    system: System, ana: Person
) -> None:
    system.log.store.set_mode(LogMode.READ_ONLY)
    try:
        items = done(await ana.get("/audit"), 200)["items"]
    finally:
        system.log.store.set_mode(LogMode.OPEN)

    assert "access.audit_read" not in [event["type"] for event in items]
