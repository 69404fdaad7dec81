"""Failed logins are slowed down by account and by network, and nobody is locked out."""

from collections import Counter
from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from runtime.rate_limit import parse_rate_limits
from tests.api.conftest import Make
from tests.api.stage import PASSWORD, Person, client_of, refused, unique

WRONG = "not-the-password"
PROXY = (ip_network("192.0.2.7/32"),)


def login_client(make_app: Make, limits: str) -> httpx.AsyncClient:
    """Return a client behind a proxy, which tells where each request is from."""
    app = make_app(rate_limits=parse_rate_limits(limits), trusted_proxies=PROXY)
    return client_of(app)


async def log_in_from(
    client: httpx.AsyncClient, address: str, email: str, password: str = WRONG
) -> httpx.Response:
    """Try to log in from *address*."""
    body: Any = {"email": email, "password": password}
    headers = {"x-forwarded-for": address}
    return await client.post("/api/auth/login", json=body, headers=headers)


@pytest.mark.parametrize("known", [True, False])
async def test_failures_are_limited_by_account_whether_it_exists_or_not(
    make_app: Make, ana: Person, known: bool
) -> None:
    email = ana.email if known else f"{unique()}@example.com"
    async with login_client(make_app, "account=3/60") as client:
        answers = [await log_in_from(client, f"198.51.100.{n}", email) for n in range(5)]
        upper = await log_in_from(client, "198.51.100.9", email.upper())
        other_account = await log_in_from(client, "198.51.100.1", f"{unique()}@example.com")
        elsewhere = await log_in_from(client, "203.0.113.1", email)

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    refused(answers[-1], 429, "rate_limited")
    assert answers[-1].headers["retry-after"] == "20"
    assert upper.status_code == 429
    assert other_account.status_code == elsewhere.status_code == 401


async def test_the_owner_of_an_account_is_not_locked_out_from_elsewhere(
    make_app: Make, ana: Person
) -> None:
    async with login_client(make_app, "account=2/60") as client:
        for number in range(20):
            await log_in_from(client, f"198.51.{number}.1", ana.email)
            await log_in_from(client, "203.0.113.1", ana.email)

        answer = await log_in_from(client, "192.0.2.99", ana.email, PASSWORD)

    assert answer.status_code == 200


async def test_a_good_login_forgets_the_failures_before_it(make_app: Make, ana: Person) -> None:
    async with login_client(make_app, "account=2/60") as client:
        answers = [
            (await log_in_from(client, "198.51.100.1", ana.email, password)).status_code
            for password in (WRONG, PASSWORD, WRONG, PASSWORD, WRONG, WRONG, PASSWORD)
        ]

    assert answers == [401, 200, 401, 200, 401, 401, 429]


@pytest.mark.parametrize(
    ("address", "passed"),
    [
        ("198.51.100.{}", 8),  # one /24: four customers
        ("2001:db8:1:{:x}00::1", 8),  # one /48: four customers
        ("2001:db8:{:x}::1", 64),  # one /32: 32 customers
        ("2001:db8:1:1:{:x}::1", 2),  # one /56: one customer
    ],
)
async def test_a_wide_network_is_not_as_many_customers_as_it_has_addresses(
    make_app: Make, address: str, passed: int
) -> None:
    async with login_client(make_app, "login=2/3600") as client:
        answers = Counter(
            [
                (await log_in_from(client, address.format(n + 1), f"{n}@example.com")).status_code
                for n in range(120)
            ]
        )

    assert answers == {401: passed, 429: 120 - passed}
