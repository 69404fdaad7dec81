"""How long can one client's GET, on 12,000 events, make another client wait?"""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import uvloop

from api.app import ROUTES
from api.description.openapi import describe
from benchmarks.harness.figures import Figure, interleaved
from benchmarks.harness.http_client import Address, Client, Connection
from benchmarks.harness.processes import API, PROJECTORS, Stack, stack
from benchmarks.harness.seeding import Office, open_log
from benchmarks.harness.workplace import workplace
from benchmarks.members import MEMBERS, join_members
from domain.base import OrgId
from eventstore.sqlite import SqliteStore

EVENTS = 12_000
TOGETHER = 16
"""Tasks that are created at the same time."""
ROUNDS = 5
ALONE_S = 0.3
TARGET_MS = 50.0
AUDIT = {
    "an export": "/api/audit/export",
    "an export as CSV": "/api/audit/export?format=csv",
    "an export as OCSF": "/api/audit/export?format=ocsf",
    "a search of the audit log by an address that no event has": "/api/audit?ip=203.0.113.99",
    "a search of the audit log by a type that no event has": "/api/audit?type=task.deleted",
    "a page of the audit log": "/api/audit?limit=100",
    "a checkpoint": "/api/audit/checkpoint",
    "a proof of an event": "/api/audit/proof/inclusion?seq=1",
    "a proof of growth": "/api/audit/proof/consistency?from=1",
}
_TODAY = datetime.now(UTC).date()
YEAR = f"?from={_TODAY - timedelta(days=365)}&to={_TODAY}"
QUERIES = {
    "userId": YEAR,
    "limit": "?limit=100",
    "follow": "?follow=false",
    "seq": "?seq=1",
    "from": "?from=1",
}
"""What to ask a route for that has such a parameter: its largest page, an end, what it needs."""
EVERY = "each GET route in turn, with its largest page"
FIRST = f"the first GET in an organization of {MEMBERS:,} members after a start"


def measure() -> list[Figure]:
    """Return the longest wait of a client that asks for its profile again and again."""
    with workplace() as directory, stack(directory) as processes:
        processes.start(PROJECTORS)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            with processes.running(API):
                client, large, paths = runner.run(_furnish(processes.address))
                runner.run(_join(directory, large.organization))

                def cell(*asked: str) -> float:
                    return runner.run(_longest_wait_ms(client, client, *asked))

                cells = {"no GET": cell}
                cells |= {what: partial(cell, path) for what, path in AUDIT.items()}
                cells[EVERY] = partial(cell, *paths)
                measured = interleaved(ROUNDS, cells)
            measured[FIRST] = [
                _first_wait_ms(processes, runner, client, large) for _ in range(ROUNDS)
            ]
    return [
        Figure(
            what=f"longest wait of another client during {what}",
            unit="ms",
            rounds=rounds,
            target=None if what == "no GET" else TARGET_MS,
            at_least=False,
        )
        for what, rounds in measured.items()
    ]


async def _furnish(address: Address) -> tuple[Client, Client, list[str]]:
    """Return a client with 12,000 events, one with an organization of its own, and every GET."""
    client, large = Client(address), Client(address)
    project = await client.log_in()
    await large.log_in("large")
    await _create_tasks(client, f"/api/project/{project}/tasks")
    return client, large, await _every_get(client, project)


async def _every_get(client: Client, project: str) -> list[str]:
    """Return the path of every GET route, filled with ids of things that are there.

    :raises KeyError: a route has a parameter that nothing was made for.
    """
    organization = f"/api/org/{client.organization}"
    hook = {"url": "http://127.0.0.1:9/", "events": ["*"]}
    webhook = (await client.ask("POST", "/api/webhook", hook))["id"]
    invitation = {"email": "ben@example.com", "role": "MEMBER"}
    invited = await client.ask("POST", f"{organization}/invitations", invitation)
    profile = await client.ask("GET", "/api/auth/profile")
    asked = {"name": "CI", "scopes": {"task": ["read"]}}
    label = await client.ask("POST", "/api/label", {"name": "Bug", "color": "#ff0000"})
    cycle = {"name": "One", "startsOn": "2026-05-04", "endsOn": "2026-05-15"}
    part = f"/api/project/{project}"
    field = {"key": "size", "name": "Size", "type": "number"}
    team = await client.ask("POST", "/api/team", {"name": "Gears"})
    comment = await client.ask("POST", "/api/task/ENG-1/comments", {"body": "Oiled?"})
    template = {"name": "Bug", "task": {"title": "A bug"}}
    spent = await client.ask("POST", "/api/task/ENG-1/worklogs", {"minutes": 30})
    known = {
        "comment_id": comment["id"],
        "worklog_id": spent["id"],
        "template_id": (await client.ask("POST", "/api/template", template))["id"],
        "label_id": label["id"],
        "cycle_id": (await client.ask("POST", f"{part}/cycles", cycle))["id"],
        "concern": "assigned",
        "view_id": (await client.ask("POST", "/api/view", {"name": "Late"}))["id"],
        "milestone_id": (await client.ask("POST", f"{part}/milestones", {"name": "Beta"}))["id"],
        "field_id": (await client.ask("POST", f"/api/project/{project}/fields", field))["id"],
        "attachment_id": (await client.send_file("/api/task/ENG-1/attachments", b"one"))["id"],
        "import_id": (await client.send_file(f"{part}/import", b""))["importId"],
        "api_key_id": (await client.ask("POST", "/api/apikey", asked))["id"],
        "organization_id": client.organization,
        "project_id": project,
        "project": project,
        "team_id": team["id"],
        "task": "ENG-1",
        "user_id": profile["id"],
        "webhook_id": webhook,
        "delivery_id": (await client.ask("POST", f"/api/webhook/{webhook}/ping"))["id"],
        "invitation_id": invited["id"],
        "mail_id": webhook,  # there are mails in development only
        "subdomain": "nobody",  # without an identity provider, none is asked
    }
    attached = f"/api/task/ENG-1/attachments/{known['attachment_id']}"
    link = (await client.ask("GET", f"{attached}/link"))["url"]
    known["token"] = link.rpartition("/")[2]
    found: list[str] = []
    for path, item in describe(ROUTES)["paths"].items():
        if "get" in item:
            names = {each.get("name") for each in item["get"].get("parameters", ())}
            query = next((asked for name, asked in QUERIES.items() if name in names), "")
            query += "&q=task" if "q" in names else ""
            found.append(path.format(**known) + query)
    return found


async def _join(directory: Path, organization: str) -> None:
    """Have members join the organization, straight on the log."""
    office = Office(await open_log(SqliteStore(str(directory / "events.db"))))
    office.org_id = OrgId(UUID(organization))
    await join_members(office)
    await office.log.close()


def _first_wait_ms(
    processes: Stack, runner: asyncio.Runner, client: Client, large: Client
) -> float:
    """Return the longest wait of *client* while a new process loads the large organization."""
    with processes.running(API):
        runner.run(client.wait_until_ready())
        return runner.run(_longest_wait_ms(client, large, "/api/user/me"))


async def _create_tasks(client: Client, path: str) -> None:
    numbers = iter(range(EVENTS))

    async def create() -> None:
        connection = await client.connect()
        for number in numbers:
            await connection.ask(client.request("POST", path, {"title": f"Task {number}"}))
        connection.close()

    await asyncio.gather(*(create() for _ in range(TOGETHER)))


async def _longest_wait_ms(client: Client, busy: Client, *paths: str) -> float:
    """Have *busy* ask for *paths*, or for nothing, and return the longest wait of *client*."""
    other = await client.connect()
    request = client.request("GET", "/api/auth/profile")
    await other.ask(request)
    asking = asyncio.ensure_future(_read(busy, paths) if paths else asyncio.sleep(ALONE_S))
    longest_s = 0.0
    while not asking.done():
        began = time.perf_counter()
        await other.ask(request)
        longest_s = max(longest_s, time.perf_counter() - began)
    await asking
    other.close()
    return longest_s * 1000


class _Whole(Connection):
    """A connection that waits until the server closes it, whatever it sends."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.status = b""

    def data_received(self, data: bytes) -> None:
        self.status = self.status or data[9:12]

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set_result(None)


async def _read(client: Client, paths: Sequence[str]) -> None:
    for path in paths:
        whole = await client.connect_as(_Whole)
        whole.send(client.request("GET", path).replace(b"\r\n", b"\r\nconnection: close\r\n", 1))
        await whole.ended
        # 422: no identity provider has sent anybody back with a code.
        assert whole.status in (b"200", b"404", b"422"), (path, whole.status)
