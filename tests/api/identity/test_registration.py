"""Registration: an account and its first organization."""

import pytest
from litestar import Litestar

from tests.api.stage import (
    PASSWORD,
    Person,
    at_once,
    client_of,
    done,
    refused,
    unique,
)

REGISTER, LOGIN = "/api/auth/register", "/api/auth/login"


def registration(**fields: object) -> dict[str, object]:
    email = f"{unique()}@example.com"
    return {"email": email, "password": PASSWORD, "name": "Pat", **fields}


class TestRegister:
    async def test_registration_makes_the_user_admin_of_the_new_organization(
        self, ana: Person
    ) -> None:
        profile = done(await ana.get("/auth/profile"), 200)

        assert profile == {
            "id": ana.id,
            "email": ana.email,
            "emailConfirmed": False,
            "name": "Pat",
            "role": "ADMIN",
            "organizationId": ana.org_id,
            "totp": False,
        }

    async def test_an_address_can_be_registered_once_in_any_spelling(self, app: Litestar) -> None:
        async with client_of(app) as client:
            first = registration(email=f"  {unique('Case')}@Example.COM ")
            done(await client.post(REGISTER, json=first), 201)
            again = registration(email=str(first["email"]).strip().upper())

            refused(await client.post(REGISTER, json=again), 409, "email_taken")

    @pytest.mark.parametrize(
        "spelled",
        [
            "{name}@XN--BCHER-KVA.example",  # punycode of the same domain
            "{name}@bücher.example.",  # with the final dot of the root
            "{name}@BÜCHER.example",
            "{name}@bu\u0308cher.example",  # a letter and a combining mark
            "{name}@bücher\uff0eexample",  # a full-width dot
            "{name}@bücher\u3002example",  # an ideographic full stop
            "{name}@bücher.\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45",  # full-width letters
            "{name}\uff20bücher.example",  # a full-width at sign
            "{wide}@bücher.example",
        ],
    )
    async def test_one_mailbox_has_one_account_and_one_login(
        self, app: Litestar, spelled: str
    ) -> None:
        name = unique("q")
        other = spelled.format(
            name=name, wide="".join(chr(ord(letter) + 0xFEE0) for letter in name)
        )
        async with client_of(app) as client:
            body = registration(email=f"{name}@bücher.example")
            done(await client.post(REGISTER, json=body), 201)

            again = await client.post(REGISTER, json=registration(email=other))
            login = {"email": other, "password": PASSWORD}
            user = done(await client.post("/api/auth/login", json=login), 200)["user"]

        refused(again, 409, "email_taken")
        assert user["email"] == f"{name}@xn--bcher-kva.example"

    async def test_one_of_eight_concurrent_registrations_succeeds(self, app: Litestar) -> None:
        async with client_of(app) as client:
            body = registration()

            answers = await at_once(*(client.post(REGISTER, json=body) for _ in range(8)))

        assert sorted(a.status_code for a in answers) == [201] + [409] * 7

    async def test_registration_refuses_a_weak_password_with_the_reasons(
        self, app: Litestar
    ) -> None:
        async with client_of(app) as client:
            for password, weakness in (
                ("short-9!", "too_short"),
                ("password1234", "common"),
                ("patrician@example.com", "contains_context"),
                ("x" * 300, "too_long"),
            ):
                body = registration(email="patrician@example.com", password=password)
                problem = refused(await client.post(REGISTER, json=body), 422, "weak_password")
                assert weakness in problem["weaknesses"]

    @pytest.mark.parametrize("email", ["a@b", "no-at.example.com", "a b@c.de", "@c.de", "a@b@c.de"])
    async def test_registration_refuses_a_malformed_address(
        self, app: Litestar, email: str
    ) -> None:
        async with client_of(app) as client:
            response = await client.post(REGISTER, json=registration(email=email))

        assert refused(response, 422, "invalid_request")["errors"][0]["path"] == "$.email"

    async def test_registration_creates_nothing_if_the_subdomain_is_taken(
        self, app: Litestar
    ) -> None:
        async with client_of(app) as client:
            named = {"name": "Acme", "subdomain": unique("o")[:30]}
            done(await client.post(REGISTER, json=registration(organization=named)), 201)
            second = registration(organization=named)

            refused(await client.post(REGISTER, json=second), 409, "subdomain_taken")
            login = {"email": second["email"], "password": PASSWORD}
            refused(await client.post(LOGIN, json=login), 401, "invalid_credentials")

    async def test_a_registration_is_not_repeated_for_the_same_key(self, app: Litestar) -> None:
        async with client_of(app) as client:
            body, key = registration(), {"idempotency-key": "register-once"}

            done(await client.post(REGISTER, json=body, headers=key), 201)
            second = await client.post(REGISTER, json=body, headers=key)
            done(await client.post(REGISTER, json=registration(), headers=key), 201)

        assert second.status_code == 409

    async def test_a_dry_run_of_registration_records_nothing(self, app: Litestar) -> None:
        async with client_of(app) as client:
            body = registration()

            events = done(await client.post(f"{REGISTER}?dry_run=true", json=body), 200)["events"]

            types = [event["type"] for event in events]
            assert types == ["user.registered", "user.email_proof_requested"]
            done(await client.post(REGISTER, json=body), 201)
