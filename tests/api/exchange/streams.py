"""Reads live streams in tests: those that end, and those of a real server that go on."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
from litestar import Litestar

from api.exchange.event import LIVE
from api.exchange.live.follower import Live
from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.connection.serving import eventually, serving
from tests.api.stage import DEADLINE_S, Person, join, sign_up


class Sent(NamedTuple):
    """One event of a stream; its id is None if it has none."""

    id: int | None
    event: str
    data: Any


def parsed(text: str) -> list[Sent]:
    """Return the events of a stream, as the HTML standard reads them (section 9.2.6)."""
    found: list[Sent] = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
        if "data" in fields:
            number = int(fields["id"]) if "id" in fields else None
            found.append(Sent(number, fields["event"], json.loads(fields["data"])))
    return found


async def recorded(person: Person, after: int = 0, query: str = "") -> list[Sent]:
    """Return what a person is told of what is recorded, without how the stream ends."""
    path = f"/events?follow=false{query}"
    response = await person.get(path, headers={"last-event-id": str(after)})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    *events, last = parsed(response.text)
    assert (last.event, last.data["reason"]) == ("stream.ended", "caught_up")
    return events


class Listening:
    """An open stream of a real server."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines, self.last = lines, 0

    async def next(self) -> Sent:
        """Return the next event, waiting for it."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                fields: dict[str, str] = {}
                while line := await anext(self._lines):
                    name, _, value = line.partition(": ")
                    fields[name] = value
                if "id" in fields:
                    self.last = int(fields["id"])
                if "data" in fields:
                    return Sent(self.last, fields["event"], json.loads(fields["data"]))

    async def heartbeat(self) -> int:
        """Return the id that the next block brings, waiting for it."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                while line := await anext(self._lines):
                    if line.startswith("id: "):
                        return int(line[4:])

    async def until(self, tag: str) -> list[Sent]:
        """Return the events up to the next one of a type."""
        found = [await self.next()]
        while found[-1].event != tag:
            found.append(await self.next())
        return found


@asynccontextmanager
async def listening(
    base: str, token: str, after: int | None = None, query: str = ""
) -> AsyncIterator[Listening]:
    """Open a stream and yield it once it has begun; close it afterwards."""
    headers = {"authorization": f"Bearer {token}"}
    if after is not None:
        headers["last-event-id"] = str(after)
    async with (
        httpx.AsyncClient(base_url=base, timeout=DEADLINE_S) as client,
        client.stream("GET", f"/api/events{query}", headers=headers) as response,
    ):
        assert response.status_code == 200, await response.aread()
        lines = response.aiter_lines()
        assert (await anext(lines)).startswith("retry: ")
        yield Listening(lines)


async def member(app: Litestar, system: System, ana: Person, role: Role) -> Person:
    """Return another member of Ana's organization."""
    person = await sign_up(app, organization=False)
    await join(system, person, ana.org_id, role)
    return person


def live_of(app: Litestar) -> Live:
    found: Live = app.state[LIVE]
    return found


@asynccontextmanager
async def stream_of(
    app: Litestar, person: Person, after: int | None = None, query: str = ""
) -> AsyncIterator[tuple[Listening, Live]]:
    """Open a stream of a real server, and yield it once it waits for what is new."""
    live = live_of(app)
    async with serving(app) as served:
        base = f"http://127.0.0.1:{served.port}"
        async with listening(base, person.token, after, query) as stream:
            await eventually(lambda: any(r.follows_log for r in live.readers))
            yield stream, live
        await eventually(lambda: not live.count)
