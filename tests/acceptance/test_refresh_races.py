"""Two API processes refresh one token at the same time, again and again."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.acceptance.test_limits import api

pytestmark = pytest.mark.acceptance
RACES = 150
TOGETHER = 8
ACCOUNT = {"email": "ana@example.com", "password": "violet-tractor-9-moon"}


async def test_150_races_have_one_successor_each_and_the_session_lives(tmp_path: Path) -> None:
    with api(tmp_path, limits="off") as one, api(tmp_path, limits="off") as other:
        async with httpx.AsyncClient(timeout=30) as client:
            register = {**ACCOUNT, "name": "Ana"}
            (await client.post(f"{one}/auth/register", json=register)).raise_for_status()
            answer = await client.post(f"{other}/auth/login", json=ACCOUNT)

            for race in range(1, RACES + 1):
                token = answer.headers["set-cookie"].partition(";")[0]
                client.cookies.clear()
                answers = await asyncio.gather(
                    *(
                        client.post(f"{url}/auth/refresh-token", headers={"cookie": token})
                        for url in (one, other) * (TOGETHER // 2)
                    )
                )
                answer = answers[0]
                assert {each.status_code for each in answers} == {200}
                assert len({each.headers["set-cookie"] for each in answers}) == 1
                assert answer.headers["set-cookie"].split(".")[2] == str(race)

            bearer = {"authorization": f"Bearer {answer.json()['accessToken']}"}
            profile = await client.get(f"{one}/auth/profile", headers=bearer)
            assert profile.status_code == 200
