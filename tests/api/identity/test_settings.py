"""The settings of an organization through the API."""

from datetime import timedelta
from typing import Any

import pytest

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import PASSWORD, MovableClock, Person, done, join, log_in, refused

DEFAULTS = {
    "requireTotp": False,
    "loginWays": ["password", "oidc"],
    "sessionIdle": None,
    "sessionMax": None,
    "timeZone": "UTC",
    "securityContacts": [],
}


@pytest.fixture
def path(ana: Person) -> str:
    """Return the path of the settings of Ana's organization."""
    return f"/org/{ana.org_id}/settings"


async def test_settings_are_changed_one_by_one(ana: Person, path: str) -> None:
    assert done(await ana.get(path), 200) == DEFAULTS
    asked: dict[str, Any] = {
        "loginWays": ["password"],
        "sessionIdle": 3_600,
        "sessionMax": 28_800,
        "timeZone": "Europe/Zurich",
        "securityContacts": ["Sec@Acme.example"],
    }
    for name, value in asked.items():
        done(await ana.patch(path, {name: value}), 200)

    expected = {**DEFAULTS, **asked, "securityContacts": ["sec@acme.example"]}
    assert done(await ana.get(path), 200) == expected
    lifted = done(await ana.patch(path, {"sessionIdle": None, "sessionMax": None}), 200)
    assert lifted == {**expected, "sessionIdle": None, "sessionMax": None}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("loginWays", ["magic"]),
        ("sessionIdle", 60),
        ("sessionIdle", 10**7),
        ("sessionMax", 60),
        ("timeZone", None),
        ("securityContacts", ["nobody"]),
        ("securityContacts", [f"a{n}@acme.example" for n in range(11)]),
    ],
)
async def test_odd_values_are_refused(ana: Person, path: str, field: str, value: Any) -> None:
    problem = refused(await ana.patch(path, {field: value}), 422, "invalid_request")
    assert problem["errors"][0]["path"].startswith(f"$.{field}")


async def test_what_cannot_be_set_is_refused(ana: Person, path: str) -> None:
    refused(await ana.patch(path, {"loginWays": []}), 422, "no_login_way")
    refused(await ana.patch(path, {"timeZone": "Mars/Base"}), 422, "unknown_time_zone")


async def test_members_see_the_settings_without_the_contacts(
    system: System, ana: Person, dan: Person, path: str
) -> None:
    await join(system, dan, ana.org_id, Role.MANAGER)

    assert done(await dan.get(path), 200) == {**DEFAULTS, "securityContacts": None}
    refused(await dan.patch(path, {"timeZone": "Asia/Tokyo"}), 403, "not_permitted")


async def test_a_session_beyond_the_limit_ends_in_this_organization_only(
    system: System, ana: Person, dan: Person, path: str, clock: MovableClock
) -> None:
    own = dan.org_id
    await join(system, dan, ana.org_id, Role.MEMBER)
    done(await ana.patch(path, {"sessionMax": 3_600}), 200)
    done(await dan.get("/project"), 200)

    clock.ahead += timedelta(minutes=10)
    done(await dan.post("/auth/switch-organization", {"organizationId": own}), 200)
    clock.ahead += timedelta(minutes=50)
    tokens = done(await dan.post("/auth/refresh-token"), 200)
    dan.token = tokens["accessToken"]
    done(await dan.get("/project"), 200)
    switch = {"organizationId": ana.org_id}
    refused(await dan.post("/auth/switch-organization", switch), 403, "reauthentication_required")
    done(await dan.post("/auth/reauthenticate", {"password": PASSWORD}), 200)
    done(await dan.post("/auth/switch-organization", switch), 200)
    done(await dan.get("/project"), 200)


async def test_a_session_beyond_the_limit_is_neither_used_nor_refreshed(
    ana: Person, path: str, clock: MovableClock
) -> None:
    done(await ana.patch(path, {"sessionIdle": 1_800}), 200)
    clock.ahead += timedelta(minutes=14)
    done(await ana.post("/auth/refresh-token"), 200)
    clock.ahead += timedelta(minutes=30)

    refused(await ana.post("/auth/refresh-token"), 401, "unauthorized")
    refused(await ana.get("/project"), 401, "token_expired")
    ana.token = await log_in(ana.client, ana.email)
    done(await ana.get("/project"), 200)
