"""Two-factor login over HTTP."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pyotp
import pytest
from litestar import Litestar

from domain.base import PLATFORM
from domain.identity.organization.membership import Role
from runtime.rate_limit import parse_rate_limits
from runtime.system import System
from tests.api.conftest import Make
from tests.api.stage import (
    PASSWORD,
    Json,
    MovableClock,
    Person,
    another_device,
    at_once,
    client_of,
    done,
    join,
    refused,
    sign_up,
    stored_events,
)

STEP = timedelta(seconds=31)


class Authenticator:
    """What shows codes on the phone of one person."""

    def __init__(self, secret: str, clock: MovableClock) -> None:
        self.secret, self._totp, self._clock = secret, pyotp.TOTP(secret), clock
        self.recovery_codes: list[str] = []

    def code(self) -> str:
        """Return the code of the next period, so that it was not used yet."""
        self._clock.ahead += STEP
        return self._totp.at(self._clock())


async def set_up(person: Person, clock: MovableClock) -> Authenticator:
    """Turn two-factor login on."""
    proposed = done(await person.post("/auth/totp", {"currentPassword": PASSWORD}), 200)
    phone = Authenticator(proposed["secret"], clock)
    answer = await person.post("/auth/totp/confirm", {"code": phone.code()})
    phone.recovery_codes = done(answer, 200)["recoveryCodes"]
    return phone


@pytest.fixture
async def phone(ana: Person, clock: MovableClock) -> Authenticator:
    """Give the authenticator of a person who turned two-factor login on."""
    return await set_up(ana, clock)


async def first_step(client: httpx.AsyncClient, email: str) -> str:
    """Send the password and return the challenge."""
    body = {"email": email, "password": PASSWORD}
    problem = refused(await client.post("/api/auth/login", json=body), 401, "totp_required")
    assert problem["expiresIn"] == 300
    return str(problem["challenge"])


async def second_step(client: httpx.AsyncClient, challenge: str, **given: Any) -> httpx.Response:
    return await client.post("/api/auth/login/totp", json={"challenge": challenge, **given})


async def test_a_secret_is_shown_once_and_counts_only_when_confirmed(
    ana: Person, clock: MovableClock
) -> None:
    refused(await ana.post("/auth/totp", {"currentPassword": "wrong"}), 401, "wrong_password")
    refused(await ana.post("/auth/totp/confirm", {"code": "123456"}), 401, "wrong_code")

    proposed = done(await ana.post("/auth/totp", {"currentPassword": PASSWORD}), 200)

    assert proposed["uri"].startswith("otpauth://totp/Trackrecord:")
    assert proposed["secret"] in proposed["uri"]
    assert done(await ana.get("/auth/profile"), 200)["totp"] is False
    wrong = str(int(pyotp.TOTP(proposed["secret"]).at(clock())) ^ 1).zfill(6)
    refused(await ana.post("/auth/totp/confirm", {"code": wrong}), 401, "wrong_code")
    code = Authenticator(proposed["secret"], clock).code()
    codes = done(await ana.post("/auth/totp/confirm", {"code": code}), 200)["recoveryCodes"]
    assert len(set(codes)) == 10
    assert done(await ana.get("/auth/profile"), 200)["totp"] is True
    again = await ana.post("/auth/totp", {"currentPassword": PASSWORD})
    refused(again, 409, "totp_already_enabled")


async def test_a_login_takes_two_steps_and_a_code_works_once(
    ana: Person, phone: Authenticator
) -> None:
    client = another_device(ana)
    challenge = await first_step(client, ana.email)
    refused(await second_step(client, challenge, code="000000"), 401, "wrong_code")
    code = phone.code()

    answers = await at_once(*(second_step(client, challenge, code=code) for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 5
    tokens: Json = next(answer.json() for answer in answers if answer.status_code == 200)
    headers = {"authorization": f"Bearer {tokens['accessToken']}"}
    done(await client.get("/api/user/me", headers=headers), 200)
    assert tokens["user"]["totp"] is True
    refused(await second_step(client, challenge, code=code), 401, "wrong_code")


async def test_a_recovery_code_works_once_and_can_be_replaced(
    ana: Person, phone: Authenticator
) -> None:
    client, [first, second, *_] = another_device(ana), phone.recovery_codes

    spelled = first.upper().replace("-", " ")
    challenge = await first_step(client, ana.email)
    done(await second_step(client, challenge, recoveryCode=spelled), 200)
    refused(await second_step(client, challenge, recoveryCode=first), 401, "wrong_code")
    answer = await ana.post("/auth/totp/recovery-codes", {"code": phone.code()})
    [new, *_] = done(answer, 200)["recoveryCodes"]

    refused(await second_step(client, challenge, recoveryCode=second), 401, "wrong_code")
    challenge = await first_step(client, ana.email)
    done(await second_step(client, challenge, recoveryCode=new), 200)


async def test_a_challenge_is_over_after_five_minutes_and_with_another_password(
    ana: Person, phone: Authenticator, clock: MovableClock
) -> None:
    client = another_device(ana)
    challenge = await first_step(client, ana.email)
    body = {"currentPassword": PASSWORD, "newPassword": "purple-tractor-7-sun"}
    done(await ana.post("/auth/change-password", body), 200)
    refused(await second_step(client, challenge, code=phone.code()), 401, "unauthorized")

    body = {"email": ana.email, "password": "purple-tractor-7-sun"}
    problem = refused(await client.post("/api/auth/login", json=body), 401, "totp_required")
    clock.ahead += timedelta(minutes=5)
    late = await second_step(client, problem["challenge"], code=phone.code())
    refused(late, 401, "unauthorized")
    refused(await second_step(client, "lc1.x", code=phone.code()), 401, "unauthorized")
    neither = await second_step(client, problem["challenge"])
    assert neither.status_code in (401, 422)


async def test_it_is_turned_off_by_password_and_code(ana: Person, phone: Authenticator) -> None:
    async def disable(**given: Any) -> httpx.Response:
        return await ana.ask("DELETE", "/auth/totp", json={"currentPassword": PASSWORD, **given})

    refused(await disable(currentPassword="no", code=phone.code()), 401, "wrong_password")
    refused(await disable(code="000000"), 401, "wrong_code")
    refused(await disable(), 422, "invalid_request")
    done(await disable(code=phone.code()), 204)

    assert done(await ana.get("/auth/profile"), 200)["totp"] is False
    refused(await disable(code=phone.code()), 409, "totp_not_enabled")
    body = {"email": ana.email, "password": PASSWORD}
    done(await another_device(ana).post("/api/auth/login", json=body), 200)


async def test_a_code_is_a_proof_for_sensitive_requests(
    ana: Person, phone: Authenticator, clock: MovableClock
) -> None:
    clock.ahead += timedelta(minutes=11)
    path = f"/org/{ana.org_id}/plan"
    refused(await ana.patch(path, {"plan": "BASIC"}), 403, "reauthentication_required")

    done(await ana.post("/auth/reauthenticate", {"code": phone.code()}), 200)

    done(await ana.patch(path, {"plan": "BASIC"}), 200)


async def test_an_organization_can_require_it(
    system: System, make_app: Make, ana: Person, dan: Person, clock: MovableClock
) -> None:
    own = dan.org_id
    await join(system, dan, ana.org_id, Role.MEMBER)
    settings = f"/org/{ana.org_id}/settings"
    assert done(await ana.get(settings), 200)["requireTotp"] is False
    refused(await ana.patch(settings, {"requireTotp": True}), 403, "totp_required")
    await set_up(ana, clock)
    assert done(await ana.patch(settings, {"requireTotp": True}), 200)["requireTotp"] is True
    assert done(await ana.get(settings), 200)["requireTotp"] is True

    refused(await dan.get("/project"), 403, "totp_required")
    refused(await dan.post("/project", {"key": "X", "name": "X"}), 403, "totp_required")
    async with client_of(make_app()) as elsewhere:
        headers = {"authorization": f"Bearer {dan.token}"}
        answer = await elsewhere.get("/api/project", headers=headers)
        refused(answer, 403, "totp_required")
    assert done(await dan.get("/auth/profile"), 200)["role"] is None
    done(await dan.post("/auth/switch-organization", {"organizationId": own}), 200)
    done(await dan.get("/project"), 200)
    done(await dan.post("/auth/switch-organization", {"organizationId": ana.org_id}), 200)
    await set_up(dan, clock)
    done(await dan.get("/project"), 200)
    assert done(await dan.get(settings), 200)["requireTotp"] is True
    refused(await dan.patch(settings, {"requireTotp": False}), 403, "not_permitted")


async def test_neither_secret_nor_codes_are_in_the_log(
    system: System, ana: Person, phone: Authenticator
) -> None:
    tags = await stored_events(system, ana.id)
    assert "user.totp_enabled" in tags
    kept = await system.log.secrets(UUID(ana.id), PLATFORM)
    rows = [
        row
        for part in range(system.log.parts)
        for row in await system.log.tail_rows(0, 10**6, part=part)
    ]

    stored = b"".join([*kept.values(), *(row.state + (row.private or b"") for row in rows)])
    for canary in (phone.secret, *phone.recovery_codes):
        assert canary.encode() not in stored


@pytest.fixture
def limited(make_app: Make) -> Litestar:
    """Give an application that takes three wrong codes a minute."""
    return make_app(rate_limits=parse_rate_limits("account=3/60"))


async def test_codes_cannot_be_guessed(limited: Litestar, clock: MovableClock) -> None:
    person = await sign_up(limited)
    phone = await set_up(person, clock)
    client = another_device(person)
    challenge = await first_step(client, person.email)
    for _ in range(3):
        refused(await second_step(client, challenge, code="000000"), 401, "wrong_code")

    refused(await second_step(client, challenge, code=phone.code()), 429, "rate_limited")
    await person.client.aclose()
