"""The page on restoring, followed word for word beside newer read models and a receiver."""

import asyncio
import json
import re
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.acceptance.customers import PASSWORD
from tests.acceptance.system import ROOT, System, data_directory
from tests.deliveries.receiver import Receiver
from tests.eventstore.conftest import postgres_server

__all__ = ["postgres_server"]  # a fixture, found by its name

pytestmark = pytest.mark.acceptance

PAGE = ROOT / "docs" / "how-to" / "restore-and-rebuild.md"
BLOCK = re.compile(r"^( *)```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
PATIENCE_S = 60.0


class Operator:
    """Follows the page on a system of its own."""

    def __init__(self, system: System) -> None:
        self._system = system

    def blocks(self, heading: str) -> list[str]:
        """Return the commands under a heading of the page."""
        section = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
        section = section.partition("\n## ")[0]
        return [textwrap.dedent(text) for _, text in BLOCK.findall(section)]

    def follow(self, commands: str) -> None:
        """Do what a block says."""
        if commands.strip() == "make run":
            self._system.start()
            return
        script = commands.replace(".venv/bin/trackrecord", f"{sys.executable} -m cli")
        script = script.replace("data/", f"{self._system.data_dir}/")
        script = script.replace("trackrecord.backup", f"{self._system.data_dir}/trackrecord.backup")
        done = subprocess.run(
            ["/usr/bin/env", "bash", "-euc", script],
            cwd=ROOT,
            env=self._system.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


class Place:
    """A log in a SQLite file."""

    def settings(self) -> dict[str, str]:
        """Return what a system needs to know of it."""
        return {}

    def set_aside(self, system: System, follow: Callable[[], None]) -> None:
        """Make room for the backup."""
        follow()

    def grant(self, system: System, follow: Callable[[], None]) -> None:
        """Give the processes access to the tables; a file has no roles."""


class PostgresPlace(Place):
    """A log in PostgreSQL, whose owner runs everything, as ``up`` does; a role gets access too."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._role = f"app_{uuid4().hex[:12]}"
        self._run(f"CREATE ROLE {self._role} LOGIN")
        self._owner_url = self._new_database()

    def settings(self) -> dict[str, str]:
        return {"EVENTS_URL": self._owner_url}

    def set_aside(self, system: System, follow: Callable[[], None]) -> None:
        """Create a new database and name it in EVENTS_URL, as the owner."""
        self._owner_url = self._new_database()
        system.environment["EVENTS_URL"] = self._owner_url

    def grant(self, system: System, follow: Callable[[], None]) -> None:
        """Give the role access, and see that it can read."""
        system.environment["ROLE"] = self._role
        follow()
        parts = urlsplit(self._owner_url)
        as_role = parts._replace(netloc=f"{self._role}@{parts.netloc.rpartition('@')[2]}")
        with psycopg.connect(as_role.geturl()) as process:
            assert process.execute("SELECT 1 FROM events LIMIT 1").fetchall() == [(1,)]

    def _new_database(self) -> str:
        name = f"restore_{uuid4().hex[:12]}"
        self._run(f"CREATE DATABASE {name}")
        return urlsplit(self._server)._replace(path=f"/{name}").geturl()

    def _run(self, statement: str) -> None:
        with psycopg.connect(self._server, autocommit=True) as admin:
            admin.execute(statement.encode())


class Customer:
    """Works in one organization, with a webhook."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._slug = f"restore-{uuid4().hex[:10]}"
        self._project = ""

    async def arrive(self, receiver_url: str) -> None:
        account = {"email": f"{self._slug}@example.com", "password": PASSWORD, "name": "Ana"}
        organization = {"name": self._slug, "subdomain": self._slug}
        await self.does("/auth/register", {**account, "organization": organization})
        await self.log_in()
        self._project = (await self.does("/project", {"key": "RUN", "name": "Run"}))["id"]
        await self.does("/webhook", {"url": receiver_url, "events": ["task.*"]})

    async def log_in(self) -> None:
        account = {"email": f"{self._slug}@example.com", "password": PASSWORD}
        login = await self.does("/auth/login", account)
        self._http.headers["authorization"] = f"Bearer {login['accessToken']}"

    async def does(self, path: str, body: dict[str, Any]) -> Any:
        answer = await self._http.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def creates(self, title: str) -> Any:
        return await self.does(f"/project/{self._project}/tasks", {"title": title})

    async def is_refused(self) -> str:
        answer = await self._http.post(f"/project/{self._project}/tasks", json={"title": "No"})
        assert answer.status_code == 503, answer.text
        return str(answer.json()["code"])

    async def titles(self) -> list[str] | None:
        """Return what a list shows, None while the read models are rebuilt."""
        answer = await self._http.get(f"/project/{self._project}/tasks", params={"limit": 100})
        if answer.status_code == 503:
            return None
        assert answer.is_success, answer.text
        return sorted(task["title"] for task in answer.json()["items"])


async def until(ask: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while (found := await ask()) != wanted:
        assert asyncio.get_running_loop().time() < deadline, f"{found!r} is not {wanted!r}"
        await asyncio.sleep(0.05)


def received(receiver: Receiver) -> Counter[str]:
    """Return the titles of the tasks whose creation was received, and how often."""
    bodies = [json.loads(request.body) for request in receiver.requests]
    return Counter(body["data"]["title"] for body in bodies if body["type"] == "task.created")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Place:
    """Give the engine that the log is in."""
    if request.param == "sqlite":
        return Place()
    return PostgresPlace(request.getfixturevalue("postgres_server"))


async def test_following_the_page_shows_no_lost_event_and_loses_no_new_one(place: Place) -> None:
    with data_directory() as directory:
        system = System(directory, **place.settings())
        operator = Operator(system)
        system.start()
        try:
            async with Receiver() as receiver:
                await _restore_an_older_log(system, operator, receiver, place)
        finally:
            if system.process is not None and system.process.poll() is None:
                system.stop()


async def _restore_an_older_log(
    system: System, operator: Operator, receiver: Receiver, place: Place
) -> None:
    async def sent(*titles: str) -> bool:
        return set(titles) <= set(received(receiver))

    [backing_up] = operator.blocks("What to back up")
    aside, restore, grant, start, accept = operator.blocks("Restore")
    async with system.http() as http:
        customer = Customer(http)
        await customer.arrive(receiver.url)
        await customer.creates("Kept")
        operator.follow(backing_up)
        for title in ("Lost 1", "Lost 2"):
            await customer.creates(title)
        await until(customer.titles, ["Kept", "Lost 1", "Lost 2"])
        await until(lambda: sent("Kept", "Lost 1", "Lost 2"), wanted=True)
        await _signed(system)

        system.stop()
        place.set_aside(system, lambda: operator.follow(aside))
        operator.follow(restore)
        place.grant(system, lambda: operator.follow(grant))
        operator.follow(start)
        assert await customer.is_refused() == "log_contradicted"
        operator.follow(accept)

        await customer.log_in()
        new = [await customer.creates(f"New {n}") for n in range(3)]
        assert [task["key"] for task in new] == ["RUN-2", "RUN-3", "RUN-4"]
        await until(customer.titles, ["Kept", "New 0", "New 1", "New 2"])
        await until(lambda: sent("New 0", "New 1", "New 2"), wanted=True)
    bodies = [json.loads(request.body) for request in receiver.requests]
    [told] = [body for body in bodies if body["type"] == "log.restored"]
    assert told["data"]["lostSize"] > told["data"]["kept"]
    assert [body["epoch"] for body in bodies[bodies.index(told) :]] == [2] * 4


async def _signed(system: System) -> None:
    """Wait until every event so far was signed."""
    size = len(system.command("replay").stdout.splitlines())

    async def kept() -> int:
        text = (system.data_dir / "signed-heads.jsonl").read_text()
        newest: dict[str, int] = {}
        for line in filter(None, text.splitlines()):
            head = json.loads(line)
            newest[head["org"]] = max(head["size"], newest.get(head["org"], 0))
        return sum(newest.values())

    await until(kept, size)
