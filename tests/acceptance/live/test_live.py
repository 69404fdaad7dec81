"""Live events of real processes: a client gets each event once, whatever happens to the server."""

import asyncio

import httpx
import pytest

from tests.acceptance.customers import PASSWORD
from tests.acceptance.system import POLL_S, System, system
from tests.api.exchange.streams import listening

pytestmark = pytest.mark.acceptance

EACH = 5
START_S = 60.0


async def test_a_stream_is_resumed_after_a_kill_and_ended_by_a_stop() -> None:
    with system() as running:
        async with running.http() as client:
            token, project = await _arrive(client)
        got: list[str] = []
        after = await _head(running, token)
        for turn in range(3):
            await _until_up(running)
            async with listening(running.running.url, token, after) as stream:
                await _create(running, token, project, f"live {turn}")
                while f"live {turn}.{EACH - 1}" not in got:
                    told = await stream.next()
                    got.append(told.data["data"]["title"])
                    after = told.id or 0
                await _create(running, token, project, f"missed {turn}")
            await running.kill("serve")
        await _until_up(running)
        async with listening(running.running.url, token, after) as stream:
            while len(got) < 6 * EACH:
                got.append((await stream.next()).data["data"]["title"])
            stopping = asyncio.to_thread(running.stop)
            ended, code = await asyncio.gather(stream.next(), stopping)

    assert got == [
        f"{kind} {turn}.{n}"
        for turn in range(3)
        for kind in ("live", "missed")
        for n in range(EACH)
    ]
    assert (ended.event, ended.data["reason"]) == ("stream.ended", "stopping")
    assert code == 0


async def _arrive(client: httpx.AsyncClient) -> tuple[str, str]:
    """Register somebody with a project; return their token and its id."""
    account = {"email": "ana@example.com", "password": PASSWORD}
    organization = {"name": "Acme", "subdomain": "acme"}
    body = {**account, "name": "Ana", "organization": organization}
    (await client.post("/auth/register", json=body)).raise_for_status()
    token = (await client.post("/auth/login", json=account)).json()["accessToken"]
    client.headers["authorization"] = f"Bearer {token}"
    project = await client.post("/project", json={"key": "ENG", "name": "Engine"})
    return token, project.json()["id"]


async def _create(running: System, token: str, project: str, title: str) -> None:
    async with running.http() as client:
        client.headers["authorization"] = f"Bearer {token}"
        for number in range(EACH):
            body = {"title": f"{title}.{number}"}
            made = await client.post(f"/project/{project}/tasks", json=body)
            made.raise_for_status()


async def _head(running: System, token: str) -> int:
    async with running.http() as client:
        headers = {"authorization": f"Bearer {token}", "last-event-id": "0"}
        told = await client.get("/events?follow=false", headers=headers)
    return int(told.text.rpartition("id: ")[2].partition("\n")[0])


async def _until_up(running: System) -> None:
    """Wait until the server answers again."""
    async with asyncio.timeout(START_S), running.http() as client:
        while True:
            try:
                if (await client.get("/health")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(POLL_S)
