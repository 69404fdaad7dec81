"""Password resets over HTTP: by mail only, once, and every session ends."""

from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from audit.opened import Opened, open_all
from domain.base import PLATFORM, UserId
from domain.identity.user.events import PasswordResetRequested
from domain.identity.user.state import User
from runtime.system import System
from security.mail_tokens import MailPurpose
from tests.api.identity.reading import note_reads
from tests.api.stage import (
    MovableClock,
    Person,
    at_once,
    client_of,
    done,
    log_in,
    refused,
    unique,
)
from workers.errands import do_errands

NEW = "amber-kettle-7-harbour"


async def forget(app: Litestar, email: str) -> None:
    """Ask for a new password, as anybody can."""
    async with client_of(app) as client:
        answer = await client.post("/api/auth/forgot-password", json={"email": email})
        assert set(done(answer, 202)) == {"detail"}


async def requests_of(system: System, person: Person) -> list[PasswordResetRequested]:
    """Return the requests that are recorded."""
    found = await system.log.stream(UUID(person.id), PLATFORM)
    return [one.event for one in found if isinstance(one.event, PasswordResetRequested)]


async def mailed_token(system: System, person: Person) -> str:
    """Return the token of the newest request, as its mail has it."""
    await do_errands(system)
    newest = (await requests_of(system, person))[-1]
    expires_at: datetime = newest.expires_at
    return system.keys.mail_tokens.mint(
        MailPurpose.PASSWORD_RESET, UUID(person.id), newest.reset_id, expires_at
    )


async def choose(app: Litestar, token: str, password: str = NEW) -> httpx.Response:
    async with client_of(app) as client:
        body = {"token": token, "newPassword": password}
        return await client.post("/api/auth/reset-password", json=body)


async def test_a_forgotten_password_is_replaced_and_all_sessions_end(
    app: Litestar, ana: Person, system: System
) -> None:
    await forget(app, f" {ana.email.upper()}")
    token = await mailed_token(system, ana)

    refused(await choose(app, token, "password123"), 422, "weak_password")
    done(await choose(app, token), 204)

    refused(await ana.get("/auth/profile"), 401, "unauthorized")
    ana.token = await log_in(ana.client, ana.email, NEW)
    assert done(await ana.get("/auth/profile"), 200)["emailConfirmed"] is True
    refused(await choose(app, token), 409, "reset_is_over")


async def test_of_resets_at_once_one_wins(app: Litestar, ana: Person, system: System) -> None:
    await forget(app, ana.email)
    token = await mailed_token(system, ana)

    answers = await at_once(*(choose(app, token, f"{NEW}-{n}") for n in range(5)))

    assert sorted(answer.status_code for answer in answers) == [204, 409, 409, 409, 409]
    user = await system.commands.states.fresh(User, UserId(UUID(ana.id)))
    assert user.credentials == 1


async def test_a_token_is_over_after_half_an_hour_and_after_a_newer_one(
    app: Litestar, ana: Person, system: System, clock: MovableClock
) -> None:
    await forget(app, ana.email)
    first = await mailed_token(system, ana)
    await forget(app, ana.email)
    second = await mailed_token(system, ana)

    refused(await choose(app, first), 409, "reset_is_over")
    clock.ahead += timedelta(minutes=30)
    refused(await choose(app, second), 409, "reset_is_over")


async def test_an_unknown_address_gets_the_same_answer_and_no_mail(
    app: Litestar, system: System
) -> None:
    await forget(app, "nobody@example.com")

    before = await system.log.last_position()
    await do_errands(system)
    assert await system.log.last_position() == before


async def test_a_request_does_the_same_work_whether_there_is_an_account(
    app: Litestar, ana: Person, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_for = note_reads(monkeypatch, system.log.store)

    work: list[list[str]] = []
    for email in (ana.email, f"{unique()}@example.com"):
        looked_for.clear()
        await forget(app, email)
        work.append([*looked_for])

    assert work[0] == work[1]
    assert "holders" not in work[0]


async def test_who_asked_is_recorded_with_the_request(
    app: Litestar, ana: Person, system: System
) -> None:
    await forget(app, ana.email)
    await do_errands(system)

    rows = await system.log.stream_rows(UUID(ana.id), PLATFORM)
    [opened] = await open_all(system.log, [rows[-1]])
    assert isinstance(opened, Opened)
    assert opened.row.tag == "user.password_reset_requested"
    assert opened.origin[0] == "192.0.2.7"


@pytest.mark.parametrize("token", ["", "nonsense", "A" * 86])
async def test_a_made_up_token_resets_nothing(app: Litestar, token: str) -> None:
    refused(await choose(app, token), 409, "reset_is_over")


async def test_an_invitations_token_resets_nothing(app: Litestar, ana: Person) -> None:
    path = f"/org/{ana.org_id}/invitations"
    sent = done(await ana.post(path, {"email": "eve@example.com", "role": "MEMBER"}), 201)
    token = str(sent["link"]).partition("#")[2]

    refused(await choose(app, token), 409, "reset_is_over")
