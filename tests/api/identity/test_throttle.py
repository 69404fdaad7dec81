"""Failed logins are slowed down by account and by network, and nobody is locked out."""

import asyncio
import threading
from collections import Counter
from ipaddress import ip_network
from itertools import islice
from typing import Any
from uuid import UUID

import httpx
import pytest
from msgspec.structs import replace

from api.app import create_app
from domain.base import PLATFORM
from domain.identity.user.events import LoginFailed
from projections.engine.progress import Progress
from runtime.rate_limit import parse_rate_limits
from runtime.system import System
from security.passwords import HashingQueue, PasswordCheck, Passwords
from tests.api.conftest import Make
from tests.api.stage import DEADLINE_S, PASSWORD, Person, client_of, refused, unique
from workers.errands import do_errands

WRONG = "not-the-password"
HOME = "203.0.113.7"
DEVICE = "__Host-kd"
PROXY = (ip_network("192.0.2.7/32"),)


def login_client(make_app: Make, limits: str) -> httpx.AsyncClient:
    """Return a client behind a proxy, which tells where each request is from."""
    app = make_app(rate_limits=parse_rate_limits(limits), trusted_proxies=PROXY)
    return client_of(app)


class Slow(Passwords):
    """Real hashing that begins when the gate opens."""

    def __init__(self, gate: threading.Event) -> None:
        super().__init__(memory_kib=8, iterations=1)
        self._gate = gate

    def verify(self, stored: str | None, password: str) -> PasswordCheck:
        self._gate.wait(DEADLINE_S)
        return super().verify(stored, password)


async def log_in_from(
    client: httpx.AsyncClient, address: str, email: str, password: str = WRONG, **headers: str
) -> httpx.Response:
    """Try to log in from *address*."""
    body: Any = {"email": email, "password": password}
    headers["x-forwarded-for"] = address
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
        ("198.51.100.{}", 8),  # one /24: four sources
        ("2001:db8:1:{:x}00::1", 8),  # one /48: four sources
        ("2001:db8:{:x}::1", 64),  # one /32: 32 sources
        ("2001:db8:1:1{:02x}::1", 4),  # one /56: two sources
        ("2001:db8:1:1:{:x}::1", 2),  # one /64: one source
    ],
)
async def test_a_wide_network_is_not_as_many_sources_as_it_has_addresses(
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


async def test_one_account_is_limited_in_a_whole_neighbourhood(make_app: Make) -> None:
    email = f"{unique()}@example.com"
    async with login_client(make_app, "account=2/3600") as client:
        narrow = [await log_in_from(client, f"2001:db8:1:1{n:02x}::1", email) for n in range(4)]
        other = await log_in_from(client, "2001:db8:1:200::1", email)

    assert [answer.status_code for answer in narrow] == [401, 401, 429, 429]
    assert other.status_code == 401


async def test_strangers_do_not_slow_down_a_known_device(make_app: Make, ana: Person) -> None:
    async with login_client(make_app, "login=3/3600,account=3/3600") as client:
        assert (await log_in_from(client, HOME, ana.email, PASSWORD)).status_code == 200
        device = {"cookie": f"{DEVICE}={client.cookies[DEVICE]}"}
        client.cookies.clear()
        for _ in range(10):
            await log_in_from(client, HOME, ana.email)

        stranger = await log_in_from(client, HOME, ana.email, PASSWORD)
        known = await log_in_from(client, HOME, ana.email, PASSWORD, **device)

    assert stranger.status_code == 429
    assert known.status_code == 200


async def test_a_known_device_may_not_guess_more_often_than_strangers(
    make_app: Make, ana: Person, dan: Person
) -> None:
    async with login_client(make_app, "account=3/3600") as client:
        await log_in_from(client, HOME, ana.email, PASSWORD)

        own = [(await log_in_from(client, HOME, ana.email)).status_code for _ in range(4)]
        others = [(await log_in_from(client, HOME, dan.email)).status_code for _ in range(4)]

    assert own == others == [401, 401, 401, 429]


async def test_failed_logins_of_a_minute_are_one_event(
    system: System, make_app: Make, ana: Person
) -> None:
    async with login_client(make_app, "off") as client:
        for _ in range(5):
            await log_in_from(client, HOME, ana.email)
        await do_errands(system)
        await log_in_from(client, HOME, ana.email, PASSWORD)

    events = await system.log.stream(UUID(ana.id), PLATFORM)
    assert [e.event for e in events if isinstance(e.event, LoginFailed)] == [
        LoginFailed(count=1),
        LoginFailed(count=4),
    ]


async def test_forty_clients_with_wrong_passwords_lock_out_no_known_device(
    system: System, read_side: Progress, ana: Person
) -> None:
    gate = threading.Event()
    queue = HashingQueue(Slow(gate), waiting_max=4)
    app = create_app(
        replace(
            system,
            passwords=queue,
            settings=replace(system.settings, trusted_proxies=PROXY),
        ),
        read_side,
    )
    device = {"cookie": f"{DEVICE}={ana.client.cookies[DEVICE]}"}
    async with client_of(app) as client, asyncio.timeout(DEADLINE_S):
        wrong = [
            asyncio.create_task(log_in_from(client, f"198.51.{n}.1", f"{n}@example.com"))
            for n in range(40)
        ]
        for refusal in islice(asyncio.as_completed(wrong), 35):  # the others fill the queue
            await refusal

        right = asyncio.create_task(log_in_from(client, HOME, ana.email, PASSWORD, **device))
        stranger = await log_in_from(client, HOME, ana.email, PASSWORD)
        gate.set()
        answers = [answer.status_code for answer in await asyncio.gather(*wrong)]

        assert (await right).status_code == 200
    assert stranger.status_code == 503
    assert Counter(answers) == {503: 35, 401: 5}
    queue.close()
