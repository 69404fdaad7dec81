"""Failed logins to one account are limited wherever they come from, and its owner gets in."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from api.app import create_app
from devstack.redis import redis
from projections.engine.progress import Progress
from runtime.rate_limit import parse_rate_limits
from runtime.redis_rates import RedisRates
from runtime.settings import load_settings
from runtime.system import System
from tests.api.conftest import Make
from tests.api.identity.test_reset import NEW, choose, forget, mailed_token
from tests.api.identity.test_throttle import DEVICE, HOME, PROXY, log_in_from
from tests.api.stage import PASSWORD, Person, client_of, refused, unique

LIMIT = parse_rate_limits("failures=5/86400")
"""Three at once, and one more every eight hours: never more than five in a day."""


@pytest.fixture
async def client(make_app: Make) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client behind a proxy, which tells where each request is from."""
    async with client_of(make_app(rate_limits=LIMIT, trusted_proxies=PROXY)) as opened:
        yield opened


async def fail_from_everywhere(client: httpx.AsyncClient, email: str, count: int) -> list[int]:
    """Send *count* wrong passwords, each from another network; return the statuses."""
    answers = [await log_in_from(client, f"198.51.{n}.1", email) for n in range(count)]
    return [answer.status_code for answer in answers]


def shown(answer: httpx.Response) -> Any:
    """Return what an answer tells, without its id and the seconds between two requests."""
    headers = dict(answer.headers)
    left = headers.pop("ratelimit").partition(";t=")[0]
    for name in ("x-request-id", "date", "retry-after"):
        headers.pop(name, None)
    return answer.status_code, left, headers, answer.json() | {"requestId": ""}


async def test_the_limit_holds_over_all_networks_and_for_the_right_password(
    client: httpx.AsyncClient, ana: Person
) -> None:
    assert await fail_from_everywhere(client, ana.email, 5) == [401, 401, 401, 429, 429]

    right = await log_in_from(client, "203.0.113.1", ana.email, PASSWORD)
    other = await log_in_from(client, "198.51.0.1", f"{unique()}@example.com")

    refused(right, 429, "rate_limited")
    assert right.headers["retry-after"] == "28800"
    assert other.status_code == 401


async def test_an_account_that_does_not_exist_gets_the_same_answers(
    client: httpx.AsyncClient, ana: Person
) -> None:
    unknown = f"{unique()}@example.com"
    for n in range(5):
        known = await log_in_from(client, f"198.51.{n}.1", ana.email)
        assert shown(known) == shown(await log_in_from(client, f"198.51.{n}.1", unknown))


async def test_a_known_device_gets_in_and_may_not_guess_more(
    client: httpx.AsyncClient, ana: Person
) -> None:
    device = {"cookie": f"{DEVICE}={ana.client.cookies[DEVICE]}"}
    await fail_from_everywhere(client, ana.email, 4)

    good = await log_in_from(client, HOME, ana.email, PASSWORD, **device)
    own = [(await log_in_from(client, HOME, ana.email, **device)).status_code for _ in range(4)]

    assert good.status_code == 200
    assert own == [401, 401, 401, 429]


async def test_a_good_login_forgets_the_failures_of_the_day(
    client: httpx.AsyncClient, ana: Person
) -> None:
    assert await fail_from_everywhere(client, ana.email, 2) == [401, 401]
    assert (await log_in_from(client, HOME, ana.email, PASSWORD)).status_code == 200
    client.cookies.clear()

    assert await fail_from_everywhere(client, ana.email, 4) == [401, 401, 401, 429]


async def test_a_reset_password_lets_the_owner_in_again(
    make_app: Make, system: System, ana: Person
) -> None:
    app = make_app(rate_limits=LIMIT, trusted_proxies=PROXY)
    async with client_of(app) as client:
        await fail_from_everywhere(client, ana.email, 4)
        await forget(app, ana.email)
        await choose(app, await mailed_token(system, ana))

        answer = await log_in_from(client, HOME, ana.email, NEW)

    assert answer.status_code == 200


def test_a_deployment_allows_a_hundred_failures_unless_told_otherwise(tmp_path: Path) -> None:
    limits = load_settings({"APP_ENV": "test", "DATA_DIR": str(tmp_path)}).rate_limits

    assert "failures=100/86400" in [str(limit) for limit in limits]


@pytest.mark.servers
async def test_processes_count_the_failures_of_an_account_together(
    tmp_path: Path, system: System, read_side: Progress
) -> None:
    email = f"{unique()}@example.com"
    settings = replace(system.settings, rate_limits=LIMIT, trusted_proxies=PROXY)
    with redis(tmp_path) as server:
        shared = [RedisRates(server.url) for _ in range(2)]
        answers: list[int] = []
        for process, rates in enumerate(shared):
            app = create_app(replace(system, settings=settings, redis_rates=rates), read_side)
            async with client_of(app) as client:
                answers += await fail_from_everywhere(client, email, 2 + process)
            await rates.close()

    assert answers == [401, 401, 401, 429, 429]
