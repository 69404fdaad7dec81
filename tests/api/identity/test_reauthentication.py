"""Sensitive requests need a recent proof of who the caller is."""

from datetime import timedelta

import pytest
from litestar import Litestar

from runtime.rate_limit import parse_rate_limits
from tests.api.conftest import Make
from tests.api.stage import (
    PASSWORD,
    MovableClock,
    Person,
    another_device,
    done,
    log_in,
    refused,
    sign_up,
)

REAUTHENTICATE = "/auth/reauthenticate"
LATER = timedelta(minutes=11)
PROVIDER = {
    "issuer": "https://id.example.com",
    "clientId": "us",
    "clientSecret": "secret",
    "domains": ["example.com"],
}


async def test_sensitive_requests_are_refused_until_the_password_is_proved_again(
    ana: Person, clock: MovableClock
) -> None:
    hook = done(
        await ana.post("/webhook", {"url": "https://example.com/hook", "events": ["*"]}), 201
    )
    new_key = {"name": "CI", "scopes": {"task": ["read"]}}
    key = done(await ana.post("/apikey", new_key), 201)
    clock.ahead += LATER
    org = f"/org/{ana.org_id}"
    requests = [
        ("PATCH", f"{org}/settings", {"requireTotp": False}),
        ("POST", "/apikey", new_key),
        ("POST", f"/apikey/{key['id']}/rotate", None),
        ("PATCH", f"{org}/plan", {"plan": "PREMIUM"}),
        ("POST", "/webhook", {"url": "https://example.com/other", "events": ["*"]}),
        ("POST", f"/webhook/{hook['id']}/rotate-secret", None),
        ("PUT", f"{org}/oidc", PROVIDER),
        ("DELETE", f"{org}/oidc", None),
        ("PUT", f"{org}/legal-hold", {"reason": "Acme v. Apex"}),
        ("DELETE", f"{org}/legal-hold", None),
        ("DELETE", org, None),
    ]

    for method, path, body in requests:
        problem = refused(await ana.ask(method, path, json=body), 403, "reauthentication_required")
        assert problem["route"] == "/api/auth/reauthenticate"
    done(await ana.get(org), 200)
    refused(await ana.post(REAUTHENTICATE, {"password": "wrong"}), 401, "wrong_password")
    refused(await ana.ask(*requests[0][:2], json=requests[0][2]), 403, "reauthentication_required")
    ana.token = done(await ana.post(REAUTHENTICATE, {"password": PASSWORD}), 200)["accessToken"]

    for method, path, body in requests:
        assert (await ana.ask(method, path, json=body)).is_success


async def test_a_proof_counts_in_its_own_session_only(ana: Person, clock: MovableClock) -> None:
    phone = Person(
        another_device(ana),
        ana.email,
        {"id": ana.id, "organizationId": ana.org_id},
        await log_in(another_device(ana), ana.email),
    )
    clock.ahead += LATER
    done(await phone.post(REAUTHENTICATE, {"password": PASSWORD}), 200)

    path = f"/org/{ana.org_id}/plan"
    refused(await ana.patch(path, {"plan": "BASIC"}), 403, "reauthentication_required")
    done(await phone.patch(path, {"plan": "BASIC"}), 200)


async def test_a_stored_reply_is_repeated_only_with_a_recent_proof(
    ana: Person, clock: MovableClock
) -> None:
    hook = done(
        await ana.post("/webhook", {"url": "https://example.com/hook", "events": ["*"]}), 201
    )
    path, key = f"/webhook/{hook['id']}/rotate-secret", {"idempotency-key": "rotate-once"}
    clock.ahead += timedelta(minutes=9)
    first = done(await ana.post(path, headers=key), 200)
    clock.ahead += timedelta(minutes=2)

    refused(await ana.post(path, headers=key), 403, "reauthentication_required")
    done(await ana.post(REAUTHENTICATE, {"password": PASSWORD}), 200)

    assert done(await ana.post(path, headers=key), 200) == first


@pytest.fixture
async def guessed(make_app: Make) -> Litestar:
    """Give an application that limits wrong proofs to three a minute."""
    return make_app(rate_limits=parse_rate_limits("account=3/60"))


async def test_passwords_cannot_be_guessed_with_a_stolen_token(guessed: Litestar) -> None:
    person = await sign_up(guessed)
    for _ in range(3):
        refused(await person.post(REAUTHENTICATE, {"password": "guess"}), 401, "wrong_password")

    answer = await person.post(REAUTHENTICATE, {"password": PASSWORD})

    refused(answer, 429, "rate_limited")
    await log_in(another_device(person), person.email)  # its owner is not locked out
    await person.client.aclose()
