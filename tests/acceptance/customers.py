"""Customers that keep working while processes are killed, and remember every response."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

import httpx

from tests.deliveries.receiver import Receiver

PASSWORD = "a long walk beside the river"
PATIENCE_S = 90.0
PAUSE_S = 0.05
CLIENTS: list[httpx.AsyncClient] = []
"""Those of all customers of a test, which are closed at its end, also if it fails."""
ANSWER_S_MAX = 30.0
"""When a client gives up: late, as a machine that starts killed servers again is busy."""
PAIRS_OF_A_LOGIN = 500
"""Pairs before a customer logs in again."""


class Stack(Protocol):
    """A running system, whatever it stands on."""

    @property
    def victims(self) -> Sequence[str]:
        """The processes that may be killed."""
        ...

    def http(self) -> httpx.AsyncClient:
        """Return a client of its API."""
        ...

    async def kill(self, name: str) -> None:
        """Kill one process and have it started again."""
        ...


class Customer:
    """One organization with two webhooks; each command has an idempotency key of its own.

    Commands are sent again until they succeed, as a client does that got no answer.
    """

    def __init__(self, stack: Stack, receiver: Receiver) -> None:
        self.slug = f"load-{uuid4().hex[:10]}"
        self.http = stack.http()
        CLIENTS.append(self.http)
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.webhooks: dict[str, str] = {}
        self.project = self.organization = ""
        self._receiver = receiver
        self.slowest_s = 0.0

    async def arrive(self) -> None:
        """Register, and create a project and webhooks."""
        organization = {"name": self.slug, "subdomain": self.slug}
        await self._insist(
            "/auth/register", {**self._account, "name": "Load", "organization": organization}
        )
        await self._log_in(self.http)
        self.organization = (await self.get("/auth/profile"))["organizationId"]
        self.project = (await self._insist("/project", {"key": "RUN", "name": "Run"}))["id"]
        for mode in ("ORDERED", "PARALLEL"):
            path = f"/{self.slug}/{mode}"
            url = self._receiver.url.removesuffix("/hook") + path
            made = await self._insist("/webhook", {"url": url, "events": ["task.*"], "mode": mode})
            self.webhooks[path] = made["id"]

    @property
    def _account(self) -> dict[str, str]:
        return {"email": f"{self.slug}@example.com", "password": PASSWORD}

    async def _log_in(self, *clients: httpx.AsyncClient) -> None:
        login = await self._insist("/auth/login", self._account)
        for client in clients:
            client.headers["authorization"] = f"Bearer {login['accessToken']}"

    @property
    def tasks_path(self) -> str:
        """The path of the list of tasks, which also takes new ones."""
        return f"/project/{self.project}/tasks"

    async def work(self, until: Callable[[], bool]) -> None:
        """Create and move tasks, one after the other, and look at the list of them."""
        while not until():
            task = await self._insist(self.tasks_path, {"title": f"Task {uuid4()}"})
            self.acknowledged[task["id"]] = task
            moved = await self._insist(f"/task/{task['id']}/status", {"status": "IN_PROGRESS"})
            self.acknowledged[task["id"]] = moved
            assert moved["version"] == task["version"] + 1
            await self.get(self.tasks_path, {"limit": 50})

    async def settled(self) -> None:
        """Wait until nothing more follows from what this customer did."""

    async def check_shown(self) -> None:
        """Every acknowledged command took effect, once, and is shown as its response said."""
        shown = await self.tasks()
        assert shown == self.acknowledged
        check_keys(shown)

    def events_in(self, log: list[dict[str, Any]]) -> set[str]:
        """Return the ids of the events that each of the webhooks gets."""
        found = {each["id"] for each in log if each["stream"]["id"] in self.acknowledged}
        assert len(found) == 2 * len(self.acknowledged)
        return found

    async def invite(self, count: int, pause_s: float) -> None:
        """Invite people, who get a mail each."""
        for number in range(count):
            email = f"{number}-{self.slug}@example.com"
            path = f"/org/{self.organization}/invitations"
            await self._insist(path, {"email": email, "role": "MEMBER"})
            await asyncio.sleep(pause_s)

    async def check_pairs(self, elsewhere: httpx.AsyncClient, count: int) -> None:
        """Change a task here or *elsewhere*, and see it in the list of the other at once."""
        sides = (self.http, elsewhere)
        task = next(iter(self.acknowledged.values()))
        for number in range(count):
            if number % PAIRS_OF_A_LOGIN == 0:  # an access token is valid for 15 minutes
                await self._log_in(*sides)
            writer, reader = sides[number % 2], sides[1 - number % 2]
            title = f"Pair {number}"
            await self._until(partial(writer.patch, f"/task/{task['id']}", json={"title": title}))
            newest: dict[str, Any] = {"limit": 1, "sort": "updated"}
            listed = await self._until(partial(reader.get, self.tasks_path, params=newest))
            shown = [each["title"] for each in listed["items"]]
            assert shown == [title], f"{shown} is shown, not {title!r}"

    async def tasks(self) -> dict[str, dict[str, Any]]:
        """Return every task that a reader sees now, by its id."""
        shown: dict[str, dict[str, Any]] = {}
        query: dict[str, Any] = {"limit": 100}
        while True:
            page = await self.get(self.tasks_path, query)
            shown.update({task["id"]: task for task in page["items"]})
            if page["nextCursor"] is None:
                return shown
            query["cursor"] = page["nextCursor"]

    async def open_deliveries(self) -> int:
        """Return how many deliveries of the webhooks have not succeeded yet."""
        unsent = 0
        for webhook_id in self.webhooks.values():
            for status in ("PENDING", "RETRYING", "FAILED"):
                page = await self.get(f"/webhook/{webhook_id}/deliveries", {"status": status})
                unsent += len(page["items"])
        return unsent

    async def get(self, path: str, query: dict[str, Any] | None = None) -> Any:
        """Return what a GET answers, sooner or later."""
        return await self._until(lambda: self.http.get(path, params=query))

    async def _insist(self, path: str, body: dict[str, Any]) -> Any:
        key = uuid4().hex
        return await self._until(
            lambda: self.http.post(path, json=body, headers={"idempotency-key": key})
        )

    async def _until(self, ask: Callable[[], Awaitable[httpx.Response]]) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            began = time.monotonic()
            try:
                answer = await ask()
            except httpx.TimeoutException as silence:
                took_s = time.monotonic() - began
                raise AssertionError(f"{silence.request.url}: none in {took_s:.0f} s") from silence
            except httpx.TransportError:
                answer = None
            else:
                self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            if answer is not None and answer.status_code < 500:
                assert answer.is_success, answer.text
                return answer.json()
            if answer is not None:
                assert answer.status_code == 503, answer.text
                assert int(answer.headers["retry-after"]) > 0
            told = answer.text if answer is not None else "nothing"
            assert time.monotonic() < deadline, f"for {PATIENCE_S:g} s, at last {told}"
            await asyncio.sleep(PAUSE_S)


def check_keys(shown: dict[str, dict[str, Any]]) -> None:
    """Check that the tasks of a project are numbered without a gap."""
    keys = [f"RUN-{n}" for n in range(1, len(shown) + 1)]
    assert sorted(task["key"] for task in shown.values()) == sorted(keys)
