"""Live events of real processes: a client gets each event once, whatever happens to the servers."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.customers import PASSWORD
from tests.acceptance.deployment import Deployment
from tests.acceptance.system import POLL_S, System, system
from tests.api.exchange.streams import Sent, listening

pytestmark = pytest.mark.acceptance

EACH = 5
START_S = 60.0
STREAMS = 8
"""Streams at once, so many that two processes of one API get some of them each."""

Stack = System | Deployment


async def test_a_stream_is_resumed_after_kills_and_ended_by_a_stop() -> None:
    with system(partitions=4) as running:
        await _check_kills_and_a_stop(running)


async def _check_kills_and_a_stop(stack: System) -> None:
    token, project = await _arrive(stack)
    got: list[str] = []
    after = await _head(stack, token)
    for turn in range(2):
        await _until_up(stack)
        async with listening(_url(stack), token, after) as stream:
            await _create(stack, token, project, f"live {turn}")
            while f"live {turn}.{EACH - 1}" not in got:
                told = await stream.next()
                got.append(_title(told))
                after = told.id or 0
            await _create(stack, token, project, f"missed {turn}")
        await stack.kill("serve")
    await _until_up(stack)
    async with listening(_url(stack), token, after) as stream:
        while len(got) < 4 * EACH:
            got.append(_title(await stream.next()))
        ended, code = await asyncio.gather(stream.next(), asyncio.to_thread(stack.stop))

    words = ("live 0", "missed 0", "live 1", "missed 1")
    assert got == [f"{word}.{number}" for word in words for number in range(EACH)]
    assert (ended.event, ended.data["reason"], code) == ("stream.ended", "stopping", 0)


@pytest.mark.needs("postgresql")
async def test_every_stream_of_two_processes_gets_each_event_once(servers: Deployment) -> None:
    stack = servers
    token, project = await _arrive(stack)
    after = await _head(stack, token)

    async def follow() -> list[str]:
        async with listening(_url(stack), token, after) as stream:
            return [_title(await stream.next()) for _ in range(2 * EACH)]

    streams = [asyncio.create_task(follow()) for _ in range(STREAMS)]
    await _create(stack, token, project, "first")
    await _create(stack, token, project, "second")
    found = await asyncio.gather(*streams)

    assert found == STREAMS * [
        [f"{word}.{number}" for word in ("first", "second") for number in range(EACH)]
    ]


def _title(told: Sent) -> str:
    return str(told.data["data"]["title"])


def _url(stack: Stack) -> str:
    return stack.url if isinstance(stack, Deployment) else stack.running.url


async def _arrive(stack: Stack) -> tuple[str, str]:
    """Register somebody with a project; return their token and its id."""
    name = f"live-{uuid4().hex[:10]}"
    account = {"email": f"{name}@example.com", "password": PASSWORD}
    organization = {"name": "Acme", "subdomain": name}
    body = {**account, "name": "Ana", "organization": organization}
    async with stack.http() as client:
        (await client.post("/auth/register", json=body)).raise_for_status()
        token = (await client.post("/auth/login", json=account)).json()["accessToken"]
        client.headers["authorization"] = f"Bearer {token}"
        project = await client.post("/project", json={"key": "ENG", "name": "Engine"})
    return token, project.json()["id"]


async def _create(stack: Stack, token: str, project: str, title: str) -> None:
    async with stack.http() as client:
        client.headers["authorization"] = f"Bearer {token}"
        for number in range(EACH):
            body = {"title": f"{title}.{number}"}
            made = await client.post(f"/project/{project}/tasks", json=body)
            made.raise_for_status()


async def _head(stack: Stack, token: str) -> int:
    async with stack.http() as client:
        headers = {"authorization": f"Bearer {token}", "last-event-id": "0"}
        told = await client.get("/events?follow=false", headers=headers)
    return int(told.text.rpartition("id: ")[2].partition("\n")[0])


async def _until_up(stack: Stack) -> None:
    """Wait until the server answers again."""
    async with asyncio.timeout(START_S), stack.http() as client:
        while True:
            try:
                if (await client.get("/health")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(POLL_S)
