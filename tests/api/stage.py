"""Users of the API, each with their own account and organization."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from litestar import Litestar

from deliveries.fan_out import delivery_id
from domain.base import OrgId, UserId
from domain.identity.organization.membership import MemberJoined, Role
from domain.identity.session.events import SessionSwitchedOrganization
from domain.identity.user.events import HomeOrganizationChanged
from eventstore.identifiers import new_id
from eventstore.operations.records import Delivery
from eventstore.recorded import event_id
from runtime.system import System
from tests.spec import on, record

PASSWORD = "violet-tractor-9-moon"
DEADLINE_S = 30.0
Json = dict[str, Any]

ENDING = {
    "/api/audit/proof/consistency": "?from=1",
    "/api/audit/proof/inclusion": "?seq=1",
    "/api/events": "?follow=false",
    "/api/search": "?q=quicksilver",
    "/api/timesheet": "?from=2026-11-01&to=2026-11-30",
    "/api/worklogs": "?from=2026-11-01&to=2026-11-30",
    "/api/worklogs/export": "?from=2026-11-01&to=2026-11-30",
}
"""What to ask some paths for: so that an answer ends, and a search finds what tests hide."""


class MovableClock:
    """The machine's time, moved ahead by as much as a test needs."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Person:
    """A user with a token who uses one application."""

    def __init__(self, client: httpx.AsyncClient, email: str, profile: Json, token: str) -> None:
        self.client, self.email, self.token = client, email, token
        self.id, self.org_id = profile["id"], profile["organizationId"]

    async def ask(self, method: str, path: str, **about: Any) -> httpx.Response:
        """Send one request under /api, with the token."""
        headers = {"authorization": f"Bearer {self.token}", **about.pop("headers", {})}
        return await self.client.request(method, f"/api{path}", headers=headers, **about)

    async def get(self, path: str, **about: Any) -> httpx.Response:
        return await self.ask("GET", path, **about)

    async def post(self, path: str, json: Any = None, **about: Any) -> httpx.Response:
        return await self.ask("POST", path, json=json, **about)

    async def patch(self, path: str, json: Any, **about: Any) -> httpx.Response:
        return await self.ask("PATCH", path, json=json, **about)

    async def delete(self, path: str, **about: Any) -> httpx.Response:
        return await self.ask("DELETE", path, **about)

    async def project(self, key: str = "ENG") -> Any:
        """Create a project."""
        return done(await self.post("/project", {"key": key, "name": "Engine"}), 201)

    async def others(self, project: Json) -> dict[str, str]:
        """Create what a task has to do with: another task and project, and a label."""
        label = done(await self.post("/label", {"name": "Bug", "color": "#ff0000"}), 201)
        elsewhere = done(await self.post("/project", {"key": "HR", "name": "People"}), 201)
        other = (await self.task(project))["id"]
        size = {"key": "size", "name": "Size", "type": "text"}
        field = done(await self.post(f"/project/{project['id']}/fields", size), 201)
        days = {"startsOn": "2026-05-04", "endsOn": "2026-05-15"}
        path = f"/project/{project['id']}"
        cycle = done(await self.post(f"{path}/cycles", {"name": "One", **days}), 201)
        milestone = done(await self.post(f"{path}/milestones", {"name": "Beta"}), 201)
        known = {"label_id": label["id"], "field_id": field["id"]}
        view = done(await self.post("/view", {"name": "Late", "shared": True}), 201)
        known |= {"cycle_id": cycle["id"], "milestone_id": milestone["id"], "view_id": view["id"]}
        template = done(await self.post("/template", {"name": "Bug"}), 201)
        known |= {"template_id": template["id"]}
        known |= {"other_project": elsewhere["id"], "kind": "blocks", "notice": "1"}
        said = done(await self.post(f"/task/{other}/comments", {"body": "Well?"}), 201)["id"]
        done(await self.delete(f"/task/{other}/comments/{said}"), 204)
        known |= {"type": "comment", "thing_id": said}  # it is in the trash
        return known | {"other": other, "other_id": other}

    async def task(self, project: Json, title: str = "Oil it", **fields: Any) -> Any:
        """Create a task in *project*."""
        path = f"/project/{project['id']}/tasks"
        return done(await self.post(path, {"title": title, **fields}), 201)

    async def file(self, task: str, content: bytes = b"one", **headers: str) -> Any:
        """Attach a file to a task."""
        path = f"/task/{task}/attachments"
        return done(await self.ask("POST", path, content=content, headers=headers), 201)


def another_device(person: "Person") -> httpx.AsyncClient:
    """Return a client of the same application without the cookies of *person*."""
    transport = person.client._transport  # pyright: ignore[reportPrivateUsage]  # the test looks inside
    return httpx.AsyncClient(transport=transport, base_url=person.client.base_url)


def client_of(app: Litestar) -> httpx.AsyncClient:
    """Return a browser-like client: it keeps cookies, including those for HTTPS."""
    asgi: Any = app  # ASGI's types are dictionaries here and typed ones there
    transport = httpx.ASGITransport(asgi, client=("192.0.2.7", 4711))
    return httpx.AsyncClient(transport=transport, base_url="https://api.example.org")


def unique(prefix: str = "x") -> str:
    """Return a name that no other test uses, valid in addresses and subdomains."""
    return f"{prefix}{new_id().hex[6:]}"


async def sign_up(app: Litestar, *, organization: bool = True, email: str | None = None) -> Person:
    """Register a user and log them in."""
    client = client_of(app)
    email = email or f"{unique('p')}@example.com"
    body: Json = {"email": email, "password": PASSWORD, "name": "Pat"}
    if organization:
        body["organization"] = {"name": "Acme", "subdomain": unique("o")[:30]}
    profile = done(await client.post("/api/auth/register", json=body), 201)
    return Person(client, email, profile, await log_in(client, email))


async def log_in(client: httpx.AsyncClient, email: str, password: str = PASSWORD) -> str:
    """Log in and return the access token."""
    body = {"email": email, "password": password}
    answer = done(await client.post("/api/auth/login", json=body), 200)
    return str(answer["accessToken"])


async def join(system: System, person: Person, org_id: str, role: Role) -> None:
    """Make *person* a member of another organization, in which they work from now on."""
    org, user = OrgId(UUID(org_id)), UserId(UUID(person.id))
    session = system.keys.tokens.verify(person.token, system.clock()).sid
    await record(
        system.log,
        on(org, MemberJoined(user_id=user, role=role), org_id=org),
        on(session, SessionSwitchedOrganization(to=org)),
        on(user, HomeOrganizationChanged(organization_id=org)),
    )
    person.org_id = org_id


def done(response: httpx.Response, status: int) -> Any:
    """Return the body of a response, which must have *status*."""
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    return response.json() if response.content else None


def refused(response: httpx.Response, status: int, code: str) -> Json:
    """Return the problem of a response, which must have *status* and *code*."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem: Json = done(response, status)
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["requestId"] == response.headers["x-request-id"]
    return problem


async def stored_events(system: System, stream: str) -> list[str]:
    """Return the types of the events of a stream."""
    log = system.log
    found = [
        await log.decoded(log.store.stream(UUID(stream), 0, part)) for part in range(log.parts)
    ]
    return [recorded.tag for some in found for recorded in some]


async def at_once(*questions: Any) -> list[httpx.Response]:
    """Send several requests concurrently."""
    async with asyncio.timeout(DEADLINE_S):
        return list(await asyncio.gather(*questions))


async def until_ready(client: httpx.AsyncClient) -> None:
    """Wait until the read models exist."""
    async with asyncio.timeout(DEADLINE_S):
        while (await client.get("/health/ready")).is_error:  # noqa: ASYNC110 - polls the API
            await asyncio.sleep(0.01)


async def delivered(system: System, ana: Person, webhook_id: str) -> Delivery:
    """Note the delivery of the newest event of an organization, as a worker does."""
    org_id = OrgId(UUID(ana.org_id))
    seq = await system.log.organization_head(org_id)
    [row] = await system.log.organization(org_id, seq - 1, 1)
    made = Delivery(
        id=delivery_id(webhook_id, seq),
        endpoint=webhook_id,
        org=ana.org_id,
        seq=seq,
        prev=0,
        event_id=str(event_id(row)),
        type=row.tag,
        stream=str(row.stream_id),
        created_at=system.clock(),
        next_at=system.clock(),
    )
    await system.operations.add(made)
    return made
