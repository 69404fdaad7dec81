"""Two API processes log the same people in at the same time."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pyotp
import pytest

from domain.identity.session.state import SESSIONS_MAX
from tests.acceptance.test_limits import api

pytestmark = pytest.mark.acceptance
PASSWORD = "violet-tractor-9-moon"
TOGETHER = 8
ROUNDS = 5


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Start two API processes on one log."""
    folder = tmp_path_factory.mktemp("races")
    with api(folder, limits="off") as one, api(folder, limits="off") as other:
        yield one, other


async def signed_up(client: httpx.AsyncClient, url: str, email: str) -> dict[str, str]:
    """Register somebody and return their headers."""
    person = {"email": email, "password": PASSWORD, "name": "Pat"}
    (await client.post(f"{url}/auth/register", json=person)).raise_for_status()
    answer = await client.post(f"{url}/auth/login", json={"email": email, "password": PASSWORD})
    return {"authorization": f"Bearer {answer.json()['accessToken']}"}


async def test_each_code_of_the_second_factor_works_once_in_two_processes(
    processes: tuple[str, str],
) -> None:
    email = "ana@example.com"
    one, other = processes
    async with httpx.AsyncClient(timeout=30) as client:
        ana = await signed_up(client, one, email)
        body: dict[str, Any] = {"currentPassword": PASSWORD}
        proposed = await client.post(f"{one}/auth/totp", json=body, headers=ana)
        phone = pyotp.TOTP(proposed.json()["secret"])
        body = {"code": phone.now()}
        confirmed = await client.post(f"{other}/auth/totp/confirm", json=body, headers=ana)
        recovery = confirmed.json()["recoveryCodes"]
        client.cookies.clear()
        login = {"email": email, "password": PASSWORD}
        challenge = (await client.post(f"{one}/auth/login", json=login)).json()["challenge"]
        proofs = [{"recoveryCode": code} for code in recovery[:3]]
        proofs.append({"code": phone.at(int(time.time()) + 30)})

        for proof in proofs:
            answers = await asyncio.gather(
                *(
                    client.post(f"{url}/auth/login/totp", json={"challenge": challenge, **proof})
                    for url in (one, other) * (TOGETHER // 2)
                )
            )
            codes = sorted(answer.status_code for answer in answers)
            assert codes == [200] + [401] * (TOGETHER - 1)


async def test_nobody_has_too_many_sessions_in_two_processes(
    processes: tuple[str, str],
) -> None:
    login = {"email": "ben@example.com", "password": PASSWORD}
    one, other = processes
    async with httpx.AsyncClient(timeout=30) as client:
        headers = [await signed_up(client, one, login["email"])]
        for _ in range(ROUNDS):
            answers = await asyncio.gather(
                *(
                    client.post(f"{url}/auth/login", json=login)
                    for url in (one, other) * (TOGETHER // 2)
                )
            )
            headers += [
                {"authorization": f"Bearer {answer.raise_for_status().json()['accessToken']}"}
                for answer in answers
            ]

        for url in (one, other):
            seen = [
                (await client.get(f"{url}/auth/profile", headers=each)).status_code
                for each in headers
            ]
            assert sorted(seen) == [200] * SESSIONS_MAX + [401] * (len(seen) - SESSIONS_MAX)
            assert seen[0] == 401, "the oldest is gone"
