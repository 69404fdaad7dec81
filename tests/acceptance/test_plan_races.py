"""Sixteen clients of two API processes never get more than the plan allows, nor join twice."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.identity.plan import PLAN_LIMITS, Plan
from tests.acceptance.test_limits import api

pytestmark = pytest.mark.acceptance
CLIENTS = 16
FREE = PLAN_LIMITS[Plan.FREE]
PASSWORD = "violet-tractor-9-moon"
Json = dict[str, Any]


class Rush:
    """An organization on the smallest plan, reached by many clients through two processes."""

    def __init__(self, client: httpx.AsyncClient, urls: list[str]) -> None:
        self.client, self._urls = client, cycle(urls)
        self.headers: Json = {}
        self.org = ""

    async def open(self) -> None:
        """Register the organization."""
        body = {"email": "ana@example.com", "password": PASSWORD}
        organization = {"name": "Acme", "subdomain": "acme"}
        await self.post("/auth/register", {**body, "name": "Ana", "organization": organization})
        login = (await self.post("/auth/login", body)).json()
        self.headers = {"authorization": f"Bearer {login['accessToken']}"}
        self.org = login["user"]["organizationId"]

    async def post(self, path: str, body: Json) -> httpx.Response:
        """Send a request to the process whose turn it is."""
        return await self.client.post(next(self._urls) + path, json=body, headers=self.headers)

    async def all(self, requests: list[tuple[str, Json]]) -> list[httpx.Response]:
        """Send all requests, by as many clients as there are at once."""
        waiting, answers = iter(requests), list[httpx.Response]()

        async def client(own: Iterator[tuple[str, Json]]) -> None:
            for path, body in own:
                answers.append(await self.post(path, body))

        await asyncio.gather(*(client(waiting) for _ in range(CLIENTS)))
        return answers

    async def used(self) -> Json:
        """Return how much of the plan is used."""
        path = f"{next(self._urls)}/org/{self.org}/usage"
        found: Json = (await self.client.get(path, headers=self.headers)).json()["used"]
        return found


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    """Return how often each status was answered; what was refused was refused by the plan."""
    refused = [answer.json()["code"] for answer in answers if not answer.is_success]
    assert set(refused) <= {"plan_limit"}, refused
    return Counter(answer.status_code for answer in answers)


async def test_sixteen_clients_in_two_processes_never_get_one_too_many(
    tmp_path: Path, log_settings: dict[str, str]
) -> None:
    with ExitStack() as stack:
        urls = [stack.enter_context(api(tmp_path, **log_settings)) for _ in range(2)]
        async with httpx.AsyncClient(timeout=60) as client:
            rush = Rush(client, urls)
            await rush.open()
            many = range(CLIENTS)
            hook, key = {"url": "https://example.com/hook", "events": ["*"]}, {"task": ["read"]}
            guests = [{"email": f"{n}@example.com", "role": "MEMBER"} for n in many]
            invited = await rush.all([(f"/org/{rush.org}/invitations", one) for one in guests])
            made = [
                await rush.all([("/project", {"key": f"P{n}", "name": "P"}) for n in many]),
                await rush.all([("/webhook", hook) for _ in many]),
                await rush.all([("/apikey", {"name": f"{n}", "scopes": key}) for n in many]),
            ]
            project = next(answer.json()["id"] for answer in made[0] if answer.is_success)
            assert FREE.tasks is not None
            path, count = f"/project/{project}/tasks", FREE.tasks + CLIENTS
            tasks = await rush.all([(path, {"title": f"{n}"}) for n in range(count)])
            joined = await accepted_at_once(rush, invited)
            used = await rush.used()

    assert statuses(invited) == {201: FREE.members - 1, 402: CLIENTS - FREE.members + 1}
    for answers, limit in zip(
        (*made, tasks), (FREE.projects, FREE.webhooks, FREE.api_keys, FREE.tasks), strict=True
    ):
        assert statuses(answers) == {201: limit, 402: len(answers) - (limit or 0)}
    assert joined == {201: 1, 409: CLIENTS - 1}
    assert [used[name] for name in ("members", "projects", "tasks", "webhooks", "apiKeys")] == [
        FREE.members,
        FREE.projects,
        FREE.tasks,
        FREE.webhooks,
        FREE.api_keys,
    ]


async def accepted_at_once(rush: Rush, invited: list[httpx.Response]) -> Counter[int]:
    """Let one invitation be accepted by all clients at once; return the statuses."""
    link = next(answer.json()["link"] for answer in invited if answer.is_success)
    body = {"token": link.partition("#")[2], "name": "Eve", "password": PASSWORD}
    rush.headers, kept = {}, rush.headers
    answers = await rush.all([("/invitations/accept", body)] * CLIENTS)
    rush.headers = kept
    return Counter(answer.status_code for answer in answers)
