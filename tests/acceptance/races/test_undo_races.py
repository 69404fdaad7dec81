"""Eight clients of two API processes undo the same at once, and it is undone exactly once."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.acceptance.customers import CLIENTS as OPEN
from tests.acceptance.customers import PASSWORD
from tests.acceptance.deployment import Deployment

pytestmark = [pytest.mark.acceptance, pytest.mark.servers]
CLIENTS, TASKS, ROUNDS = 8, 20, 5


async def test_eight_clients_in_two_processes_undo_the_same_once(servers: Deployment) -> None:
    clients = [servers.http() for _ in range(CLIENTS)]
    OPEN.extend(clients)
    first, answers = clients[0], list[httpx.Response]()
    headers = await joined(first)
    for client in clients:
        client.headers.update(headers)
    body = {"key": "ENG", "name": "Engine"}
    path = f"/project/{(await first.post('/project', json=body)).json()['id']}/tasks"
    made = [(await first.post(path, json={"title": f"{n}"})).json() for n in range(TASKS)]
    to = {"priority": "HIGH", "status": "IN_PROGRESS"}
    change = {"ids": [each["id"] for each in made], "set": to}
    for number in range(ROUNDS):
        name = f"tidy-up-{number}"
        await first.post("/task/bulk", json=change, headers={"x-correlation-id": name})
        answers += await asyncio.gather(*(client.post(f"/undo/{name}") for client in clients))
    tasks = (await first.get(path)).json()["items"]
    undone = (await first.get("/audit?type=changes.undone")).json()["items"]
    linted = servers.command("lint-log")

    assert Counter(answer.status_code for answer in answers) == {200: CLIENTS * ROUNDS}
    assert Counter(told(answer.json()) for answer in answers) == {
        (2 * TASKS, 0): ROUNDS,
        (0, 2 * TASKS): (CLIENTS - 1) * ROUNDS,
    }
    assert [each["data"]["done"] for each in undone] == [2 * TASKS] * ROUNDS
    assert {(each["priority"], each["status"]) for each in tasks} == {("MEDIUM", "TODO")}
    assert linted.returncode == 0, linted.stdout + linted.stderr


async def joined(client: httpx.AsyncClient) -> dict[str, str]:
    """Register somebody with an organization; return what their requests have to say."""
    account = {"email": "undo@example.com", "password": PASSWORD}
    organization = {"name": "Undo", "subdomain": "undo-races"}
    await client.post(
        "/auth/register", json={**account, "name": "Ana", "organization": organization}
    )
    login = (await client.post("/auth/login", json=account)).json()
    return {"authorization": f"Bearer {login['accessToken']}"}


def told(answer: dict[str, Any]) -> tuple[int, int]:
    assert answer["conflicts"] == []
    return answer["undone"], answer["unchanged"]
