"""Proving and changing an e-mail address over HTTP."""

from datetime import timedelta
from uuid import UUID

import httpx
from litestar import Litestar

from domain.base import PLATFORM
from domain.identity.user.state import User
from runtime.system import System
from security.mail_tokens import MailPurpose
from tests.api.stage import (
    PASSWORD,
    MovableClock,
    Person,
    another_device,
    at_once,
    client_of,
    done,
    log_in,
    refused,
    stored_events,
    unique,
)


async def mailed_token(system: System, person: Person) -> str:
    """Return the token of the newest request, as its mail has it."""
    user = await system.commands.states.fresh(User, UUID(person.id))
    assert user.proof is not None
    proof = user.proof
    return system.keys.mail_tokens.mint(
        MailPurpose.EMAIL, UUID(person.id), proof.proof_id, proof.expires_at
    )


async def confirm(app: Litestar, token: str) -> httpx.Response:
    async with client_of(app) as client:
        return await client.post("/api/auth/confirm-email", json={"token": token})


async def change(person: Person, email: str, password: str = PASSWORD) -> httpx.Response:
    body = {"email": email, "currentPassword": password}
    return await person.post("/auth/change-email", body)


async def test_a_new_account_confirms_its_address_by_the_link(
    app: Litestar, system: System, ana: Person
) -> None:
    assert done(await ana.get("/auth/profile"), 200)["emailConfirmed"] is False
    token = await mailed_token(system, ana)

    answers = await at_once(*(confirm(app, token) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [204, 409, 409, 409]
    assert done(await ana.get("/auth/profile"), 200)["emailConfirmed"] is True
    refused(await confirm(app, token), 409, "email_proof_is_over")


async def test_a_link_can_be_asked_for_again_and_the_old_one_is_over(
    app: Litestar, system: System, ana: Person
) -> None:
    old = await mailed_token(system, ana)

    done(await ana.post("/auth/confirm-email/resend"), 202)

    refused(await confirm(app, old), 409, "email_proof_is_over")
    done(await confirm(app, await mailed_token(system, ana)), 204)
    before = await stored_events(system, ana.id)
    done(await ana.post("/auth/confirm-email/resend"), 202)
    assert await stored_events(system, ana.id) == before, "there is nothing to confirm"


async def test_the_new_address_counts_once_its_mailbox_proved_it(
    app: Litestar, system: System, ana: Person
) -> None:
    new = f"{unique('n')}@example.com"
    refused(await change(ana, new, "wrong"), 401, "wrong_password")
    refused(await change(ana, "nonsense"), 422, "invalid_request")

    done(await change(ana, f" {new.upper()} "), 202)

    assert done(await ana.get("/auth/profile"), 200)["email"] == ana.email
    done(await confirm(app, await mailed_token(system, ana)), 204)
    profile = done(await ana.get("/auth/profile"), 200)
    assert (profile["email"], profile["emailConfirmed"]) == (new, True)
    device = another_device(ana)
    old = {"email": ana.email, "password": PASSWORD}
    refused(await device.post("/api/auth/login", json=old), 401, "invalid_credentials")
    await log_in(device, new)
    taken = {"email": new, "password": PASSWORD, "name": "X"}
    refused(await device.post("/api/auth/register", json=taken), 409, "email_taken")
    free = {"email": ana.email, "password": PASSWORD, "name": "X"}
    done(await device.post("/api/auth/register", json=free), 201)


async def test_the_answer_does_not_tell_whether_an_address_is_taken(
    app: Litestar, system: System, ana: Person, dan: Person
) -> None:
    free = await change(ana, f"{unique('n')}@example.com")
    taken = await change(ana, dan.email)

    assert (
        (free.status_code, free.content)
        == (taken.status_code, taken.content)
        == (202, free.content)
    )
    refused(await confirm(app, await mailed_token(system, ana)), 409, "email_taken")
    assert done(await dan.get("/auth/profile"), 200)["email"] == dan.email


async def test_a_link_expires_and_dies_with_the_password(
    app: Litestar, system: System, ana: Person, clock: MovableClock
) -> None:
    done(await change(ana, f"{unique('n')}@example.com"), 202)
    token = await mailed_token(system, ana)
    clock.ahead += timedelta(hours=1)
    refused(await confirm(app, token), 409, "email_proof_is_over")
    for nonsense in ("", "nonsense", "A" * 86):
        refused(await confirm(app, nonsense), 409, "email_proof_is_over")

    ana.token = await log_in(ana.client, ana.email)
    done(await ana.post("/auth/confirm-email/resend"), 202)
    token = await mailed_token(system, ana)
    body = {"currentPassword": PASSWORD, "newPassword": "purple-tractor-7-sun"}
    done(await ana.post("/auth/change-password", body), 200)
    refused(await confirm(app, token), 409, "email_proof_is_over")


async def test_only_a_login_from_a_new_network_is_news(
    app: Litestar, system: System, ana: Person
) -> None:
    async def news() -> int:
        return (await stored_events(system, ana.id)).count("user.new_network_seen")

    await log_in(another_device(ana), ana.email)
    assert await news() == 0, "the first network, and the same one again"

    for ip, expected in (("198.51.100.7", 1), ("198.51.100.9", 1), ("203.0.113.7", 2)):
        transport = httpx.ASGITransport(app, client=(ip, 4711))  # type: ignore[arg-type]  # ASGI's types differ
        base = "https://api.example.org"
        async with httpx.AsyncClient(transport=transport, base_url=base) as elsewhere:
            await log_in(elsewhere, ana.email)
        assert await news() == expected, ip
    kept = await system.log.secrets(UUID(ana.id), PLATFORM)
    assert b"198.51.100" not in b"".join(kept.values())
